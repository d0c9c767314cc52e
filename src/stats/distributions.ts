import { PlimsollError } from '../kernel/errors.ts';

/**
 * Density-weighted area below `z` of the standard normal distribution, to about 1e-15 (relative in the lower tail as well).
 * @see Cody 1969, Mathematics of Computation 23:631, through the incomplete gamma function of Abramowitz & Stegun 7.1.5 and 7.1.14
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) throw new PlimsollError('invalid_argument', 'No normal distribution at NaN');
  return z < 0 ? 0.5 * erfc(-z / Math.SQRT2) : 1 - 0.5 * erfc(z / Math.SQRT2);
}

/** 1 − erf(x) for x ≥ 0: a series near 0, a continued fraction beyond. */
function erfc(x: number): number {
  if (x > 40) return 0;
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let k = 120; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/**
 * The z below which the share `p` lies.
 * @param p in (0, 1)
 * @throws PlimsollError `invalid_argument` for another p
 * @see Wichura 1988, Applied Statistics 37:477, for the start; two steps of Halley's method make it exact
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new PlimsollError('invalid_argument', `No normal quantile of ${p}`, { details: { p } });
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let z = -(t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3));
  for (let step = 0; step < 3; step++) {
    const error = (normalCdf(z) - p) / (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
    z -= error / (1 + (z * error) / 2);
  }
  return z;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Natural logarithm of Γ(x), x > 0. @see Lanczos 1964, SIAM J. Numerical Analysis B 1:86 (g = 7, nine terms) */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new PlimsollError('invalid_argument', `No logarithm of the gamma function at ${x}`, { details: { x } });
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = LANCZOS[0] ?? 0;
  for (let index = 1; index < LANCZOS.length; index++) sum += (LANCZOS[index] ?? 0) / (x - 1 + index);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * Regularised incomplete beta function I_x(a, b): the share below x of a beta distribution.
 * @param x in [0, 1]
 * @throws PlimsollError `invalid_argument` outside of it, or for a, b ≤ 0
 * @see Lentz's continued fraction, Press et al., Numerical Recipes, 6.4
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1 && a > 0 && b > 0))
    throw new PlimsollError('invalid_argument', `No beta distribution (${a}, ${b}) at ${x}`, { details: { x, a, b } });
  if (x === 0 || x === 1) return x;
  // The fraction converges fast on the lower side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    for (const numerator of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 + numerator * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + numerator / c;
      if (Math.abs(c) < tiny) c = tiny;
      fraction *= d * c;
    }
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}

/**
 * Student's t distribution below `t`.
 * @param df degrees of freedom > 0; Infinity = normal
 */
export function studentCdf(t: number, df: number): number {
  if (df === Number.POSITIVE_INFINITY) return normalCdf(t);
  if (Number.isNaN(t)) throw new PlimsollError('invalid_argument', 'No t distribution at NaN');
  if (!Number.isFinite(t)) return t < 0 ? 0 : 1;
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t < 0 ? tail : 1 - tail;
}

/**
 * The t below which the share `p` lies, to about 1e-12.
 * @param p  in (0, 1)
 * @param df degrees of freedom > 0; Infinity = normal
 */
export function studentQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1 && df > 0)) throw new PlimsollError('invalid_argument', `No t quantile of ${p} with ${df} degrees of freedom`);
  if (df === Number.POSITIVE_INFINITY) return normalQuantile(p);
  if (p === 0.5) return 0;
  if (p > 0.5) return -studentQuantile(1 - p, df);
  let low = -1;
  while (studentCdf(low, df) > p) low *= 2;
  let high = 0;
  for (let step = 0; step < 200 && high - low > 1e-13 * Math.abs(low); step++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X ≤ k) for X binomial with n trials of probability p. @param k integer; below 0 gives 0, from n on 1 */
export function binomialCdf(k: number, n: number, p: number): number {
  if (!Number.isSafeInteger(k) || !Number.isSafeInteger(n) || n < 0 || !(p >= 0 && p <= 1))
    throw new PlimsollError('invalid_argument', `No binomial distribution (${n}, ${p}) at ${k}`, { details: { k, n, p } });
  if (k < 0) return 0;
  return k >= n ? 1 : incompleteBeta(1 - p, n - k, k + 1);
}
