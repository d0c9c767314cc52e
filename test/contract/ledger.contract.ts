import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ledgerRowFromCall } from '../../src/costs/ledger-row.ts';
import type { LedgerStore } from '../../src/costs/store.ts';
import { NO_USAGE } from '../../src/models/usage.ts';
import { sampleAttempt, sampleCall } from './ledger-sample-calls.ts';

const NOW = Date.UTC(2026, 4, 5, 6, 7, 8, 9);

export interface LedgerFixture {
  readonly ledger: LedgerStore;
  close(): Promise<void>;
}

export function ledgerContract(driver: string, open: () => Promise<LedgerFixture>): void {
  describe(`LedgerStore contract: ${driver}`, () => {
    let fixture: LedgerFixture;
    let ledger: LedgerStore;
    before(async () => {
      fixture = await open();
      ledger = fixture.ledger;
    });
    after(() => fixture?.close());

    const scope = { organisationId: 'org-ledger', environment: 'production' };

    it('gives a row back as it was written: attempts, unknown amounts, big amounts', async () => {
      const call = sampleCall('ledger-1', NOW, {
        ...scope,
        team: null,
        tags: { 'cost centre': '42' },
        costPicoUsd: null,
        costStatus: 'unpriced',
        isRecovered: true,
        attempts: [
          sampleAttempt('a', { costPicoUsd: null, costStatus: 'unpriced', usage: { ...NO_USAGE, reasoningTokens: 9 } }),
          sampleAttempt('b', {
            costPicoUsd: '9007199254740993',
            usage: null,
            usageSource: null,
            errorType: 'provider_timeout',
            status: 'error',
          }),
        ],
      });
      const row = ledgerRowFromCall(call);
      await ledger.insertRows({ token: 'ledger-1', rows: [row] });
      assert.deepEqual(await ledger.ledgerByCall(scope, call.callId), [row]);
      assert.equal(row.inputTokens, 0);
      assert.equal(row.outputTokens, 9);
    });

    it('keeps unknown tokens unknown', async () => {
      const call = sampleCall('ledger-2', NOW, { ...scope, attempts: [] });
      const row = ledgerRowFromCall(call);
      assert.equal(row.inputTokens, null);
      await ledger.insertRows({ token: 'ledger-2', rows: [row] });
      assert.deepEqual(await ledger.ledgerByCall(scope, call.callId), [row]);
    });

    it('keeps what the cache did, and adds it up by feature and outcome', async () => {
      const other = { ...scope, organisationId: 'org-ledger-cache' };
      const hit = {
        outcome: 'hit' as const,
        reason: null,
        ageMs: 5,
        similarity: null,
        savedInputTokens: 7,
        savedOutputTokens: 2,
        origin: null,
      };
      const calls = [
        sampleCall('cache-1', NOW, {
          ...other,
          cache: { ...hit, savedPicoUsd: '9007199254740993' },
          costStatus: 'cached_zero',
          costPicoUsd: '0',
          attempts: [],
        }),
        sampleCall('cache-2', NOW + 1, { ...other, cache: { ...hit, savedPicoUsd: '1' } }),
        sampleCall('cache-3', NOW + 1, {
          ...other,
          cache: { ...hit, outcome: 'miss', savedPicoUsd: null, savedInputTokens: null, savedOutputTokens: null },
        }),
        sampleCall('cache-4', NOW + 1, other),
        sampleCall('cache-6', NOW + 1, { ...other, cache: { ...hit, outcome: 'near-hit', savedPicoUsd: null } }),
        sampleCall('cache-5', NOW + 2, { ...other, cache: { ...hit, savedPicoUsd: '1' } }),
      ];
      const rows = calls.map(ledgerRowFromCall);
      await ledger.insertRows({ token: 'cache', rows });
      assert.deepEqual(await ledger.ledgerByCall(other, calls[0]?.callId ?? ''), rows.slice(0, 1));
      assert.equal(rows[0]?.inputTokens, 0);
      assert.deepEqual(await ledger.ledgerByCall(other, calls[3]?.callId ?? ''), rows.slice(3, 4));
      const use = { feature: 'customer-support', savedPicoUsd: 0n, unpricedCalls: 0, savedInputTokens: 0, savedOutputTokens: 0 };
      assert.deepEqual(await ledger.cacheUse(other, NOW, NOW + 2), [
        { ...use, outcome: 'hit', calls: 2, savedPicoUsd: 9007199254740994n, savedInputTokens: 14, savedOutputTokens: 4 },
        { ...use, outcome: 'miss', calls: 1 },
        { ...use, outcome: 'near-hit', calls: 1, unpricedCalls: 1, savedInputTokens: 7, savedOutputTokens: 2 },
      ]);
    });

    it('counts rows and calls of a range, and shows a call that was written twice', async () => {
      const other = { ...scope, organisationId: 'org-ledger-counts' };
      const rows = Array.from({ length: 5 }, (_, place) =>
        ledgerRowFromCall(sampleCall(`count-${place}`, NOW + place, { ...other, costPicoUsd: '3' })),
      );
      const counts = () => ledger.ledgerCounts(other, NOW + 1, NOW + 4);
      await ledger.insertRows({ token: 'count-1', rows });
      await ledger.insertRows({ token: 'count-1', rows });
      assert.deepEqual(await counts(), { rows: 3, calls: 3, costPicoUsd: 9n, unpricedRows: 0 });
      await ledger.insertRows({ token: 'count-2', rows: rows.slice(1, 2) });
      assert.deepEqual(await counts(), { rows: 4, calls: 3, costPicoUsd: 12n, unpricedRows: 0 });
    });
  });
}
