import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAnswer, encodeAnswer } from '../../src/gateway/cache/answer-cache.ts';
import { MemoryAnswerCache } from '../../src/gateway/cache/memory-answer-cache.ts';
import { asker, cachingSnapshot, question } from '../../src/gateway/cache/testing.ts';
import { completion, sendJson, startGateway, startUpstream, until } from '../../src/gateway/testing.ts';
import { FakeClock, systemClock } from '../../src/kernel/clock.ts';
import { within } from '../../src/kernel/testing.ts';
import { openRedisAnswerCache } from '../../src/stores/redis/answer-cache.ts';
import { REDIS_SKIP, startRedis } from '../harness/redis.ts';
import { answerCacheContract, CACHE_MAX_BYTES, sampleAnswer } from './answer-cache.contract.ts';

answerCacheContract('memory', async (clock) => ({ cache: new MemoryAnswerCache(clock, CACHE_MAX_BYTES), close: async () => {} }));

describe('an answer as bytes', () => {
  it('is refused when it is not whole', () => {
    const bytes = encodeAnswer(sampleAnswer(new FakeClock(0), { hub: Buffer.from('hub') }));
    assert.ok(decodeAnswer(bytes) !== null);
    for (let length = 0; length < bytes.length; length++) assert.equal(decodeAnswer(bytes.subarray(0, length)), null);
    const broken = Buffer.from(bytes);
    broken[12] = 0x20;
    assert.equal(decodeAnswer(broken), null);
  });
});

describe('with Redis', { skip: REDIS_SKIP }, () => {
  answerCacheContract('redis', async (clock) => {
    const redis = await startRedis();
    const cache = openRedisAnswerCache({ url: redis.url, clock, maxBytes: CACHE_MAX_BYTES });
    await ready(cache);
    return {
      cache,
      async close() {
        cache.close();
        await redis.stop();
      },
    };
  });

  it('gateways share what one of them was told; when it is gone they go on without it', async () => {
    const redis = await startRedis();
    const caches = [1, 2].map(() => openRedisAnswerCache({ url: redis.url, clock: systemClock, maxBytes: 1_000_000 }));
    for (const cache of caches) await ready(cache);
    const upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
    const settings = [{}, { driver: 'redis' as const, lookupTimeoutMs: 500 }] as const;
    const gateways = await Promise.all(
      caches.map((cache) => startGateway(cachingSnapshot(upstream.baseUrl, ...settings), systemClock, cache)),
    );
    const [one, two] = gateways.map((gateway) => asker(() => gateway.baseUrl));
    assert.ok(one !== undefined && two !== undefined);
    const outcome = async (ask: typeof one, text: string) => (await ask(question(text))).headers.get('x-plimsoll-cache');
    try {
      assert.equal(await outcome(one, 'a'), 'miss');
      await until(() => /kept_total\{feature="support"\} 1/.test(gateways[0]?.gateway.metrics() ?? ''), 'the answer is kept');
      assert.equal(await outcome(two, 'a'), 'hit');
      const [first] = gateways;
      assert.ok(first !== undefined);
      const purges = [{ sequence: 1, feature: 'support', tag: null }];
      first.snapshot = cachingSnapshot(upstream.baseUrl, {}, { ...settings[1], purges });
      assert.equal(await outcome(one, 'a'), 'miss');
      await redis.kill();
      const startMs = performance.now();
      for (let turn = 0; turn < 20; turn++) assert.equal(await outcome(two, `b${turn}`), 'miss');
      assert.ok(performance.now() - startMs < within(5_000));
      await redis.start();

      const endMs = performance.now() + 60_000;
      while ((await outcome(two, 'c')) !== 'hit' && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await outcome(two, 'c'), 'hit', 'it comes back by itself');
    } finally {
      for (const gateway of gateways) await gateway.close();
      for (const cache of caches) cache.close();
      await upstream.close();
      await redis.stop();
    }
  });

  it('a store that does not answer in time is a miss, and after some of those is not asked for a while', async () => {
    const clock = new FakeClock(1_760_000_000_000);
    let reads = 0;
    const silent = {
      driver: 'redis' as const,
      get: () => {
        reads++;
        return new Promise<null>(() => {});
      },
      put: () => Promise.resolve(true),
      purge: () => Promise.resolve(0),
      holdings: () => Promise.resolve(new Map()),
      evictions: 0,
      resize: () => {},
    };
    const upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
    const gateway = await startGateway(cachingSnapshot(upstream.baseUrl, {}, { driver: 'redis', lookupTimeoutMs: 25 }), clock, silent);
    const ask = asker(() => gateway.baseUrl);
    try {
      for (let turn = 0; turn < 5; turn++) {
        const answer = ask(question('a'));
        await until(() => reads === turn + 1, 'it was asked');
        assert.equal(upstream.requests.length, turn);
        await clock.advance(25);
        assert.equal((await answer).headers.get('x-plimsoll-cache'), 'miss');
      }
      assert.equal((await ask(question('a'))).headers.get('x-plimsoll-cache'), 'miss');
      assert.equal(reads, 5);
    } finally {
      await gateway.close();
      await upstream.close();
    }
  });
});

/** Its connection stands. */
async function ready(cache: { holdings(): Promise<unknown> }): Promise<void> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    try {
      await cache.holdings();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
