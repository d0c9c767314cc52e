import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../kernel/errors.ts';
import { wilsonInterval } from './intervals.ts';

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
