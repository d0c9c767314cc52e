import { PlimsollError } from '../kernel/errors.ts';

/**
 * Empirical quantile, interpolated between neighbours (type 7 of Hyndman and Fan).
 * @param values   any order, at least one, finite
 * @param fraction in [0, 1]
 * @throws PlimsollError `invalid_argument` without values, or for a fraction outside [0, 1]
 * @see Hyndman & Fan 1996, The American Statistician 50:361
 */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0 || !(fraction >= 0 && fraction <= 1))
    throw new PlimsollError('invalid_argument', `No quantile ${fraction} of ${values.length} values`, {
      details: { fraction, count: values.length },
    });
  const sorted = values.toSorted((a, b) => a - b);
  const place = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

/** @throws PlimsollError `invalid_argument` without values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Makes the median absolute deviation a standard deviation where values are normal. */
const MAD_TO_SIGMA = 1.4826;

/** Standard deviation that up to half of the values cannot move far: 1.4826 · median |x − median|. */
export function robustDeviation(values: readonly number[]): number {
  const centre = median(values);
  return MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - centre)));
}
