/** Mean of at least one value; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample covariance (n − 1) of two lists of one length; 0 with fewer than two values. With itself: the variance. */
export function covariance(a: readonly number[], b: readonly number[]): number {
  if (a.length < 2) return 0;
  const [meanA, meanB] = [mean(a), mean(b)];
  return a.reduce((sum, value, index) => sum + (value - meanA) * ((b[index] ?? 0) - meanB), 0) / (a.length - 1);
}

export function variance(values: readonly number[]): number {
  return covariance(values, values);
}
