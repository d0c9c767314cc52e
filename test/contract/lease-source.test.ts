import { LeaseAuthority } from '../../src/gateway/admission/lease-authority.ts';
import type { LeaseHolder, LeaseSource } from '../../src/gateway/admission/lease-source.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import { openRedisLeaseSource } from '../../src/stores/redis/lease-source.ts';
import { REDIS_SKIP, startRedis } from '../harness/redis.ts';
import { leaseSourceContract } from './lease-source.contract.ts';

/** What the supervisor does, without the pipe in between. */
leaseSourceContract('authority in memory', async () => {
  const clock = new FakeClock(0);
  const authority = new LeaseAuthority(3_000);
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
