import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type BillingProvider, startBillingProvider } from '../harness/billing-provider.ts';
import { type GatewayReplicas, startReplicas } from '../harness/gateway-replicas.ts';
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
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { REDIS_SKIP, startRedis, type TestRedis } from '../harness/redis.ts';

const CLIENTS = 256;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills a worker without warning and waits until it serves again. */
async function killWorker(tree: Plimsoll, name: string): Promise<void> {
  const pid = (await tree.pids())[name];
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  await eventually(
    `${name} is back`,
    () => tree.pids(),
    (pids) => typeof pids[name] === 'number' && pids[name] !== pid,
    15_000,
  );
}

const nothingHeld = (tree: Plimsoll): Promise<unknown> =>
  eventually(
    'no reservation is held',
    () => outstanding(tree),
    (count) => count === 0,
    15_000,
  );

describe('limits that workers keep together, with workers that are killed', () => {
  it('are not passed, and what a dead worker held comes back; one worker that is left knows all of it', { timeout: 300_000 }, async () => {
    const provider = await startBillingProvider(latencyMs);
    const dataDirectory = mkdtempSync(join(tmpdir(), 'plimsoll-shared-'));
    const start = (workers: number): Promise<Plimsoll> =>
      startPlimsoll({ config: moneyConfig(provider.port, `gateway: { workers: ${workers} }\n`), variables: MONEY_KEYS, dataDirectory });
    let plimsoll = await start(2);
    try {
      await eventually(
        'both workers follow control',
        () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
        ({ gateway }) => gateway.workers === 2 && gateway.ready,
      );
      const load = loadMoney([plimsoll.url], CLIENTS, 6_000);
      for (const name of ['gateway-2', 'gateway-1', 'gateway-2', 'gateway-2']) {
        await pause(300 + Math.random() * 500);
        await killWorker(plimsoll, name);
      }
      await load;
      await spendTheRest([plimsoll.url], 'wild-feature');
      await nothingHeld(plimsoll);
      const ledger = await readLedger(plimsoll);
      assert.ok(
        ledger.some((call) => call.is_recovered === 1),
        'calls were lost with their workers',
      );
      checkMoney(ledger, provider, { hasKills: true, isUsedUp: true });
      checkNothingStranded(ledger);

      await plimsoll.stop();
      plimsoll = await start(1);
      for (const feature of ['wild-feature', 'calm-requests']) assert.equal(await spendTheRest([plimsoll.url], feature), 0, feature);
      checkMoney(await readLedger(plimsoll), provider, { hasKills: true, isUsedUp: true });
    } finally {
      await plimsoll.stop();
      await provider.close();
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  });
});

describe('limits that gateways keep together in Redis, when it is killed half way', { skip: REDIS_SKIP }, () => {
  interface World {
    readonly redis: TestRedis;
    readonly provider: BillingProvider;
    readonly replicas: GatewayReplicas;
    readonly origins: readonly string[];
  }

  async function withReplicas(sharing: string, run: (world: World) => Promise<void>): Promise<void> {
    const redis = await startRedis();
    const provider = await startBillingProvider(latencyMs);
    const config = moneyConfig(provider.port, `limitSharing: ${sharing}\n`);
    const replicas = await startReplicas(3, config, { ...MONEY_KEYS, PLIMSOLL_REDIS_URL: redis.url });
    try {
      await run({ redis, provider, replicas, origins: replicas.gateways.map(({ url }) => url) });
    } finally {
      await replicas.stop();
      await provider.close();
      await redis.stop();
    }
  }

  const count = (statuses: ReadonlyMap<string, number>, status: number): number =>
    [...statuses].reduce((sum, [place, calls]) => (place.endsWith(` ${status}`) ? sum + calls : sum), 0);

  it('fail-closed: nothing is let in that nobody vouches for; an empty Redis hears of all that was used', { timeout: 300_000 }, () =>
    withReplicas('{ driver: redis }', async ({ redis, provider, replicas, origins }) => {
      const first = loadMoney(origins, CLIENTS, 1_200);
      await pause(400);
      await killWorker(replicas.gateways[1] as Plimsoll, 'gateway-1');
      await redis.kill();
      await first;
      await pause(3_000);
      const away = await loadMoney(origins, 32, 200);
      assert.equal(count(away.statuses, 200), 0, [...away.statuses].join('; '));
      assert.ok(count(away.statuses, 503) > 100, [...away.statuses].join('; '));
      await redis.start();
      await pause(1_000);
      await loadMoney(origins, CLIENTS, 5_000);
      await spendTheRest(origins, 'wild-feature');
      for (const gateway of replicas.gateways) await nothingHeld(gateway);
      const ledger = await readLedger(replicas.control);
      checkMoney(ledger, provider, { hasKills: true, isUsedUp: true });
      checkNothingStranded(ledger);
    }),
  );

  it('local-share: each gateway goes on within its part', { timeout: 300_000 }, () =>
    withReplicas('{ driver: redis, onUnavailable: local-share, replicas: 3 }', async ({ redis, provider, replicas, origins }) => {
      await loadMoney(origins, CLIENTS, 600);
      await redis.kill();
      await pause(3_000);
      const away = await loadMoney(origins, CLIENTS, 4_000);
      assert.equal(count(away.statuses, 503), 0, [...away.statuses].join('; '));
      assert.ok(count(away.statuses, 200) > 100, [...away.statuses].join('; '));
      for (const gateway of replicas.gateways) await nothingHeld(gateway);
      // Calls come about evenly: hardly a gateway had used more than its part when Redis went away.
      checkMoney(await readLedger(replicas.control), provider, { hasKills: false, isUsedUp: false, excessRatio: 0.25 });
    }),
  );
});
