import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startBillingProvider } from '../harness/billing-provider.ts';
import {
  checkMoney,
  checkNothingStranded,
  latencyMs,
  loadMoney,
  MONEY_KEYS,
  moneyConfig,
  outstanding,
  readLedger,
  spendTheRest,
} from '../harness/money-run.ts';
import { eventually, startPlimsoll } from '../harness/plimsoll.ts';

const CLIENTS = 256;

describe('limits that two workers of one machine keep together', () => {
  it('are reached and never passed, by money at every scope, requests, tokens, steps and calls in flight', {
    timeout: 240_000,
  }, async () => {
    const provider = await startBillingProvider(latencyMs);
    const plimsoll = await startPlimsoll({ config: moneyConfig(provider.port, 'gateway: { workers: 2 }\n'), variables: MONEY_KEYS });
    try {
      await eventually(
        'both workers follow control',
        () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
        ({ gateway }) => gateway.workers === 2 && gateway.ready,
      );
      const { statuses, broken } = await loadMoney([plimsoll.url], CLIENTS, 6_000);
      assert.ok(broken > 20, `${broken} calls were aborted`);
      assert.equal([...statuses.keys()].filter((place) => place.endsWith(' 503')).length, 0, [...statuses].join('; '));
      const rest = await spendTheRest([plimsoll.url], 'wild-feature');
      assert.ok(rest < 300, `${rest}`);
      await eventually(
        'no reservation is held',
        () => outstanding(plimsoll),
        (count) => count === 0,
      );
      const ledger = await readLedger(plimsoll);
      checkMoney(ledger, provider, { hasKills: false, isUsedUp: true });
      checkNothingStranded(ledger);
    } finally {
      await plimsoll.stop();
      await provider.close();
    }
  });
});
