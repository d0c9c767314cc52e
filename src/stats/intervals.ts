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
  return n === 0 ? [0, 1] : scoreInterval(successes / n, n);
}

function scoreInterval(p: number, n: number): [number, number] {
  const zz = Z_95 * Z_95;
  const centre = p + zz / (2 * n);
  const half = Z_95 * Math.sqrt((p * (1 - p)) / n + zz / (4 * n * n));
  const scale = 1 + zz / n;
  // Exactly 0 and 1 at the ends, where rounding would leave 1e-18.
  const low = p === 0 ? 0 : Math.max(0, (centre - half) / scale);
  const high = p === 1 ? 1 : Math.min(1, (centre + half) / scale);
  return [low, high];
}

/**
 * Interval for the mean of values on a scale with ends, such as one to five stars: Wilson's, on the mean's place between the ends. Conservative,
 * because no variable on [0, 1] varies more than one that is only 0 or 1 (its variance is at most p(1 − p)); and never of width zero, as one from
 * the sample's variance is when a few people all say the same.
 * @param mean mean of the values, least ≤ mean ≤ most
 * @param n    values (integer ≥ 0)
 * @returns [low, high] inside the scale, at about 95 % confidence, as Wilson’s (at the worst 92 % for a handful); the whole scale when `n` is 0
 * @throws PlimsollError `invalid_argument` when the mean is outside of the scale or `n` is no count
 * @see Bhatia and Davis 2000, American Mathematical Monthly 107:353 (the bound on the variance)
 */
export function boundedMeanInterval(mean: number, n: number, least: number, most: number): [number, number] {
  if (!Number.isSafeInteger(n) || n < 0 || !(least < most) || (n > 0 && !(mean >= least && mean <= most)))
    throw new PlimsollError('invalid_argument', `Not a mean on [${least}, ${most}]: ${mean} of ${n}`, {
      details: { mean, n, least, most },
    });
  if (n === 0) return [least, most];
  const [low, high] = scoreInterval((mean - least) / (most - least), n);
  return [least + low * (most - least), least + high * (most - least)];
}

/**
 * Normal interval for a mean, from sums. Good from about 30 values on, where the sum of most distributions is close to normal.
 * @returns [low, high] at 95 % confidence; null below 30 values: the sample says too little of its own spread
 */
export function meanInterval(sum: number, sumOfSquares: number, n: number): [number, number] | null {
  if (n < 30) return null;
  const mean = sum / n;
  // Rounding can leave a little less than nothing.
  const variance = Math.max(0, (sumOfSquares - n * mean * mean) / (n - 1));
  const half = Z_95 * Math.sqrt(variance / n);
  return [mean - half, mean + half];
}
