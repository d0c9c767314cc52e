import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startBillingProvider } from '../harness/billing-provider.ts';
import { startReplicas } from '../harness/gateway-replicas.ts';
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
import { eventually } from '../harness/plimsoll.ts';
import { REDIS_SKIP, startRedis } from '../harness/redis.ts';

const CLIENTS = 256;
const REPLICAS = 3;

describe(`limits that ${REPLICAS} gateways keep together in Redis`, { skip: REDIS_SKIP }, () => {
  it('are reached and never passed, by money at every scope, requests, tokens, steps and calls in flight', {
    timeout: 300_000,
  }, async () => {
    const redis = await startRedis();
    const provider = await startBillingProvider(latencyMs);
    const config = moneyConfig(provider.port, 'limitSharing: { driver: redis }\n');
    const replicas = await startReplicas(REPLICAS, config, { ...MONEY_KEYS, PLIMSOLL_REDIS_URL: redis.url });
    const origins = replicas.gateways.map(({ url }) => url);
    try {
      const { broken } = await loadMoney(origins, CLIENTS, 6_000);
      assert.ok(broken > 20, `${broken} calls were aborted`);
      await spendTheRest(origins, 'wild-feature');
      for (const gateway of replicas.gateways)
        await eventually(
          'no reservation is held',
          () => outstanding(gateway),
          (count) => count === 0,
        );
      const ledger = await readLedger(replicas.control);
      checkMoney(ledger, provider, { hasKills: false, isUsedUp: true });
      checkNothingStranded(ledger);
    } finally {
      await replicas.stop();
      await provider.close();
      await redis.stop();
    }
  });
});
