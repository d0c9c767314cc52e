import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type AnswerCache, answerBytes, type CachedAnswer } from '../../src/gateway/cache/answer-cache.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import { NO_USAGE } from '../../src/models/usage.ts';

export const CACHE_MAX_BYTES = 20_000;

export interface AnswerCacheFixture {
  readonly cache: AnswerCache;
  close(): Promise<void>;
}

export function sampleAnswer(clock: FakeClock, changes: Partial<CachedAnswer> = {}): CachedAnswer {
  return {
    scope: '["default","production","support"]',
    feature: 'support',
    dialect: 'openai-chat',
    isStream: false,
    hasUsageChunk: false,
    isEventStream: true,
    body: Buffer.from('{"answer":"é\\u0000"}'),
    lastBytes: 0,
    cadence: [],
    hub: null,
    origin: {
      callId: 'c',
      traceId: 't',
      model: 'small',
      provider: 'p',
      requestModel: 'm',
      responseModel: null,
      responseId: 'r',
      finishReasons: ['stop'],
      usage: { ...NO_USAGE, outputTextTokens: 3 },
      costPicoUsd: '9007199254740993',
    },
    storedAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + 60_000,
    tags: ['product=a', 'plan=b'],
    purgeSequence: 3,
    ...changes,
  };
}

export function answerCacheContract(driver: string, open: (clock: FakeClock) => Promise<AnswerCacheFixture>): void {
  describe(`AnswerCache contract: ${driver}`, () => {
    const clock = new FakeClock(Date.UTC(2026, 4, 5));
    let fixture: AnswerCacheFixture;
    let cache: AnswerCache;
    before(async () => {
      fixture = await open(clock);
      cache = fixture.cache;
    });
    after(() => fixture?.close());
    beforeEach(() => cache.purge({ feature: null, tag: null }, 4));
    const answer = (changes: Partial<CachedAnswer> = {}): CachedAnswer => sampleAnswer(clock, changes);
    const has = async (key: string): Promise<boolean> => (await cache.get(key)) !== null;

    it('gives an answer back as it was put, every byte and every member', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      for (const put of [
        answer(),
        answer({ isStream: true, body: bytes, hub: Buffer.from('{}'), cadence: [3, 0, 256, 40], lastBytes: 14, tags: [] }),
      ]) {
        assert.equal(await cache.put('a1', put, []), true);
        const got = await cache.get('a1');
        assert.ok(got !== null);
        assert.deepEqual({ ...got, body: Buffer.from(got.body), hub: got.hub && Buffer.from(got.hub) }, put);
      }
      assert.equal(await cache.get('a2'), null);
      assert.equal(await cache.get(''), null);
    });

    it('forgets what has expired', async () => {
      await cache.put('b1', answer(), ['b1-alias']);
      await clock.advance(59_999);
      assert.ok(await has('b1'));
      await clock.advance(1);
      assert.ok(!(await has('b1')));
      assert.ok(!(await has('b1-alias')));
    });

    it('finds an answer by its aliases, until another takes them or it is gone', async () => {
      await cache.put('c1', answer({ body: Buffer.from('one') }), ['near']);
      assert.equal((await cache.get('near'))?.body.toString(), 'one');
      await cache.put('c2', answer({ body: Buffer.from('two') }), ['near']);
      assert.equal((await cache.get('near'))?.body.toString(), 'two');
      await cache.put('c1', answer({ body: Buffer.from('three') }), []);
      assert.equal((await cache.get('near'))?.body.toString(), 'two');
      await cache.put('c2', answer(), []);
      assert.equal(await cache.get('near'), null);
    });

    it('purges by feature, by tag, by both, and all', async () => {
      const fill = async (): Promise<void> => {
        await cache.put('d1', answer(), ['d1-alias']);
        await cache.put('d2', answer({ tags: ['product=b'] }), []);
        await cache.put('d3', answer({ feature: 'billing' }), []);
      };
      const left = async (): Promise<string[]> => {
        const found: string[] = [];
        for (const key of ['d1', 'd1-alias', 'd2', 'd3']) if (await has(key)) found.push(key);
        return found;
      };
      await fill();
      assert.equal(await cache.purge({ feature: 'support', tag: null }, 4), 2);
      assert.deepEqual(await left(), ['d3']);
      await fill();
      assert.equal(await cache.purge({ feature: null, tag: 'product=a' }, 4), 2);
      assert.deepEqual(await left(), ['d2']);
      await fill();
      assert.equal(await cache.purge({ feature: 'billing', tag: 'product=a' }, 4), 1);
      assert.deepEqual(await left(), ['d1', 'd1-alias', 'd2']);
      assert.equal(await cache.purge({ feature: 'other', tag: null }, 4), 0);
      await fill();
      assert.equal(await cache.purge({ feature: null, tag: null }, 4), 3);
      assert.deepEqual(await left(), []);
      await fill();
      assert.equal(await cache.purge({ feature: null, tag: null }, 3), 0, 'they were begun after it was known');
    });

    it('stays within its bytes: what was used longest ago makes room, too large ones are refused', async () => {
      const body = Buffer.alloc(3_000);
      const each = answerBytes(answer({ body }));
      const fits = Math.floor(CACHE_MAX_BYTES / each);
      const evicted = cache.evictions;
      for (let place = 0; place < fits; place++) await cache.put(`e${place}`, answer({ body }), []);
      assert.ok(await has('e0'));
      await cache.put('new', answer({ body }), []);
      assert.ok(await has('e0'), 'it was asked for again');
      assert.ok(!(await has('e1')), 'the first that was not');
      assert.ok(await has('new'));
      assert.equal(cache.evictions - evicted, 1);
      assert.deepEqual(await cache.holdings(), new Map([['support', { entries: fits, bytes: fits * each }]]));
      assert.equal(await cache.put('large', answer({ body: Buffer.alloc(CACHE_MAX_BYTES) }), []), false);
      assert.ok(!(await has('large')));
      for (let place = 0; place < 200; place++)
        await cache.put(`many${place}`, answer({ body: Buffer.alloc((place * 37) % 4_000) }), [`alias${place}`]);
      const { bytes = 0 } = (await cache.holdings()).get('support') ?? {};
      assert.ok(bytes > CACHE_MAX_BYTES / 2 && bytes <= CACHE_MAX_BYTES, `${bytes}`);
      cache.resize(CACHE_MAX_BYTES / 2);
      await cache.put('after', answer(), []);
      assert.ok(((await cache.holdings()).get('support')?.bytes ?? 0) <= CACHE_MAX_BYTES / 2);
      cache.resize(CACHE_MAX_BYTES);
    });

    it('counts by feature what it holds', async () => {
      await cache.put('f1', answer(), []);
      await cache.put('f1', answer({ body: Buffer.alloc(10) }), []);
      await cache.put('f2', answer({ feature: 'billing' }), []);
      const size = answerBytes(answer({ body: Buffer.alloc(10) }));
      const other = answerBytes(answer());
      const found = await cache.holdings();
      assert.deepEqual(found.get('support'), { entries: 1, bytes: size });
      assert.deepEqual(found.get('billing'), { entries: 1, bytes: other });
      assert.equal(found.size, 2);
    });
  });
}
