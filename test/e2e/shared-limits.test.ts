import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../../src/kernel/testing.ts';
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
    timeout: 600_000,
  }, async () => {
    const provider = await startBillingProvider(latencyMs);
    const plimsoll = await startPlimsoll({ config: moneyConfig(provider.port, 'gateway: { workers: 2 }\n'), variables: MONEY_KEYS });
    try {
      await eventually(
        'both workers follow control',
        () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
        ({ gateway }) => gateway.workers === 2 && gateway.ready,
      );
      const isStarved = within(100) > 300;
      const { statuses, broken } = await loadMoney([plimsoll.url], CLIENTS, 6_000);
      assert.ok(broken > 20, `${broken} calls were aborted`);
      // A worker that hears nothing of its supervisor for two seconds says so. Where there is a core to spare none has to.
      const refused = [...statuses].reduce((sum, [place, count]) => sum + (place.endsWith(' 503') ? count : 0), 0);
      const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      assert.ok(refused <= (isStarved ? all / 100 : 0), [...statuses].join('; '));
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
