import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../kernel/errors.ts';
import { boundedMeanInterval, meanInterval, wilsonInterval } from './intervals.ts';

describe('wilsonInterval', () => {
  // Newcombe 1998, table I, method 3 (score without continuity correction), printed to four decimals.
  const published: readonly [number, number, number, number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ];
  for (const [successes, n, low, high] of published) {
    it(`gives the published limits for ${successes} of ${n}`, () => {
      const [l, h] = wilsonInterval(successes, n);
      assert.ok(Math.abs(l - low) < 5e-5, `low ${l}`);
      assert.ok(Math.abs(h - high) < 5e-5, `high ${h}`);
    });
  }

  it('knows nothing without observations and refuses impossible counts', () => {
    assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
    for (const [successes, n] of [
      [3, 2],
      [-1, 5],
      [1.5, 4],
      [0, Number.NaN],
    ] as const)
      assert.throws(
        () => wilsonInterval(successes, n),
        (error) => error instanceof PlimsollError && error.code === 'invalid_argument',
      );
  });

  it('holds the proportion, stays in [0, 1] and mirrors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, ratio) => {
        const successes = Math.round(n * ratio);
        const [low, high] = wilsonInterval(successes, n);
        const [mirroredLow, mirroredHigh] = wilsonInterval(n - successes, n);
        assert.ok(low >= 0 && high <= 1 && low <= successes / n && successes / n <= high);
        assert.ok(Math.abs(low - (1 - mirroredHigh)) < 1e-9 && Math.abs(high - (1 - mirroredLow)) < 1e-9);
      }),
      { numRuns: 200 },
    );
  });
});

describe('boundedMeanInterval', () => {
  it('is Wilson’s on the scale, and never without width', () => {
    assert.deepEqual(boundedMeanInterval(1, 40, 0, 1), wilsonInterval(40, 40));
    const [low, high] = boundedMeanInterval(5, 10, 1, 5);
    assert.equal(high, 5);
    assert.ok(Math.abs(low - (1 + 4 * wilsonInterval(10, 10)[0])) < 1e-12);
    assert.deepEqual(boundedMeanInterval(0, 0, 1, 5), [1, 5]);
    for (const [mean, n] of [
      [0.5, 10],
      [6, 10],
      [3, -1],
      [Number.NaN, 3],
    ] as const)
      assert.throws(() => boundedMeanInterval(mean, n, 1, 5), { code: 'invalid_argument' });
  });

  it('holds the true mean in at least 92 of 100 samples of stars, however they lie', () => {
    // A fixed generator: the same samples in every run (Park and Miller 1988).
    let state = 20260420;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (const weights of [
      [0, 0, 0, 1, 9],
      [5, 0, 0, 0, 5],
      [1, 1, 2, 3, 3],
    ]) {
      const whole = weights.reduce((sum, weight) => sum + weight, 0);
      const truth = weights.reduce((sum, weight, place) => sum + weight * (place + 1), 0) / whole;
      const draw = (): number => {
        let left = random() * whole;
        return (
          1 +
          weights.findIndex((weight) => {
            left -= weight;
            return left < 0;
          })
        );
      };
      for (const n of [5, 20, 100]) {
        let held = 0;
        for (let sample = 0; sample < 400; sample++) {
          let sum = 0;
          for (let place = 0; place < n; place++) sum += draw();
          const [low, high] = boundedMeanInterval(sum / n, n, 1, 5);
          if (low <= truth && truth <= high) held += 1;
        }
        assert.ok(held >= 368, `${held} of 400 for ${weights} and n = ${n}`);
      }
    }
  });
});

describe('meanInterval', () => {
  it('is the textbook’s, and says nothing of few', () => {
    const values = Array.from({ length: 100 }, (_, place) => place);
    const squares = values.reduce((sum, value) => sum + value * value, 0);
    const [low, high] = meanInterval(4950, squares, 100) ?? [0, 0];
    // Standard deviation of 0 … 99 is 29.0115; 1.959964 × 2.90115 = 5.68615.
    assert.ok(Math.abs(low - 43.81385) < 1e-4 && Math.abs(high - 55.18615) < 1e-4, `${low} ${high}`);
    assert.equal(meanInterval(10, 100, 29), null);
    assert.deepEqual(
      meanInterval(9.3 * 31, 9.3 * 9.3 * 31, 31)?.map((end) => Math.round(end * 1e6) / 1e6),
      [9.3, 9.3],
    );
  });
});
