import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheFeature } from '../api/schema.ts';
import { cacheWord, formatBytes, purgeOf, purgeText, savedText, totalsOf } from './cache-text.ts';

const SHARE = { hits: 0, ratio: null, interval: null };
function feature(changes: Partial<CacheFeature> = {}): CacheFeature {
  return {
    feature: 'faq',
    mode: 'exact',
    entries: 3,
    bytes: 30,
    calls: 10,
    hits: 4,
    nearHits: 1,
    semanticHits: 0,
    misses: 5,
    bypasses: 2,
    hitRatio: 0.5,
    hitInterval: [0.2, 0.8],
    kinds: { exact: SHARE, near: SHARE, semantic: SHARE },
    savedPicoUsd: '9007199254740993',
    unpricedHits: 0,
    savedInputTokens: 7,
    savedOutputTokens: 2,
    embeddingModel: null,
    semantic: null,
    check: null,
    ...changes,
  };
}

describe('the cache in words', () => {
  it('says what is on', () => {
    assert.deepEqual(cacheWord({ mode: 'off', semantic: null }), { state: 'neutral', word: 'off' });
    assert.equal(cacheWord({ mode: 'near', semantic: null }).word, 'near');
  });

  it('adds money exactly, and does not take what no gateway has said for zero', () => {
    const totals = totalsOf({
      features: [
        feature(),
        feature({ savedPicoUsd: '1', entries: null, bytes: null }),
        feature({ mode: 'off', entries: null, calls: 0, hits: 0, nearHits: 0 }),
      ],
    });
    assert.deepEqual([totals.savedPicoUsd, totals.entries, totals.calls, totals.hits], ['18014398509481987', 3, 20, 10]);
    assert.equal(totalsOf({ features: [feature({ entries: null })] }).entries, null);
  });

  it('calls a saving without a price unpriced', () => {
    assert.deepEqual(savedText({ savedPicoUsd: '0', unpricedHits: 5 }, 5), { text: 'unpriced', isUnknown: true });
    assert.equal(savedText({ savedPicoUsd: '2000000000000', unpricedHits: 1 }, 5).text, '≥ $2.00');
    assert.equal(savedText({ savedPicoUsd: '0', unpricedHits: 0 }, 0).text, '$0');
  });

  it('shows bytes in a unit that fits', () => {
    assert.deepEqual([null, 0, 1023, 1024, 1536, 1_048_570, 67_108_864, 3_000_000_000_000_000].map(formatBytes), [
      '–',
      '0 B',
      '1023 B',
      '1 KB',
      '1.5 KB',
      '1 MB',
      '64 MB',
      '2728 TB',
    ]);
  });

  it('asks for exactly what is to be purged', () => {
    assert.deepEqual(purgeOf({ what: 'all', feature: 'faq', tag: 'a=b' }), { all: true });
    assert.deepEqual(purgeOf({ what: 'feature', feature: 'faq', tag: 'a=b' }), { feature: 'faq' });
    assert.deepEqual(purgeOf({ what: 'tag', feature: '', tag: ' a=b ' }), { tag: 'a=b' });
    assert.equal(purgeText({ what: 'tag', feature: 'faq', tag: 'a=b' }), 'kept answers with the tag a=b of faq');
  });
});
