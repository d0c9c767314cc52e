import { PlimsollError } from '../../kernel/errors.ts';
import { mean, variance } from '../../stats/moments.ts';
import { casesNeeded, detectableDrop } from '../../stats/paired.ts';
import type { CaseScores, GateSpec } from './model.ts';

/** What a comparison with this baseline will be able to tell, before it is paid for. */
export interface GateForecast {
  readonly metric: string;
  readonly margin: number;
  readonly cases: number;
  readonly clusters: number;
  /** A drop of this size is found with 80 % probability; null with fewer than two clusters. */
  readonly detectableDrop: number | null;
  /** Independent cases that show the margin with 80 % probability if nothing changed. */
  readonly casesNeeded: number | null;
  /** How the deviation of a case's difference was come by. */
  readonly basis: string;
}

/** Correlation of two versions' scores of one case, where nothing was repeated: the middle of what is seen between models (.3 to .7). */
const EXPECTED_CORRELATION = 0.5;

/**
 * @param repeats of the run to come
 * @see Miller 2024, arXiv 2411.00640, §4 (question-level correlation)
 */
export function forecastGate(baseline: readonly CaseScores[], spec: GateSpec, repeats: number): GateForecast[] {
  return spec.metrics.map(({ name, margin, range }) => {
    const cases = baseline.flatMap(({ scores, cluster }) => {
      const values = (Object.hasOwn(scores, name) ? (scores[name] ?? []) : []).filter((value) => value !== null);
      return values.length === 0 ? [] : [{ values, cluster }];
    });
    const clusters = new Set(cases.map(({ cluster }) => cluster)).size;
    const head = { metric: name, margin, cases: cases.length, clusters };
    if (clusters < 2) return { ...head, detectableDrop: null, casesNeeded: null, basis: 'fewer than two independent cases were measured' };
    const repeated = cases.filter(({ values }) => values.length > 1);
    const within = mean(repeated.map(({ values }) => variance(values)));
    const before = mean(cases.map(({ values }) => values.length));
    const isRepeated = repeated.length >= cases.length / 2;
    const deviation = isRepeated
      ? Math.sqrt(within / before + within / repeats)
      : Math.sqrt(2 * variance(cases.map(({ values }) => mean(values))) * (1 - EXPECTED_CORRELATION));
    const seen = { standardError: deviation / Math.sqrt(cases.length), designEffect: 1, clusters, n: cases.length };
    return {
      ...head,
      detectableDrop: detectableDrop(seen, { range, alpha: spec.alpha }),
      casesNeeded: casesNeeded(deviation, margin, { range, alpha: spec.alpha }),
      basis: isRepeated ? 'from how much the baseline’s repeats differ' : 'assumed: scores of the two versions correlate with 0.5',
    };
  });
}

/** @throws PlimsollError `invalid_argument` when no metric of the spec was measured in the baseline */
export function assertMeasured(forecasts: readonly GateForecast[]): void {
  if (forecasts.some(({ cases }) => cases > 0)) return;
  throw new PlimsollError(
    'invalid_argument',
    `The baseline has no score of ${forecasts.map(({ metric }) => `"${metric}"`).join(', ')}; metrics are pass, score, latencyMs, costUsd and those that assertions name.`,
  );
}
