import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { contextWaste } from '../../src/costs/context/report.ts';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { type ClickHouseStores, openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { batchOf, sampleAttempt, sampleCall, samplePayload } from './ledger-sample-calls.ts';

const scope = { organisationId: 'org-context', environment: 'production' };
const WINDOW_MS = 300_000;
const START = Math.floor(Date.UTC(2026, 5, 1, 10) / WINDOW_MS) * WINDOW_MS;
const period = { from: START, to: START + 100 * WINDOW_MS };
/** Longer than what is stored in its place, so that it is put together from parts. */
const DOCUMENT = 'Refunds reach the original payment method after seven working days, wherever it was issued. '.repeat(40);

describe('sample of calls with their texts', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-context-'));
  const token = randomUUID();
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let stores: ClickHouseStores;
  before(async () => {
    engine = await startEngine({ dataDir, token, port: 0 });
    stores = openClickHouse({ url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' });
    await stores.migrate();
    // Ten windows apart from one another, in each one call before it and two in it; one of them with a retry, which is not measured.
    const made = Array.from({ length: 10 }, (_, window) =>
      [-60_000, 1_000, 2_000, 3_000].map((offsetMs, place) => {
        const seed = `context-${window}-${place}`;
        const attempts = place === 3 ? [sampleAttempt(`${seed}-a`, { status: 'error' }), sampleAttempt(seed)] : [sampleAttempt(seed)];
        const call = sampleCall(seed, START + (window * 4 + 1) * WINDOW_MS + offsetMs, { ...scope, attempts });
        const question = `${DOCUMENT}\n\nWhen is the refund of order ${window}-${place}?`;
        return { call, payload: samplePayload(call, question, 'After some days.') };
      }),
    ).flat();
    await stores.insertBatch(batchOf('context', made));
  });
  after(async () => {
    await stores?.close();
    await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('draws stretches with the five minutes before them, and reads the texts as they were sent; the same again', async () => {
    const sample = await stores.costs.contextSample(scope, period);
    assert.deepEqual(await stores.costs.contextSample(scope, period), sample);
    assert.ok(sample.length > 0 && sample.every(({ input, isTruncated }) => input?.includes(DOCUMENT.slice(0, 80)) && !isTruncated));
    assert.ok(sample.every(({ usage, priceId }) => usage.inputUncachedTokens === 100 && priceId === 'gpt-5-mini/2026-01-01'));
    for (const { isMeasured, startedAtMs, window } of sample)
      assert.equal(Math.floor(startedAtMs / WINDOW_MS), isMeasured ? window : window - 1, 'in the window, or right before it');
    // A stretch of its own for the calls before a window, too: all windows with calls are drawn here, and none has a retried call.
    assert.equal(new Set(sample.map(({ window }) => window)).size, 20);
    assert.equal(sample.filter(({ isMeasured }) => isMeasured).length, 30);
    assert.deepEqual(await stores.costs.contextSample({ ...scope, organisationId: 'nobody' }, period), []);
  });

  it('is what the estimates are made of', async () => {
    const sample = await stores.costs.contextSample(scope, period);
    const price = {
      priceId: 'gpt-5-mini/2026-01-01',
      perToken: { inputUncachedTokens: '100', outputTextTokens: '300' },
      perRequest: null,
      tiers: [],
    };
    const used = await stores.costs.usedAtPrices(scope, period, []);
    const { total, sampledCalls, withoutTexts } = contextWaste(period, sample, used, new Map([[price.priceId, price]]));
    assert.deepEqual([sampledCalls, withoutTexts, total.unread.calls, total.unread.windows], [30, 0, 30, 20]);
    assert.ok((total.unread.ratio ?? 0) > 0.5, `${total.unread.ratio}`);
    assert.equal(total.resent.unmeasured, 'needs a price for cached input');
  });
});
