import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { passAllOf, passAnyOf } from './pass-at-k.ts';

const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

it('counts the ways to draw', () => {
  close(passAllOf(3, 5, 2), 3 / 10);
  close(passAnyOf(3, 5, 2), 1 - 1 / 10);
  close(passAllOf(1, 5, 2), 0);
  close(passAnyOf(4, 5, 2), 1);
  // HumanEval's example: n = 200, c = 100, k = 1.
  close(passAnyOf(100, 200, 1), 0.5);
  assert.throws(() => passAllOf(3, 2, 1), { code: 'invalid_argument' });
  assert.throws(() => passAnyOf(1, 2, 3), { code: 'invalid_argument' });
});

it('is unbiased: the mean over all outcomes of n tries is p^k and 1 − (1 − p)^k', () => {
  const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, drawn, p) => {
        const k = Math.min(n, drawn);
        let [all, any] = [0, 0];
        for (let passes = 0; passes <= n; passes++) {
          const probability = choose(n, passes) * p ** passes * (1 - p) ** (n - passes);
          all += probability * passAllOf(passes, n, k);
          any += probability * passAnyOf(passes, n, k);
        }
        assert.ok(Math.abs(all - p ** k) < 1e-9 && Math.abs(any - (1 - (1 - p) ** k)) < 1e-9);
      },
    ),
  );
});
