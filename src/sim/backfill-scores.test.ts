import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallSettled } from '../traces/call-record.ts';
import { scoresOfCall } from './backfill-scores.ts';

const NOW = Date.UTC(2026, 5, 1);

function call(place: number, changes: Partial<CallSettled> = {}): CallSettled {
  return {
    callId: `call-${place}`,
    traceId: place.toString(16).padStart(32, '0'),
    organisationId: 'default',
    environment: 'production',
    feature: 'customer-support',
    keyId: 'key',
    session: `session-${place >> 1}`,
    user: 'u',
    status: 'ok',
    startedAtMs: NOW - 86_400_000 + place,
    durationMs: 900,
    ...changes,
  } as CallSettled; // only what is read
}

describe('simulated feedback', () => {
  const all = Array.from({ length: 6_000 }, (_, place) => scoresOfCall(call(place), 1, NOW)).flat();

  it('is said at about the shares of its feature, marked, and never after now', () => {
    const of = (name: string) => all.filter((row) => row.name === name);
    const stars = of('csat').map(({ number }) => number ?? 0);
    assert.ok(stars.length > 280 && stars.length < 440, `${stars.length}`);
    assert.ok(stars.every((value) => Number.isInteger(value) && value >= 1 && value <= 5));
    const mean = stars.reduce((sum, value) => sum + value, 0) / stars.length;
    assert.ok(mean > 4 && mean < 4.5, `${mean}`);
    assert.ok(of('hallucination').length > 200);
    assert.ok(all.every(({ atMs, metadata }) => atMs <= NOW && metadata.simulated === true));
    assert.ok(scoresOfCall(call(1, { startedAtMs: NOW - 10 }), 1, NOW).every(({ atMs }) => atMs === NOW));
  });

  it('is the same for the same call, one outcome a session, and none for a call that failed', () => {
    assert.deepEqual(scoresOfCall(call(7), 1, NOW), scoresOfCall(call(7), 1, NOW));
    const outcomes = all.filter(({ kind }) => kind === 'outcome');
    const bySession = Map.groupBy(outcomes, ({ session }) => session);
    assert.equal(bySession.size, 3_000);
    for (const rows of bySession.values()) assert.equal(new Set(rows.map(({ scoreId, number }) => `${scoreId} ${number}`)).size, 1);
    const succeeded = [...bySession.values()].filter(([row]) => row?.number === 1).length / 3_000;
    assert.ok(succeeded > 0.71 && succeeded < 0.77, `${succeeded}`);
    assert.deepEqual(scoresOfCall(call(1, { status: 'error' }), 1, NOW), []);
  });
});
