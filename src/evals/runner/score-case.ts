import { PlimsollError } from '../../kernel/errors.ts';
import { Template } from '../../prompts/templates/template.ts';
import type { TemplateObject } from '../../prompts/templates/values.ts';
import { failed, type Score } from '../score.ts';
import type { JsonValue, ScoringTools, Subject } from '../scorer.ts';
import type { SuiteAssertion, SuiteCase } from '../suite.ts';
import type { AssertionResult, RowState } from './result-row.ts';

/** Scores one assertion; what it throws is the caller's defect, not a score. @param options templates filled in */
export type ScoreAssertion = (
  type: string,
  options: Readonly<Record<string, JsonValue>>,
  subject: Subject,
  tools: ScoringTools,
) => Promise<Score>;

/**
 * Runs code of the suite in the sandbox.
 * @returns what the code gave: a text, or anything else as JSON
 * @throws PlimsollError `invalid_argument` with what the code threw
 */
export type TransformOutput = (code: string, output: string, context: JsonValue) => Promise<string>;

export interface CaseVerdict {
  readonly state: RowState;
  readonly score: number | null;
  readonly assertions: readonly AssertionResult[];
  readonly metrics: Readonly<Record<string, number | null>>;
}

const SCORE_ATTEMPTS = 3;
const REASON_CHARACTERS = 300;

interface Weighted {
  readonly weight: number;
  readonly metric: string | null;
  readonly score: Score;
}

/**
 * All assertions of a case, as promptfoo adds them up: a case passes when each does, or, with a threshold, when the weighted mean reaches it; weight 0
 * only measures. Unlike there, what could not be told is neither passed nor failed: it makes the case an error unless it has failed already.
 */
export async function scoreCase(
  { assertions, threshold, variables }: Pick<SuiteCase, 'assertions' | 'threshold' | 'variables'>,
  subject: Subject,
  toolsFor: (judge: string | null) => ScoringTools,
  score: ScoreAssertion,
  transform: TransformOutput,
): Promise<CaseVerdict> {
  const results: AssertionResult[] = [];
  const single = async (assertion: SuiteAssertion): Promise<Weighted> => {
    const given = await withFilled(assertion, variables, async (options) =>
      score(assertion.type, options, await scored(assertion, subject, transform), toolsFor(assertion.judge)),
    );
    results.push(resultOf(assertion, given));
    return { weight: assertion.weight, metric: assertion.metric, score: given };
  };
  const parts: Weighted[] = [];
  const named: Weighted[] = [];
  for (const entry of assertions) {
    if (entry.kind === 'assertion') {
      const part = await single(entry);
      parts.push(part);
      named.push(part);
      continue;
    }
    const inner: Weighted[] = [];
    for (const assertion of entry.assertions) inner.push(await single(assertion));
    const part = { weight: entry.weight, metric: entry.metric, score: scoreOf(together(inner, entry.threshold)) };
    parts.push(part);
    named.push(...inner, part);
  }
  const { state, mean } = together(parts, threshold);
  return { state, score: mean, assertions: results, metrics: metricsOf(named) };
}

async function scored({ transform: code }: SuiteAssertion, subject: Subject, transform: TransformOutput): Promise<Subject> {
  return code === null ? subject : { ...subject, output: await transform(code, subject.output, { vars: subject.variables }) };
}

async function withFilled(
  assertion: SuiteAssertion,
  variables: TemplateObject,
  score: (options: Readonly<Record<string, JsonValue>>) => Promise<Score>,
): Promise<Score> {
  let options: Readonly<Record<string, JsonValue>>;
  try {
    // Always an object: the value given is one.
    options = filled(assertion.options, variables, assertion.place) as Readonly<Record<string, JsonValue>>;
  } catch (error) {
    if (error instanceof PlimsollError) return failed(error.message);
    throw error;
  }
  for (let attempt = 1; ; attempt++) {
    let given: Score;
    try {
      given = await score(options);
    } catch (error) {
      if (error instanceof PlimsollError) return failed(error.message);
      throw error;
    }
    if (given.state !== 'failed' || !given.isRetryable || attempt >= SCORE_ATTEMPTS) return given;
  }
}

function filled(value: JsonValue, variables: TemplateObject, place: string): JsonValue {
  if (typeof value === 'string') return /\{\{|\{%/.test(value) ? new Template(place, value).render(variables).text : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => filled(item, variables, place));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, filled(entry, variables, place)]));
}

function together(parts: readonly Weighted[], threshold: number | null): { state: RowState; mean: number | null } {
  if (parts.length === 0) return { state: 'passed', mean: 1 };
  const counted = parts.filter(({ weight }) => weight > 0);
  const measured = parts.flatMap(({ score, weight }) =>
    score.state === 'measured' ? [{ value: score.value, passed: score.passed, weight }] : [],
  );
  const weight = measured.reduce((sum, part) => sum + part.weight, 0);
  const mean = weight === 0 ? null : measured.reduce((sum, part) => sum + part.value * part.weight, 0) / weight;
  const isUntold = counted.some(({ score }) => score.state === 'failed');
  const hasFailed = measured.some((part) => part.weight > 0 && part.passed === false);
  if (threshold === null && hasFailed) return { state: 'failed', mean };
  if (isUntold) return { state: 'error', mean };
  if (counted.length > 0 && counted.every(({ score }) => score.state === 'unmeasured')) return { state: 'unmeasured', mean: null };
  if (threshold !== null) return { state: (mean ?? 0) >= threshold ? 'passed' : 'failed', mean };
  return { state: 'passed', mean };
}

function scoreOf({ state, mean }: { state: RowState; mean: number | null }): Score {
  if (state === 'error') return { state: 'failed', reason: 'An assertion of the set could not be told.', isRetryable: false };
  if (state === 'unmeasured' || mean === null) return { state: 'unmeasured', reason: 'No assertion of the set was measured.' };
  return { state: 'measured', value: mean, passed: state === 'passed', reason: 'assert-set' };
}

/** Mean per name; a metric that could not be told once is not measured: half a mean hides what is missing. */
function metricsOf(parts: readonly Weighted[]): Record<string, number | null> {
  const names = new Set(parts.flatMap(({ metric }) => (metric === null ? [] : [metric])));
  return Object.fromEntries(
    [...names].map((name) => {
      const own = parts.filter(({ metric }) => metric === name);
      const values = own.flatMap(({ score }) => (score.state === 'measured' ? [score.value] : []));
      const isUntold = values.length === 0 || own.some(({ score }) => score.state === 'failed');
      return [name, isUntold ? null : values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}

function resultOf({ type, metric, weight }: SuiteAssertion, score: Score): AssertionResult {
  const head = { type, ...(metric === null ? {} : { metric }), ...(weight === 0 ? { isInformational: true as const } : {}) };
  const reason = score.reason.slice(0, REASON_CHARACTERS);
  if (score.state !== 'measured') return { ...head, passed: null, value: null, state: score.state, reason };
  return { ...head, passed: score.passed, value: score.value, ...(score.passed === true ? {} : { reason }) };
}
