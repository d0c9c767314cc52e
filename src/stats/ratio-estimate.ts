import { boundedMeanInterval } from './intervals.ts';

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;
/** Below, a sample says too little of its own spread. */
export const LEAST_CLUSTERS = 8;

export interface Cluster {
  /** What is measured; 0 ≤ part ≤ whole. */
  readonly part: number;
  readonly whole: number;
}

/** Quantile of Student's t from that of the normal distribution (Cornish and Fisher's expansion): within 0.1 % from 7 degrees of freedom on. */
function studentQuantile(degrees: number): number {
  const z = Z_95;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}

/**
 * Share of a whole, from clusters drawn at random with all that is in them (stretches of time with their calls): the ratio estimator, with its
 * interval from how the clusters stray from it. What is alike within a cluster so does not count as evidence twice.
 * @returns null below eight clusters, or when they hold nothing; the interval is at 95 %, inside [0, 1], and never of width zero
 * @see Cochran, Sampling Techniques, 3rd ed., 6.3 and 9A.1
 */
export function ratioEstimate(clusters: readonly Cluster[]): { readonly ratio: number; readonly interval: [number, number] } | null {
  const count = clusters.length;
  const whole = clusters.reduce((sum, cluster) => sum + cluster.whole, 0);
  if (count < LEAST_CLUSTERS || whole <= 0) return null;
  const ratio = Math.min(1, Math.max(0, clusters.reduce((sum, { part }) => sum + part, 0) / whole));
  const squares = clusters.reduce((sum, cluster) => sum + (cluster.part - ratio * cluster.whole) ** 2, 0);
  if (squares === 0) return { ratio, interval: boundedMeanInterval(ratio, count, 0, 1) };
  const half = (studentQuantile(count - 1) * Math.sqrt((count / (count - 1)) * squares)) / whole;
  return { ratio, interval: [Math.max(0, ratio - half), Math.min(1, ratio + half)] };
}
