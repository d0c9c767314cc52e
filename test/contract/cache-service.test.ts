import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheUse } from '../../src/costs/store.ts';
import { FeatureCacheConfig } from '../../src/features/cache-config.ts';
import { allowingCheck, createCacheService, whyNotAllowed } from '../../src/gateway/cache/service.ts';
import { FakeClock } from '../../src/kernel/clock.ts';
import { DEFAULT_SCOPE } from '../../src/kernel/scope.ts';
import { wilsonInterval } from '../../src/stats/intervals.ts';
import { type ControlStores, openControlStore } from '../../src/stores/sql/control-store.ts';
import { POSTGRES_SKIP, TEST_DRIVERS } from './control-store-drivers.ts';

const scope = DEFAULT_SCOPE;
const semantic = FeatureCacheConfig.parse({ mode: 'semantic' });
const FEATURES = new Map([
  ['faq', semantic],
  ['chat', FeatureCacheConfig.parse({ mode: 'exact' })],
  ['none', undefined],
  ['embedded', FeatureCacheConfig.parse({ mode: 'semantic', semantic: { embedder: { model: 'embed' } } })],
]);
const PAIRS = [
  { a: 'How do I pay the bill', b: 'How can I pay the bill', same: true },
  ...Array.from({ length: 200 }, (_, place) => ({ a: `Is it ${place} days`, b: `Is it ${place + 1} days`, same: false })),
];

