import type { SloConfig } from '../features/slo-config.ts';
import { boundedMeanInterval, meanInterval, wilsonInterval } from '../stats/intervals.ts';
import { ANSWER_CLASSIFIER_QUALITY } from '../traces/answer-class.ts';
import { CSAT_SCALE, FEEDBACK_NAMES } from '../traces/scores/model.ts';
import type { ScoreTotals } from '../traces/scores/store.ts';
import type { LineDimension, LineId, LoadLine } from './model.ts';
import type { AnswerCounts, CallCounts, QuantileCounts, RepeatCounts } from './store.ts';
import { loadOf, quantileVerdict, verdictOf } from './verdict.ts';

/** Everything that was counted of one feature; null or empty = nothing. */
export interface FeatureEvidence {
  readonly calls: CallCounts | null;
  readonly answers: AnswerCounts | null;
  readonly repeats: RepeatCounts | null;
  readonly scores: readonly ScoreTotals[];
  readonly keepsTexts: boolean;
}

const NO_CALLS = 'no calls in this range';

interface Definition {
  readonly id: LineId;
  readonly dimension: LineDimension;
  readonly title: string;
  readonly unit: LoadLine['unit'];
  readonly sense: LoadLine['sense'];
  /** End of the scale where nothing of the line is used. */
  readonly best: number;
  readonly line: number | null;
}

type Measured = Pick<LoadLine, 'value' | 'interval' | 'count' | 'countOf'> & {
  readonly value: number;
  readonly verdict?: LoadLine['verdict'];
  readonly note?: string;
};

function measured({ best, ...definition }: Definition, { note, ...found }: Measured): LoadLine {
  const { line, sense } = definition;
  const verdict = line === null ? 'no_line' : (found.verdict ?? verdictOf(found.interval, line, sense));
  return {
    ...definition,
    ...found,
    verdict,
    load: line === null ? null : loadOf(found.value, line, best),
    reason: null,
    note: note ?? null,
  };
}

function unmeasured({ best: _, ...definition }: Definition, reason: string): LoadLine {
  return { ...definition, value: null, interval: null, count: 0, countOf: '', verdict: 'unmeasured', load: null, reason, note: null };
}

const latency = (id: LineId, title: string, line: number | null): Definition => ({
  id,
  dimension: 'latency',
  title,
  unit: 'ms',
  sense: 'at_most',
  best: 0,
  line,
});
const rate = (id: LineId, dimension: LineDimension, title: string, line: number | null): Definition => ({
  id,
  dimension,
  title,
  unit: 'share',
  sense: 'at_most',
  best: 0,
  line,
});

function quantileLine(definition: Definition, counts: QuantileCounts | undefined, quantile: number, countOf: string): LoadLine {
  if (counts === undefined || counts.value === null)
    return unmeasured(definition, counts === undefined ? NO_CALLS : `no ${countOf} in this range`);
  const { value, interval, count, over } = counts;
  return measured(definition, {
    value,
    interval: interval === null ? null : [...interval],
    count,
    countOf,
    verdict: quantileVerdict(over, count, quantile),
  });
}

function shareLine(definition: Definition, hits: number, count: number, countOf: string, reason: string, note?: string): LoadLine {
  if (count === 0) return unmeasured(definition, reason);
  return measured(definition, {
    value: hits / count,
    interval: wilsonInterval(hits, count),
    count,
    countOf,
    ...(note === undefined ? {} : { note }),
  });
}

/** Scores of a name that lie between 0 and 1, from whoever judged. */
function judgedLine(definition: Definition, scores: readonly ScoreTotals[], name: string): LoadLine {
  const own = scores.filter(
    ({ kind, name: of, dataType, least, most }) =>
      kind === 'score' && of === name && (dataType === 'boolean' || dataType === 'numeric') && (least ?? -1) >= 0 && (most ?? 2) <= 1,
  );
  const count = own.reduce((total, totals) => total + totals.count, 0);
  if (count === 0) return unmeasured(definition, `needs a judge: no scores named ${name} (true or false, or 0 to 1)`);
  const mean = Math.min(1, Math.max(0, own.reduce((total, { sum }) => total + sum, 0) / count));
  const judges = [...new Set(own.map(({ source }) => source))].sort().join(', ');
  return measured(definition, {
    value: mean,
    interval: boundedMeanInterval(mean, count, 0, 1),
    count,
    countOf: 'judgements',
    note: `Judged by: ${judges}.`,
  });
}

