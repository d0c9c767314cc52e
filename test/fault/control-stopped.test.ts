import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../../src/kernel/testing.ts';
import { ledgerOf } from '../harness/ledger.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';

/** 60 in the long run (`PLIMSOLL_OUTAGE_S=60`). */
const OUTAGE_MS = Number(process.env.PLIMSOLL_OUTAGE_S ?? 4) * 1_000;
/** A forwarded request must be answered within this, also when control is silent instead of gone. */
const ANSWERED_WITHIN_MS = 8_000;

/** Requests of every kind to control's paths, by turns, until the outage is over. */
async function watchForwarded(
  plimsoll: Plimsoll,
  untilMs: number,
): Promise<{ status: number; retryAfter: string | null; type: string | null; ms: number }[]> {
  const requests: [string, RequestInit][] = [
    ['/api/v1/traces', {}],
    ['/', {}],
    [
      '/api/v1/keys',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'x', feature: 'load' }) },
    ],
  ];
  const answers = [];
  for (let index = 0; performance.now() < untilMs; index++) {
    const [path, init] = requests[index % requests.length] ?? ['/', {}];
    const startedMs = performance.now();
    const answer = await fetch(`${plimsoll.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${plimsoll.adminKey}`, ...init.headers },
      signal: AbortSignal.timeout(30_000),
    });
    await answer.text();
    answers.push({
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      type: answer.headers.get('content-type'),
      ms: Math.round(performance.now() - startedMs),
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return answers;
}

async function assertNothingLost(plimsoll: Plimsoll, complete: readonly string[]): Promise<void> {
  const ledger = await ledgerOf(plimsoll, complete.length);
  const missing = complete.filter((traceId) => ledger.rowsByTrace.get(traceId) !== 1);
  assert.deepEqual(missing, [], `${missing.length} of ${complete.length} answers are not exactly once in the ledger`);
  assert.equal(ledger.rowsByCall.size, complete.length, 'the ledger has other calls than those that were answered');
  assert.equal(ledger.requestsInRollup, complete.length, 'the rollup counts other calls than the ledger');
  const last = complete.at(-1);
  await eventually(
    'the last trace',
    () => plimsoll.api<{ spans: unknown[] }>(`/api/v1/traces/${last}`),
    ({ spans }) => spans.length > 0,
  );
}

describe('control is away under load', { timeout: 600_000 + 3 * OUTAGE_MS }, () => {
  it(`stopped (silent, its port still open) for ${OUTAGE_MS / 1_000} s: no /v1 call fails, its paths answer 503, afterwards every call is there once`, async () => {
    const stub = await startStubProvider(() => 5);
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    let control = 0;
    try {
      const load = startLoad(plimsoll.url, plimsoll.virtualKey, 4, 20);
      control = (await plimsoll.pids()).control ?? 0;
      process.kill(control, 'SIGSTOP');
      const answers = await watchForwarded(plimsoll, performance.now() + OUTAGE_MS);
      process.kill(control, 'SIGCONT');
      for (const answer of answers) {
        assert.equal(answer.status, 503, JSON.stringify(answer));
        assert.ok(Number(answer.retryAfter) > 0, 'no retry-after');
        assert.equal(answer.type, 'application/problem+json');
        assert.ok(answer.ms < within(ANSWERED_WITHIN_MS), `answered only after ${answer.ms} ms`);
      }
      await eventually(
        'control answers again',
        () => plimsoll.api('/api/v1/status'),
        () => true,
      );
      assert.equal((await plimsoll.pids()).control, control, 'control was restarted although it only stood still');
      const { complete, failed, statuses } = await load.stop();
      assert.equal(failed, 0, JSON.stringify([...statuses]));
      await assertNothingLost(plimsoll, complete);
    } finally {
      if (control > 0) process.kill(control, 'SIGCONT');
      await plimsoll.stop();
      await stub.close();
    }
  });

  it('killed again and again: no /v1 call fails, afterwards every call is there once', async () => {
    const stub = await startStubProvider(() => 5);
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    try {
      const load = startLoad(plimsoll.url, plimsoll.virtualKey, 4, 20);
      const killed = new Set<number>();
      const answers = watchForwarded(plimsoll, performance.now() + OUTAGE_MS);
      const endMs = performance.now() + OUTAGE_MS;
      while (performance.now() < endMs) {
        const { control } = await plimsoll.pids();
        // Each new life is ended as soon as it shows: control never gets to serve.
        if (control !== null && control !== undefined && !killed.has(control)) {
          killed.add(control);
          process.kill(control, 'SIGKILL');
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(killed.size >= 3, `control was killed only ${killed.size} times`);
      for (const answer of await answers) {
        // The very first request may still have found it alive.
        if (answer.status === 503) assert.ok(Number(answer.retryAfter) > 0);
        assert.ok(answer.ms < within(ANSWERED_WITHIN_MS), `answered only after ${answer.ms} ms`);
      }
      // The supervisor waits up to 5 s before it starts a child that never stays.
      await eventually(
        'control answers again',
        () => plimsoll.api('/api/v1/status'),
        () => true,
        20_000,
      );
      const { complete, failed, statuses } = await load.stop();
      assert.equal(failed, 0, JSON.stringify([...statuses]));
      await assertNothingLost(plimsoll, complete);
    } finally {
      await plimsoll.stop();
      await stub.close();
    }
  });
});
