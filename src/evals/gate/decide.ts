import { PlimsollError } from '../../kernel/errors.ts';
import { clusteredMean } from '../../stats/clusters.ts';
import { studentQuantile } from '../../stats/distributions.ts';
import { casesNeeded, detectableDrop, holm, pairedInterval, swapP } from '../../stats/paired.ts';
import type { CaseScores, Comparison, GateMetric, GateReport, GateSpec, Verdict } from './model.ts';

interface Pair {
  readonly cluster: string;
  readonly baseline: number;
  readonly candidate: number;
}

interface Group {
  readonly metric: GateMetric;
  readonly slice: Comparison['slice'];
  readonly pairs: readonly Pair[];
  readonly unmeasured: number;
}

/**
 * Whether a new version may replace the old one, from both versions' scores of the same cases.
 *
 * - `regressed`: some metric, overall or in a slice, is worse than before: the paired test, corrected for the number of comparisons, says so at
 *   `alpha`, and the drop is not shown to stay within the margin. A version that did not change gets this with at most `alpha`.
 * - `pass`: every metric is shown, overall, to have dropped by less than its margin, and every threshold holds at its bound. In slices nothing need be
 *   shown, since few have the cases for it; a drop that can be seen there blocks all the same.
 * - `not enough evidence`: neither. The report says what could be seen, and how many cases the margin needs.
 *
 * A metric that may not block is compared all the same, and decides nothing; when no metric may block, there is no evidence. Such metrics take no
 * part in the correction for many comparisons of those that may, so that watching more does not blind the gate.
 *
 * @throws PlimsollError `invalid_argument` when a run has a case twice, or a number that is none
 */
export function decideGate(baseline: readonly CaseScores[], candidate: readonly CaseScores[], spec: GateSpec): GateReport {
  const before = byId(baseline, 'baseline');
  const after = byId(candidate, 'candidate');
  const shared = [...before.values()].filter(({ caseId }) => after.has(caseId));
  const overall = spec.metrics.map((metric) => groupOf(metric, null, shared, after));
  const { groups: sliced, smallSlices } = sliceGroups(spec, shared, after);
  const groups = [...overall, ...sliced];
  const ps = groups.map(({ metric, pairs }) => (pairs.length === 0 ? null : swapP(drops(metric, pairs), clusters(pairs))));
  const adjusted = adjustedApart(groups, ps);
  const comparisons = groups.map((group, index) => compare(group, ps[index] ?? null, adjusted[index] ?? 1, spec));
  return {
    verdict: together(comparisons),
    comparisons,
    onlyInBaseline: [...before.keys()].filter((id) => !after.has(id)),
    onlyInCandidate: [...after.keys()].filter((id) => !before.has(id)),
    smallSlices,
  };
}

/** Holm's correction among the metrics that may block, and among those that may not. */
function adjustedApart(groups: readonly Group[], ps: readonly (number | null)[]): number[] {
  const adjusted = ps.map(() => 1);
  for (const mayBlock of [true, false]) {
    const family = groups.flatMap(({ metric }, index) => ((metric.mayBlock ?? true) === mayBlock ? [index] : []));
    holm(family.map((index) => ps[index] ?? 1)).forEach((p, place) => {
      adjusted[family[place] ?? 0] = p;
    });
  }
  return adjusted;
}

function byId(cases: readonly CaseScores[], run: string): Map<string, CaseScores> {
  const map = new Map<string, CaseScores>();
  for (const entry of cases) {
    if (map.has(entry.caseId))
      throw new PlimsollError('invalid_argument', `The ${run} has case ${entry.caseId} twice. Give its repeats as scores of one case.`);
    map.set(entry.caseId, entry);
  }
  return map;
}

function sliceGroups(
  spec: GateSpec,
  shared: readonly CaseScores[],
  after: ReadonlyMap<string, CaseScores>,
): { groups: Group[]; smallSlices: GateReport['smallSlices'] } {
  const groups: Group[] = [];
  const small: { name: string; value: string; cases: number }[] = [];
  for (const name of spec.slices) {
    const values = new Set(shared.flatMap(({ slices }) => (Object.hasOwn(slices, name) ? [slices[name] ?? ''] : [])));
    for (const value of [...values].sort()) {
      const cases = shared.filter(({ slices }) => Object.hasOwn(slices, name) && slices[name] === value);
      if (cases.length < spec.minimumSliceCases) small.push({ name, value, cases: cases.length });
      else for (const metric of spec.metrics) groups.push(groupOf(metric, { name, value }, cases, after));
    }
  }
  return { groups, smallSlices: small };
}

function groupOf(
  metric: GateMetric,
  slice: Comparison['slice'],
  cases: readonly CaseScores[],
  after: ReadonlyMap<string, CaseScores>,
): Group {
  const pairs: Pair[] = [];
  for (const entry of cases) {
    const baseline = caseMean(entry, metric.name);
    const candidate = caseMean(after.get(entry.caseId), metric.name);
    if (baseline !== null && candidate !== null) pairs.push({ cluster: entry.cluster, baseline, candidate });
  }
  return { metric, slice, pairs, unmeasured: cases.length - pairs.length };
}

/** Mean over the repeats that were measured. */
function caseMean(entry: CaseScores | undefined, metric: string): number | null {
  const scores = entry !== undefined && Object.hasOwn(entry.scores, metric) ? (entry.scores[metric] ?? []) : [];
  const measured = scores.filter((score) => score !== null);
  for (const score of measured) {
    if (!Number.isFinite(score))
      throw new PlimsollError('invalid_argument', `Case ${entry?.caseId} has ${score} for ${metric}; what is not measured is null.`);
  }
  return measured.length === 0 ? null : measured.reduce((sum, score) => sum + score, 0) / measured.length;
}

