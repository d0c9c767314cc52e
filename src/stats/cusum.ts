export interface CusumStep {
  /** Evidence collected so far, in deviations; 0 = none. */
  readonly sum: number;
  /** Place in the series at which the sum last left 0: the likely start of the change; null while it is 0. */
  readonly since: number | null;
}

/**
 * One-sided cumulative sum for a rise of the mean. Small excesses that would never be remarkable alone add up.
 * @param scores    standardised residuals (mean 0, deviation 1 while nothing changes), in order of time
 * @param allowance what a residual may be too high before it counts, deviations (half the shift that matters)
 * @see Page 1954, Biometrika 41:100; Montgomery, Introduction to Statistical Quality Control, ch. 9
 */
export function risingCusum(scores: readonly number[], allowance: number): CusumStep[] {
  const steps: CusumStep[] = [];
  let sum = 0;
  let since: number | null = null;
  scores.forEach((score, place) => {
    sum = Math.max(0, sum + score - allowance);
    since = sum === 0 ? null : (since ?? place);
    steps.push({ sum, since });
  });
  return steps;
}
