import { PlimsollError } from '../kernel/errors.ts';

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;

/**
 * Wilson score interval for a proportion, without continuity correction. Stays inside [0, 1] and is honest for few samples and for rates near 0.
 * @param successes observed successes (integer, 0 ≤ successes ≤ n)
 * @param n         observations (integer)
 * @returns [low, high] at 95 % confidence; [0, 1] when `n` is 0: nothing is known
 * @throws PlimsollError `invalid_argument` when the counts are not integers or out of range
 * @see Wilson 1927, JASA 22:209; Newcombe 1998, Statistics in Medicine 17:857 (method 3; the test vectors are his)
 */
export function wilsonInterval(successes: number, n: number): [number, number] {
  if (!Number.isSafeInteger(successes) || !Number.isSafeInteger(n) || successes < 0 || successes > n)
    throw new PlimsollError('invalid_argument', `Not a proportion: ${successes} of ${n}`, { details: { successes, n } });
  if (n === 0) return [0, 1];
  const zz = Z_95 * Z_95;
  const p = successes / n;
  const centre = p + zz / (2 * n);
  const half = Z_95 * Math.sqrt((p * (1 - p)) / n + zz / (4 * n * n));
  const scale = 1 + zz / n;
  // Exactly 0 and 1 at the ends, where rounding would leave 1e-18.
  const low = successes === 0 ? 0 : Math.max(0, (centre - half) / scale);
  const high = successes === n ? 1 : Math.min(1, (centre + half) / scale);
  return [low, high];
}
