import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ratioEstimate } from './ratio-estimate.ts';

/** A small generator with a seed (mulberry32), so that the test draws the same each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('ratio estimate from clusters', () => {
  it('holds the true share about as often as it says, when calls of a cluster are alike', () => {
    const random = randomOf(7);
    let held = 0;
    const rounds = 2_000;
    for (let round = 0; round < rounds; round++) {
      const clusters = Array.from({ length: 20 }, () => {
        const whole = 1 + Math.floor(random() * 50);
        // The share of a cluster is its own; on average 0.3.
        return { whole, part: whole * 0.6 * random() };
      });
      const [low, high] = ratioEstimate(clusters)?.interval ?? [1, 0];
      if (low <= 0.3 && 0.3 <= high) held++;
    }
    assert.ok(held / rounds > 0.92 && held / rounds < 0.98, `${held} of ${rounds}`);
  });

  it('says nothing of too few clusters, and never that it is certain', () => {
    const same = (count: number, part: number) => Array.from({ length: count }, () => ({ whole: 10, part }));
    assert.equal(ratioEstimate(same(7, 3)), null);
    assert.equal(ratioEstimate(Array.from({ length: 9 }, () => ({ whole: 0, part: 0 }))), null);
    for (const part of [0, 3, 10]) {
      const found = ratioEstimate(same(12, part));
      assert.equal(found?.ratio, part / 10);
      assert.ok((found?.interval[1] ?? 0) - (found?.interval[0] ?? 0) > 0.1);
    }
  });
});