function clusters(pairs: readonly Pair[]): string[] {
  return pairs.map(({ cluster }) => cluster);
}

/** Differences, turned so that below 0 is worse. */
function drops({ direction }: GateMetric, pairs: readonly Pair[]): number[] {
  return pairs.map(({ baseline, candidate }) => (direction === 'higher' ? candidate - baseline : baseline - candidate));
}

function compare({ metric, slice, pairs, unmeasured }: Group, p: number | null, adjustedP: number, spec: GateSpec): Comparison {
  const differences = drops(metric, pairs);
  const interval = pairs.length === 0 ? null : pairedInterval(differences, clusters(pairs), { range: metric.range, alpha: spec.alpha });
  const sign = metric.direction === 'higher' ? 1 : -1;
  const average = (of: (pair: Pair) => number): number | null =>
    pairs.length === 0 ? null : pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const seen = {
    metric: metric.name,
    mayBlock: metric.mayBlock ?? true,
    slice,
    cases: pairs.length,
    clusters: new Set(clusters(pairs)).size,
    unmeasured,
    baseline: average(({ baseline }) => baseline),
    candidate: average(({ candidate }) => candidate),
    difference: interval === null ? null : interval.mean * sign,
    bounds: interval === null ? null : ([interval.low * sign, interval.high * sign] as const),
    p,
    adjustedP: p === null ? null : adjustedP,
    detectableDrop: interval === null ? null : detectableDrop(interval, { range: metric.range, alpha: spec.alpha }),
    casesNeeded:
      interval === null
        ? null
        : casesNeeded(interval.standardError * Math.sqrt(interval.n), metric.margin, { range: metric.range, alpha: spec.alpha }),
  };
  return { ...seen, ...judge(metric, slice, pairs, unmeasured, interval, adjustedP, spec) };
}

function judge(
  metric: GateMetric,
  slice: Comparison['slice'],
  pairs: readonly Pair[],
  unmeasured: number,
  interval: ReturnType<typeof pairedInterval>,
  adjustedP: number,
  spec: GateSpec,
): { verdict: Verdict; reason: string } {
  if (interval === null) {
    const why = pairs.length === 0 ? 'no case was measured in both runs' : 'all cases are of one cluster, which says nothing about another';
    return { verdict: 'not enough evidence', reason: `Nothing to compare: ${why}.` };
  }
  const isWithin = interval.low > -metric.margin;
  if (adjustedP <= spec.alpha && !isWithin) {
    return {
      verdict: 'regressed',
      reason: `Worse by ${shown(-interval.mean)}, and not by chance (p ${shown(adjustedP)}); a drop of more than ${metric.margin} is not ruled out.`,
    };
  }
  const threshold = thresholdFailure(metric, slice, pairs, spec.alpha);
  if (threshold !== null) return threshold;
  const share = unmeasured / (pairs.length + unmeasured);
  if (share > spec.maximumUnmeasured) {
    return {
      verdict: 'not enough evidence',
      reason: `${unmeasured} of ${pairs.length + unmeasured} cases have no score in one of the runs; more than ${spec.maximumUnmeasured * 100} % could hide anything.`,
    };
  }
  if (isWithin)
    return {
      verdict: 'pass',
      reason: `A drop of more than ${metric.margin} is ruled out (at the worst ${shown(Math.max(0, -interval.low))}).`,
    };
  return {
    verdict: 'not enough evidence',
    reason: `A drop of up to ${shown(-interval.low)} is not ruled out; the margin is ${metric.margin}.`,
  };
}

/** A demand on the new version alone, judged where its interval ends: what is not shown does not hold. */
function thresholdFailure(
  { threshold, direction, range }: GateMetric,
  slice: Comparison['slice'],
  pairs: readonly Pair[],
  alpha: number,
): { verdict: Verdict; reason: string } | null {
  if (threshold === null || slice !== null) return null;
  const {
    mean,
    standardError,
    clusters: count,
  } = clusteredMean(
    pairs.map(({ candidate }) => candidate),
    clusters(pairs),
  );
  if (standardError === null) return { verdict: 'not enough evidence', reason: `No interval for the threshold ${threshold}.` };
  // Scores that are all alike have no deviation, which does not mean that the next one is like them: the rule of three.
  const least = range === null ? 0 : (-Math.log(alpha) / count) * range;
  const half = Math.max(least, studentQuantile(1 - alpha, count - 1) * standardError);
  const [good, bad] = direction === 'higher' ? [mean + half, mean - half] : [mean - half, mean + half];
  const holds = (value: number): boolean => (direction === 'higher' ? value >= threshold : value <= threshold);
  if (holds(bad)) return null;
  const bound = `its bound is ${shown(bad)}`;
  return holds(good)
    ? { verdict: 'not enough evidence', reason: `The mean ${shown(mean)} is not shown to keep the threshold ${threshold}: ${bound}.` }
    : {
        verdict: 'regressed',
        reason: `The mean ${shown(mean)} does not keep the threshold ${threshold}: even the better bound is ${shown(good)}.`,
      };
}

function together(all: readonly Comparison[]): Verdict {
  const comparisons = all.filter(({ mayBlock }) => mayBlock);
  if (comparisons.some(({ verdict }) => verdict === 'regressed')) return 'regressed';
  const overall = comparisons.filter(({ slice }) => slice === null);
  return overall.length > 0 && overall.every(({ verdict }) => verdict === 'pass') ? 'pass' : 'not enough evidence';
}

function shown(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toFixed(3)));
}