function satisfactionLine(definition: Definition, scores: readonly ScoreTotals[]): LoadLine {
  const stars = scores.filter(({ kind, name, dataType }) => kind === 'feedback' && name === FEEDBACK_NAMES.stars && dataType === 'numeric');
  const count = stars.reduce((total, totals) => total + totals.count, 0);
  if (count === 0) return unmeasured(definition, 'needs feedback: nobody gave stars');
  const mean = stars.reduce((total, { sum }) => total + sum, 0) / count;
  const interval = boundedMeanInterval(mean, count, CSAT_SCALE.least, CSAT_SCALE.most);
  return measured(definition, { value: mean, interval, count, countOf: 'answers with stars' });
}

function costLine(definition: Definition, calls: CallCounts | null): LoadLine {
  if (calls === null || calls.calls === 0) return unmeasured(definition, NO_CALLS);
  const { pricedCalls, costUsd, costUsdSquares } = calls;
  // The average of the few that have a price says nothing of the rest.
  if (pricedCalls * 2 <= calls.calls) return unmeasured(definition, 'needs a price: most of its calls have none');
  const unpriced = calls.calls - pricedCalls;
  return measured(definition, {
    value: costUsd / pricedCalls,
    interval: meanInterval(costUsd, costUsdSquares, pricedCalls),
    count: pricedCalls,
    countOf: 'priced calls',
    ...(unpriced > 0 ? { note: `${unpriced} calls without a price are not in it.` } : {}),
  });
}

function percentOf({ found, of }: { found: number; of: number }): string {
  return `${Math.round((found / of) * 100)} % (${found} of ${of})`;
}

const REFUSAL_NOTE = `All refusals, whether the request was legitimate or not: nobody labelled the requests, so this is an upper bound in that respect. By a local classifier that finds ${percentOf(ANSWER_CLASSIFIER_QUALITY.sensitivity)} of refusals and leaves ${percentOf(ANSWER_CLASSIFIER_QUALITY.specificity)} of other answers alone, on labelled answers in English, German, French and Spanish.`;

const textReason = (keepsTexts: boolean): string =>
  keepsTexts ? 'no answers with text in this range' : 'needs texts: payloads is "none" for this feature';

/** Every line of a feature, in the order in which pages show them. Pure. */
export function loadLines(slo: SloConfig, evidence: FeatureEvidence): LoadLine[] {
  const { calls, answers, repeats, scores, keepsTexts } = evidence;
  const finished = calls === null ? 0 : calls.calls - calls.aborted;
  const checked = calls === null ? 0 : calls.validOutputs + calls.invalidOutputs;
  const share = (id: LineId, title: string, line: number | null): Definition => ({
    ...rate(id, 'quality', title, line),
    sense: 'at_least',
    best: 1,
  });
  return [
    quantileLine(latency('ttft_p95', 'Time to first token, P95', slo.ttftP95Ms), calls?.ttftP95, 0.95, 'streams'),
    quantileLine(latency('duration_p50', 'Whole answer, median', slo.durationP50Ms), calls?.durationP50, 0.5, 'answered calls'),
    quantileLine(latency('duration_p99', 'Whole answer, P99', slo.durationP99Ms), calls?.durationP99, 0.99, 'answered calls'),
    shareLine(rate('error_rate', 'errors', 'Errors', slo.errorRate), calls?.errors ?? 0, finished, 'finished calls', NO_CALLS),
    costLine({ ...rate('cost_per_call', 'cost', 'Cost per call', slo.costPerCallUsd), unit: 'usd' }, calls),
    judgedLine(rate('hallucination', 'quality', 'Hallucination', slo.hallucinationRate), scores, 'hallucination'),
    shareLine(
      rate('refusal', 'quality', 'Refusals', slo.refusalRate),
      answers?.refused ?? 0,
      answers?.classified ?? 0,
      'classified answers',
      textReason(keepsTexts),
      REFUSAL_NOTE,
    ),
    shareLine(
      share('format_compliance', 'Format compliance', slo.formatCompliance),
      calls?.validOutputs ?? 0,
      checked,
      'checked answers',
      'needs a schema: the feature has no output contract, or no answer was checked',
    ),
    judgedLine(share('context_utilisation', 'Context utilisation', slo.contextUtilisation), scores, 'context_utilisation'),
    satisfactionLine({ ...share('satisfaction', 'Satisfaction', slo.satisfaction), unit: 'stars', best: CSAT_SCALE.most }, scores),
    shareLine(
      rate('retry', 'quality', 'Asked again', slo.retryRate),
      repeats?.repeated ?? 0,
      repeats?.asked ?? 0,
      'questions of named users',
      keepsTexts ? 'needs users or sessions: no call with a text names one' : textReason(false),
      'The same or nearly the same question within 30 minutes, though the one before was answered.',
    ),
    judgedLine(share('tone', 'Tone', null), scores, 'tone'),
    unmeasured(rate('policy_violation', 'safety', 'Policy violations', null), 'needs guardrails: there are none yet'),
  ];
}
