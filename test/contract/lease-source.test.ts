import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeaseAuthority } from '../../src/gateway/admission/lease-authority.ts';
import type { LeaseHolder, LeaseSource } from '../../src/gateway/admission/lease-source.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import { openRedisLeaseSource } from '../../src/stores/redis/lease-source.ts';
import { REDIS_SKIP, startRedis } from '../harness/redis.ts';
import { leaseSourceContract } from './lease-source.contract.ts';

/** What the supervisor does, without the pipe in between. */
leaseSourceContract('authority in memory', async () => {
  const clock = new FakeClock(0);
  const authority = new LeaseAuthority({ leaseMs: 3_000, settlingMs: 0 });
  const listeners = new Map<string, (keys: readonly string[]) => void>();
  return {
    open: (holder: LeaseHolder): LeaseSource => ({
      leaseMs: 3_000,
      async exchange(reports, isComplete) {
        const { answers, recalls } = authority.exchange(holder, reports, isComplete, clock.monotonicMs());
        for (const [writer, keys] of recalls) listeners.get(writer)?.(keys);
        return { answers, sourceId: 'memory', settlingMs: 0 };
      },
      onRecall: (listener) => void listeners.set(holder.writer, listener),
      close: async () => {},
    }),
    wait: (ms) => clock.advance(ms),
    close: async () => {},
  };
});

leaseSourceContract(
  'Redis',
  async () => {
    const redis = await startRedis();
    return {
      open: (holder) => openRedisLeaseSource({ url: redis.url, holder, settlingMs: 0 }),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      close: () => redis.stop(),
    };
  },
  REDIS_SKIP,
);

describe('Redis as a lease source', { skip: REDIS_SKIP }, () => {
  it('only listens at first, after a silence of all gateways, and after it was started again', { timeout: 60_000 }, async () => {
    const redis = await startRedis();
    const source = openRedisLeaseSource({ url: redis.url, holder: { writer: 'a', incarnation: 'a' }, settlingMs: 400 });
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const report = {
      key: 'limit\nmember\n',
      kind: 'gauge' as const,
      capacity: 10,
      windowMs: null,
      keepMs: 0,
      used: 0,
      inWindow: 0,
      held: 0,
      spare: 0,
      want: 4,
      least: 4,
      ahead: 0,
    };
    const ask = async (): Promise<readonly [granted: number | undefined, isSettling: boolean, sourceId: string]> => {
      const { answers, settlingMs, sourceId } = await source.exchange([report], false);
      return [answers[0]?.granted, settlingMs > 0, sourceId];
    };
    try {
      const ids = new Set<string>();
      for (const upset of [
        async (): Promise<void> => {},
        (): Promise<void> => wait(1_700),
        async (): Promise<void> => {
          await redis.kill();
          await assert.rejects(ask(), { code: 'store_unavailable' });
          await redis.start();
          await wait(800);
        },
      ]) {
        await upset();
        const [granted, isSettling, id] = await ask();
        assert.deepEqual([granted, isSettling], [0, true]);
        await wait(500);
        assert.deepEqual(await ask(), [4, false, id]);
        ids.add(id);
      }
      assert.equal(ids.size, 3, 'each time all is told anew');
      assert.equal((await source.exchange([], false)).sourceId, [...ids].at(-1));
    } finally {
      await source.close();
      await redis.stop();
    }
  });
});
