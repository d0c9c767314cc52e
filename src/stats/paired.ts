import { PlimsollError } from '../kernel/errors.ts';
import { type ClusterSum, clusteredMean, sumByCluster } from './clusters.ts';
import { normalQuantile, studentCdf, studentQuantile } from './distributions.ts';

/** Above this many clusters that differ by amounts without a common unit, Student's distribution and that of all swaps cannot be told apart. */
const MAX_ENUMERATED = 14;
/** Mean scores of up to so many repeats of a 0/1 score have a common unit that is looked for. */
const MAX_REPEATS = 12;
const MAX_UNITS = 50_000;

/**
 * p value of "the mean difference is not below 0" against "it is": the share of all ways to swap the two sides of each cluster that give a sum at
 * most as large as the observed one. If nothing changed, either side of a pair could have been the other: then a value of at most α comes up with
 * at most α, whatever the distribution, for few cases, and for scores that are only 0 or 1 (where it is McNemar's exact test). For many clusters
 * with amounts that have no common unit, Student's t on clusters.
 * @param differences new minus old, one per case
 * @param clusters    name of each case's cluster
 * @returns in (0, 1]; 1 when no pair differs
 * @see Pitman 1937, Supplement to the JRSS 4:119; Winkler et al. 2014, NeuroImage 92:381 (swaps of whole clusters)
 */
export function swapP(differences: readonly number[], clusters: readonly string[]): number {
  const sums = sumByCluster(differences, clusters);
  const moved = sums.map(({ sum }) => sum).filter((sum) => Math.abs(sum) > 1e-12);
  if (moved.length === 0) return 1;
  const units = wholeUnits(moved);
  if (units !== null) return swapUnits(units);
  return moved.length <= MAX_ENUMERATED ? swapAll(moved) : studentP(sums);
}

/** The sums as integer multiples of 1/1, 1/2 … 1/12, if they are that. */
function wholeUnits(sums: readonly number[]): number[] | null {
  for (let repeats = 1; repeats <= MAX_REPEATS; repeats++) {
    const units = sums.map((sum) => Math.round(sum * repeats));
    if (units.some((unit, index) => Math.abs(unit - (sums[index] ?? 0) * repeats) > 1e-9)) continue;
    return units.reduce((total, unit) => total + Math.abs(unit), 0) > MAX_UNITS ? null : units;
  }
  return null;
}

/** The exact distribution of the sum, one cluster after the other. */
function swapUnits(units: readonly number[]): number {
  const observed = units.reduce((total, unit) => total + unit, 0);
  const most = units.reduce((total, unit) => total + Math.abs(unit), 0);
  let shares = new Float64Array(2 * most + 1);
  let reach = 0;
  shares[most] = 1;
  for (const unit of units) {
    const size = Math.abs(unit);
    const next = new Float64Array(2 * most + 1);
    for (let at = most - reach; at <= most + reach; at++) {
      const half = (shares[at] ?? 0) / 2;
      if (half === 0) continue;
      next[at - size] = (next[at - size] ?? 0) + half;
      next[at + size] = (next[at + size] ?? 0) + half;
    }
    shares = next;
    reach += size;
  }
  let p = 0;
  for (let at = 0; at <= most + observed; at++) p += shares[at] ?? 0;
  return Math.min(1, p);
}

function swapAll(moved: readonly number[]): number {
  const observed = moved.reduce((total, sum) => total + sum, 0);
  const tolerance = 1e-9 * moved.reduce((total, sum) => total + Math.abs(sum), 0);
  let sums = [0];
  for (const sum of moved) sums = [...sums.map((total) => total + sum), ...sums.map((total) => total - sum)];
  return sums.filter((sum) => sum <= observed + tolerance).length / sums.length;
}

function studentP(sums: readonly ClusterSum[]): number {
  const c = sums.length;
  const n = sums.reduce((total, { count }) => total + count, 0);
  const mean = sums.reduce((total, { sum }) => total + sum, 0) / n;
  const squares = sums.reduce((total, { sum, count }) => total + (sum - count * mean) ** 2, 0);
  const error = Math.sqrt((c / (c - 1)) * squares) / n;
  return error === 0 ? (mean < 0 ? 0 : 1) : studentCdf(mean / error, c - 1);
}

export interface PairedInterval {
  /** Mean of the differences as observed. */
  readonly mean: number;
  /** One-sided bounds: the true mean lies below `low`, and above `high`, each with at most `alpha`. */
  readonly low: number;
  readonly high: number;
  /** Of the mean, as observed. */
  readonly standardError: number;
  /** How many times the variance is what it would be if cases did not depend on others of their cluster; at least 1. */
  readonly designEffect: number;
  readonly clusters: number;
  readonly n: number;
}

/**
 * Bounds for the mean of paired differences of a score.
 *
 * A hundred pairs that all agree do not prove that the hundred-and-first will. So `a` unseen clusters for each direction are counted in, with the
 * largest difference that the scale allows and `a` such that, when nothing at all differs, the bound is the exact binomial one (−ln α / clusters,
 * the "rule of three"). For single 0/1 pairs that is Bonett & Price's interval with another constant.
 * @param range largest possible difference (1 for scores in [0, 1]); null = unbounded (a time, a cost): then nothing is counted in
 * @param alpha of each side, in (0, 0.5)
 * @returns null with fewer than two clusters
 * @see Bonett & Price 2012, Journal of Educational and Behavioral Statistics 37:479; Hanley & Lippman-Hand 1983, JAMA 249:1743
 */
