/** One number that a metric is made of, under its own name: `precision`, `claims`. */
export interface ScorePart {
  readonly name: string;
  readonly value: number;
}

/**
 * What a scorer says of one output. Three states, never mixed:
 * - `measured`: a finite number. `passed` = whether it keeps the assertion's threshold; null for a metric that nothing was demanded of.
 * - `unmeasured`: there was nothing to tell (no claims in the answer, no context given): not good, not bad, not counted.
 * - `failed`: it could not be told (the judge did not answer, or not in a form that can be read): may be tried again, never counts as 0.
 */
export type Score =
  | {
      readonly state: 'measured';
      readonly value: number;
      readonly passed: boolean | null;
      readonly reason: string;
      readonly parts?: readonly ScorePart[];
    }
  | { readonly state: 'unmeasured'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string; readonly isRetryable: boolean };

/** @param value finite, as those of the parts; what is not measured is `unmeasured`, never a number */
export function measured(value: number, passed: boolean | null, reason: string, parts?: readonly ScorePart[]): Score {
  const wrong = [value, ...(parts ?? []).map((part) => part.value)].find((each) => !Number.isFinite(each));
  if (wrong !== undefined) return { state: 'failed', reason: `The scorer gave ${wrong}, which is no score: ${reason}`, isRetryable: false };
  return { state: 'measured', value, passed, reason, ...(parts === undefined ? {} : { parts }) };
}

/** An assertion that is met or not: 1 or 0. */
export function verdict(passed: boolean, reason: string): Score {
  return measured(passed ? 1 : 0, passed, reason);
}

export function unmeasured(reason: string): Score {
  return { state: 'unmeasured', reason };
}

export function failed(reason: string, isRetryable = false): Score {
  return { state: 'failed', reason, isRetryable };
}

/** The score of `not-<type>`: 1 − value, and passed when the plain assertion is not. What was not measured stays so. */
export function negated(score: Score): Score {
  if (score.state !== 'measured') return score;
  return { ...score, value: 1 - score.value, passed: score.passed === null ? null : !score.passed, reason: `Not: ${score.reason}` };
}