for (const driver of TEST_DRIVERS) {
  describe(`what control knows of caches, on ${driver.kind}`, () => {
    async function open(use: CacheUse[] = []) {
      const database = await driver.create();
      const store = await openControlStore(database.location);
      const clock = new FakeClock(Date.UTC(2026, 5, 1));
      const of = (stores: ControlStores) =>
        createCacheService({
          store: stores.settings,
          clock,
          features: () => FEATURES,
          shared: () => ({ driver: 'memory', maxBytes: 1, maxEntryBytes: 1, lookupTimeoutMs: 1 }),
          live: (feature) => (feature === 'faq' ? { entries: 3, bytes: 30, questions: 2 } : null),
          use: async () => use,
          embedderId: (embedder) => (embedder === 'lexical' ? 'lexical-1' : `model:${embedder.model}-2026`),
          gateways: () => [{ worker: 'gateway-1', isAnswering: true, lastReportAt: 1 }],
        });
      return {
        cache: of(store),
        change: <T>(work: (cache: ReturnType<typeof of>) => Promise<T>) => store.transaction((tx) => work(of(tx))),
        async close() {
          await store.close();
          await database.remove();
        },
      };
    }

    it('numbers purges without a gap, also when several come at once, and folds the oldest into one that names everything', async () => {
      const { cache, change, close } = await open();
      await assert.rejects(
        change((tx) => tx.purge(scope, { feature: 'other', tag: null })),
        /There is no feature "other"/,
      );
      const numbers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => change((tx) => tx.purge(scope, { feature: 'faq', tag: `a=${at}` }))),
      );
      assert.deepEqual(
        [...numbers].sort((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
      assert.deepEqual(
        (await cache.purges(scope)).map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
      for (let at = 0; at < 95; at++) await change((tx) => tx.purge(scope, { feature: 'chat', tag: null }));
      const kept = await cache.purges(scope);
      assert.equal(kept.length, 100);
      assert.deepEqual(kept[0], { feature: null, tag: null, sequence: 6 });
      assert.deepEqual(kept[1], { feature: 'faq', tag: kept[1]?.tag ?? '', sequence: 7 });
      assert.equal(kept.at(-1)?.sequence, 105);
      await close();
    });

    it('remembers the last check of a feature, which allows what it measured and nothing looser', async () => {
      const { cache, change, close } = await open();
      assert.match(
        whyNotAllowed('faq', undefined, semantic, 'lexical-1'),
        /no check has shown that this is safe; run "plimsoll cache check faq --pairs/,
      );
      const report = await change((tx) => tx.check(scope, { feature: 'faq', pairs: PAIRS }));
      assert.equal(report.verdict, 'safe', report.reason);
      const stored = (await cache.checks(scope)).faq;
      assert.deepEqual(stored, report);
      assert.equal(allowingCheck(stored, semantic, 'lexical-1')?.id, report.id);
      const looser = { ...semantic, semantic: { ...semantic.semantic, threshold: (report.recommendedThreshold ?? 0) - 0.01 } };
      assert.equal(allowingCheck(stored, looser, 'lexical-1'), null);
      assert.match(whyNotAllowed('faq', stored, looser, 'lexical-1'), /threshold is .*; the check found .* and above to be safe/);
      const stricter = { ...semantic, semantic: { ...semantic.semantic, maxFalseHitRatio: 0.001 } };
      assert.equal(allowingCheck(stored, stricter, 'lexical-1'), null);
      assert.equal(allowingCheck(stored, semantic, 'model:embed-2026'), null);
      assert.match(
        whyNotAllowed('faq', stored, semantic, 'model:embed-2026'),
        /compares by model:embed-2026, and what was checked is lexical-1/,
      );
      const failed = await change((tx) => tx.check(scope, { feature: 'faq', pairs: PAIRS.slice(0, 5) }));
      assert.equal(allowingCheck(failed, semantic, 'lexical-1'), null);
      assert.match(whyNotAllowed('faq', failed, semantic, 'lexical-1'), /its last check says: too few pairs/);
      await close();
    });

    it('takes the similarity of a model from who asked the gateway for it, and does without it nowhere', async () => {
      const { change, close } = await open();
      await assert.rejects(
        change((tx) => tx.check(scope, { feature: 'embedded', pairs: PAIRS })),
        /compared by "embed": each pair needs its "similarity"/,
      );
      const pairs = PAIRS.map((pair) => ({ ...pair, similarity: pair.same ? 0.97 : 0.4 }));
      const report = await change((tx) => tx.check(scope, { feature: 'embedded', pairs }));
      assert.deepEqual([report.embedder, report.verdict], ['model:embed-2026', 'safe']);
      await close();
    });

    it('adds comparisons up once, whoever sends them and however often, and turns hits on and off', async () => {
      const { cache, change, close } = await open();
      const { id: checkId } = await change((tx) => tx.check(scope, { feature: 'faq', pairs: PAIRS }));
      const batch = (writer: string, sequence: number, samples: number, falseHits: number, bootId = 'boot') =>
        change((tx) => tx.addComparisons(scope, { writer, bootId, sequence, shadow: [{ feature: 'faq', checkId, samples, falseHits }] }));
      await Promise.all([batch('a', 1, 50, 0), batch('b', 1, 50, 0), batch('c', 1, 50, 0)]);
      assert.deepEqual(await batch('a', 1, 50, 0), [], 'sent twice');
      assert.equal((await cache.standings(scope)).faq?.samples, 150);
      const [turned] = await batch('a', 1, 50, 0, 'another boot');
      assert.equal(turned?.standing.state, 'live');
      const view = async () => (await cache.view(scope, {})).features.find((feature) => feature.feature === 'faq')?.semantic;
      assert.deepEqual([(await view())?.state, (await view())?.falseHitInterval], ['live', wilsonInterval(0, 200)]);
      const [off] = await batch('b', 2, 10, 10);
      assert.equal(off?.standing.state, 'off');
      assert.match((await view())?.reason ?? '', /10 of 210 compared hits were wrong/);
      assert.deepEqual(await batch('b', 3, 100, 0), []);
      assert.equal((await view())?.state, 'off');
      await change((tx) => tx.check(scope, { feature: 'faq', pairs: PAIRS }));
      assert.equal((await view())?.state, 'shadow', 'a new check begins anew');
      await batch('b', 4, 100, 100);
      assert.equal((await view())?.samples, 0, 'comparisons under the old check do not count');
      await close();
    });

    it('shows rates with their intervals, and nothing where nothing is known', async () => {
      const row = { feature: 'faq', savedPicoUsd: 0n, unpricedCalls: 0, savedInputTokens: 0, savedOutputTokens: 0 };
      const { cache, close } = await open([
        { ...row, outcome: 'hit', calls: 20, savedPicoUsd: 40n, savedInputTokens: 5, savedOutputTokens: 6 },
        { ...row, outcome: 'near-hit', calls: 5, savedPicoUsd: 2n, unpricedCalls: 3 },
        { ...row, outcome: 'miss', calls: 75 },
        { ...row, outcome: 'bypass', calls: 9 },
      ]);
      const [faq, chat, none] = (await cache.view(scope, { to: 1_000_000_000_000 })).features;
      assert.deepEqual(
        [faq?.calls, faq?.hits, faq?.nearHits, faq?.bypasses, faq?.hitRatio, faq?.hitInterval, faq?.savedPicoUsd, faq?.entries],
        [100, 20, 5, 9, 0.25, wilsonInterval(25, 100), '42', 3],
      );
      assert.deepEqual(faq?.kinds.near, { hits: 5, ratio: 0.05, interval: wilsonInterval(5, 100) });
      assert.deepEqual(chat?.kinds.exact, { hits: 0, ratio: null, interval: null });
      assert.deepEqual([faq?.unpricedHits, faq?.check], [3, null]);
      assert.equal(faq?.semantic?.state, 'unchecked');
      assert.deepEqual([chat?.hitRatio, chat?.hitInterval, chat?.entries, chat?.semantic], [null, null, null, null]);
      assert.equal(none?.mode, 'off');
      await close();
    });
  });
}
describe('what control knows of caches, on postgres', { skip: POSTGRES_SKIP }, () => {});
