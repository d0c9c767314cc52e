import { PlimsollError } from '../kernel/errors.ts';

export interface ClusteredMean {
  readonly mean: number;
  /** Of the mean; null with one cluster, from which nothing can be told about another. */
  readonly standardError: number | null;
  readonly clusters: number;
  readonly n: number;
}

/** What observations of one cluster (a document, a conversation, a user) add up to. */
export interface ClusterSum {
  readonly sum: number;
  readonly count: number;
}

/** @param clusters name of the cluster of each value; values of one name may depend on each other, those of different names may not */
export function sumByCluster(values: readonly number[], clusters: readonly string[]): ClusterSum[] {
  if (values.length !== clusters.length)
    throw new PlimsollError('invalid_argument', `${values.length} values, but ${clusters.length} clusters`);
  const sums = new Map<string, { sum: number; count: number }>();
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) throw new PlimsollError('invalid_argument', `Value ${index} is ${value}: not a measurement`);
    const name = clusters[index] ?? '';
    const entry = sums.get(name) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count += 1;
    sums.set(name, entry);
  });
  return [...sums.values()];
}

/**
 * Mean with a standard error that holds when values of one cluster depend on each other: √(C/(C−1) · Σ_c (Σ_{i∈c} (x_i − mean))²) / n.
 * With a cluster for each value it is the usual one.
 * @throws PlimsollError `invalid_argument` without values, or for one that is not finite
 * @see Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640; Cameron & Miller 2015, Journal of Human Resources 50:317
 */
export function clusteredMean(values: readonly number[], clusters: readonly string[]): ClusteredMean {
  if (values.length === 0) throw new PlimsollError('invalid_argument', 'No mean of no values');
  const sums = sumByCluster(values, clusters);
  const n = values.length;
  const mean = sums.reduce((total, { sum }) => total + sum, 0) / n;
  const squares = sums.reduce((total, { sum, count }) => total + (sum - count * mean) ** 2, 0);
  const c = sums.length;
  return { mean, n, clusters: c, standardError: c < 2 ? null : Math.sqrt((c / (c - 1)) * squares) / n };
}