export function pairedInterval(
  differences: readonly number[],
  clusters: readonly string[],
  { range, alpha }: { readonly range: number | null; readonly alpha: number },
): PairedInterval | null {
  const sums = sumByCluster(differences, clusters);
  const c = sums.length;
  if (c < 2) return null;
  const n = differences.length;
  const total = sums.reduce((sum, cluster) => sum + cluster.sum, 0);
  const unseen = range === null ? 0 : unseenClusters(alpha);
  const perCluster = n / c;
  const weight = n + 2 * unseen * perCluster;
  const centre = total / weight;
  const squares = sums.reduce((sum, cluster) => sum + (cluster.sum - cluster.count * centre) ** 2, 0);
  const unseenSquares = range === null ? 0 : 2 * unseen * (perCluster * range) ** 2;
  // The unseen part is a constant and needs no allowance for having been estimated: its bound stays exact.
  const t = unseenSquares > 0 && squares === 0 ? -normalQuantile(alpha) : studentQuantile(1 - alpha, c - 1);
  const half = (t * Math.sqrt((c / (c - 1)) * squares + unseenSquares)) / weight;
  const { standardError } = clusteredMean(differences, clusters);
  const independent = clusteredMean(
    differences,
    differences.map((_, index) => String(index)),
  ).standardError;
  const designEffect = standardError === null || !independent ? 1 : Math.max(1, (standardError / independent) ** 2);
  return { mean: total / n, low: centre - half, high: centre + half, standardError: standardError ?? 0, designEffect, clusters: c, n };
}

/** So many per direction that √(2a)·z = −ln α. */
function unseenClusters(alpha: number): number {
  return Math.log(alpha) ** 2 / (2 * normalQuantile(alpha) ** 2);
}

/** How alike the cases of a cluster break, unless more is seen: the higher of the usual correlations within documents and conversations. */
const EXPECTED_ICC = 0.3;

/**
 * The drop that a comparison like this one finds with the given power, however it comes about: a drop adds to the differences' variance, at the most
 * (when cases break entirely) as much as if each of them lost the whole range.
 * @param seen  what a comparison without a change showed, or is expected to
 * @param range largest possible difference; null = unbounded: the variance is taken as it is
 * @param alpha one-sided, of the test that finds it
 */
export function detectableDrop(
  seen: Pick<PairedInterval, 'standardError' | 'designEffect' | 'clusters' | 'n'>,
  { range, alpha = 0.05, power = 0.8 }: { readonly range: number | null; readonly alpha?: number; readonly power?: number },
): number {
  const { standardError, designEffect, clusters, n } = seen;
  if (clusters < 2) throw new PlimsollError('invalid_argument', `Nothing can be detected with ${clusters} cluster`);
  const t = studentQuantile(1 - alpha, clusters - 1) + studentQuantile(power, clusters - 1);
  const together = Math.max(designEffect, 1 + EXPECTED_ICC * (n / clusters - 1));
  const added = range === null ? 0 : (t * t * range * together) / n;
  // An exact test cannot use up its α between two possible sums: half a case more.
  const step = range === null ? 0 : (range * together) / (2 * n);
  // δ² = t²·(SE² + δ·range·together / n)
  return step + added / 2 + Math.sqrt((added / 2) ** 2 + (t * standardError) ** 2);
}

/**
 * Cases that show "no worse than the margin" at the bound of `pairedInterval` with the given power, if nothing changed.
 * @param deviation standard deviation of a case's difference; for single 0/1 pairs √(share of cases whose verdicts differ)
 * @param margin    > 0, in the units of the score
 * @param range     as for `pairedInterval`; null = nothing unseen is counted in, which is the textbook's number
 * @returns count of independent cases (clusters), rounded up
 * @see Connett, Smith & McHugh 1987, Statistics in Medicine 6:733 (for null)
 */
export function casesNeeded(
  deviation: number,
  margin: number,
  { range, alpha = 0.05, power = 0.8 }: { readonly range: number | null; readonly alpha?: number; readonly power?: number },
): number {
  if (!(margin > 0 && deviation >= 0)) throw new PlimsollError('invalid_argument', `No number of cases for a margin of ${margin}`);
  const [z, zPower] = [-normalQuantile(alpha), normalQuantile(power)];
  const unseen = range === null ? 0 : unseenClusters(alpha);
  const unseenSquares = 2 * unseen * (range ?? 0) ** 2;
  const isEnough = (n: number): boolean =>
    (z * Math.sqrt(n * deviation ** 2 + unseenSquares) + zPower * deviation * Math.sqrt(n)) / (n + 2 * unseen) <= margin * (1 + 1e-12);
  let most = 2;
  while (!isEnough(most)) most *= 2;
  let least = most / 2;
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (isEnough(middle)) most = middle;
    else least = middle;
  }
  return isEnough(1) ? 1 : most;
}

/**
 * Holm's correction: p values that may each be compared with α, while one false rejection among all of them happens with at most α.
 * @see Holm 1979, Scandinavian Journal of Statistics 6:65
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(values.length);
  let least = 0;
  order.forEach(({ p, index }, rank) => {
    least = Math.max(least, Math.min(1, p * (values.length - rank)));
    adjusted[index] = least;
  });
  return adjusted;
}
