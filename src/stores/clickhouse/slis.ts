import type { Scope } from '../../kernel/scope.ts';
import type { AnswerCounts, CallCounts, LatencyLines, QuantileCounts, RepeatCounts, SliPeriod } from '../../slo/store.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

const MAX_FEATURES = 500;
/** Reads every call of the period. */
const LANE = { lane: 'adhoc' } as const;
/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;

/** Levels of which quantiles are read: those asked for, and others around them for their intervals. */
const LEVELS = [
  0.2, 0.3, 0.35, 0.4, 0.43, 0.46, 0.48, 0.49, 0.5, 0.51, 0.52, 0.54, 0.57, 0.6, 0.65, 0.7, 0.8, 0.85, 0.88, 0.9, 0.92, 0.93, 0.94, 0.945,
  0.95, 0.955, 0.96, 0.965, 0.97, 0.975, 0.98, 0.985, 0.9875, 0.989, 0.99, 0.991, 0.9925, 0.995, 0.997, 0.999, 1,
] as const;
const SKETCH = `quantilesDDIf(0.01, ${LEVELS.join(', ')})`;

/** Model calls of clients, as metrics count them; none of the gateway's own. */
const CALLS = `${SCOPE_FILTER} AND is_entry = 1 AND is_request = 1 AND purpose = '' AND started_at_ns >= {from:Int64} * 1000000
  AND started_at_ns < {to:Int64} * 1000000`;
/** A step of an agent answers with a tool call, and goes on with the same question. */
const IS_STEP = "hasAny(finish_reasons, ['tool_calls', 'tool_use', 'tool_call', 'function_call'])";

function parametersOf(scope: Scope, { from, to, feature }: SliPeriod): Record<string, string | number> {
  return { ...scopeParameters(scope), from, to, ...(feature === undefined ? {} : { feature }) };
}

const only = ({ feature }: SliPeriod): string => (feature === undefined ? '' : ' AND feature = {feature:String}');

interface CallRecord {
  readonly feature: string;
  readonly calls: string;
  readonly errors: string;
  readonly aborted: string;
  readonly streams: string;
  readonly ttft_over: string;
  readonly ttft: readonly number[];
  readonly answered: string;
  readonly p50_over: string;
  readonly p99_over: string;
  readonly duration: readonly number[];
  readonly priced: string;
  readonly cost: number;
  readonly squares: number;
  readonly valid: string;
  readonly invalid: string;
}

/** Value at a level and the values at the levels that hold 95 % of what the true one may be (order statistics), rounded outwards to LEVELS. */
function quantile(values: readonly number[], level: number, count: number, over: number): QuantileCounts {
  const at = (wanted: number, isUpper: boolean): number | null => {
    const place = isUpper ? LEVELS.findIndex((each) => each >= wanted) : LEVELS.findLastIndex((each) => each <= wanted);
    return place < 0 ? null : (values[place] ?? null);
  };
  const value = count === 0 ? null : at(level, true);
  const half = count === 0 ? 1 : Z_95 * Math.sqrt((level * (1 - level)) / count);
  const low = level - half <= 0 ? null : at(level - half, false);
  const high = level + half >= 1 ? null : at(level + half, true);
  return { count, over, value, interval: low === null || high === null ? null : [low, high] };
}

export async function readCallCounts(
  connection: ClickHouseConnection,
  scope: Scope,
  period: SliPeriod,
  lines: readonly LatencyLines[],
  defaults: Omit<LatencyLines, 'feature'>,
): Promise<CallCounts[]> {
  const limit = (name: keyof typeof defaults): string =>
    lines.length === 0
      ? `{${name}Default:Float64}`
      : `transform(toString(feature), {features:Array(String)}, arrayMap(ms -> toFloat64(ms), {${name}:Array(String)}), {${name}Default:Float64})`;
  const parameters: QueryParameters = {
    ...parametersOf(scope, period),
    ttftP95MsDefault: defaults.ttftP95Ms,
    durationP50MsDefault: defaults.durationP50Ms,
    durationP99MsDefault: defaults.durationP99Ms,
    ...(lines.length === 0
      ? {}
      : {
          features: lines.map(({ feature }) => feature),
          ttftP95Ms: lines.map(({ ttftP95Ms }) => `${ttftP95Ms}`),
          durationP50Ms: lines.map(({ durationP50Ms }) => `${durationP50Ms}`),
          durationP99Ms: lines.map(({ durationP99Ms }) => `${durationP99Ms}`),
        }),
  };
  const stream = "status = 'ok' AND is_stream = 1 AND ttft_ms IS NOT NULL";
  const rows = await connection.read<CallRecord>(
    `SELECT feature, count() AS calls, countIf(status = 'error') AS errors, countIf(status = 'aborted') AS aborted,
       countIf(${stream}) AS streams, countIf(${stream} AND ttft_ms > ${limit('ttftP95Ms')}) AS ttft_over, ${SKETCH}(ifNull(ttft_ms, 0), ${stream}) AS ttft,
       countIf(status = 'ok') AS answered, countIf(status = 'ok' AND duration_ns / 1e6 > ${limit('durationP50Ms')}) AS p50_over,
       countIf(status = 'ok' AND duration_ns / 1e6 > ${limit('durationP99Ms')}) AS p99_over, ${SKETCH}(duration_ns / 1e6, status = 'ok') AS duration,
       count(cost_pico_usd) AS priced, ifNull(sum(cost_pico_usd / 1e12), 0) AS cost, ifNull(sum(pow(cost_pico_usd / 1e12, 2)), 0) AS squares,
       countIf(output_verdict = 'valid') AS valid, countIf(output_verdict = 'invalid') AS invalid
     FROM spans WHERE ${CALLS}${only(period)} GROUP BY feature ORDER BY calls DESC LIMIT ${MAX_FEATURES}`,
    parameters,
    LANE,
  );
  return rows.map((row) => ({
    feature: row.feature,
    calls: Number(row.calls),
    errors: Number(row.errors),
    aborted: Number(row.aborted),
    ttftP95: quantile(row.ttft, 0.95, Number(row.streams), Number(row.ttft_over)),
    durationP50: quantile(row.duration, 0.5, Number(row.answered), Number(row.p50_over)),
    durationP99: quantile(row.duration, 0.99, Number(row.answered), Number(row.p99_over)),
    pricedCalls: Number(row.priced),
    costUsd: row.cost,
    costUsdSquares: row.squares,
    validOutputs: Number(row.valid),
    invalidOutputs: Number(row.invalid),
  }));
}

const TEXTS = `FROM span_io WHERE ${SCOPE_FILTER} AND started_at_ms >= {from:Int64} AND started_at_ms < {to:Int64}`;

export async function readAnswerCounts(
  connection: ClickHouseConnection,
  scope: Scope,
  period: SliPeriod,
  every: number,
): Promise<AnswerCounts[]> {
  const sampled = 'cityHash64(trace_id) % {every:UInt32} = 0';
  const rows = await connection.read<{ feature: string; classified: string; refused: string; partial: string }>(
    `SELECT feature, count() AS classified, countIf(answer_class = 'refused') AS refused, countIf(answer_class = 'partial') AS partial
     FROM (SELECT trace_id, span_id, feature FROM spans WHERE ${CALLS}${only(period)} AND status = 'ok' AND NOT ${IS_STEP} AND ${sampled}) AS calls
     INNER JOIN (SELECT trace_id, span_id, answer_class ${TEXTS} AND answer_class != '' AND ${sampled}) AS texts USING (trace_id, span_id)
     GROUP BY feature ORDER BY feature LIMIT ${MAX_FEATURES}`,
    { ...parametersOf(scope, period), every },
    LANE,
  );
  return rows.map((row) => ({
    feature: row.feature,
    classified: Number(row.classified),
    refused: Number(row.refused),
    partial: Number(row.partial),
  }));
}

/** Shorter ones (“yes”, “thanks”) are said again without a reason to worry. */
const LEAST_CHARACTERS = 12;
/** Share of the 4-grams of both texts that only one of them has: small changes of wording and spelling stay below. */
const NEARLY_THE_SAME = 0.25;

export async function readRepeatCounts(
  connection: ClickHouseConnection,
  scope: Scope,
  period: SliPeriod,
  windowMs: number,
  every: number,
): Promise<RepeatCounts[]> {
  const rows = await connection.read<{ feature: string; asked: string; repeated: string }>(
    `SELECT feature, count() AS asked,
       countIf(before != '' AND status_before = 'ok' AND NOT step_before AND at - at_before <= {windowNs:Int64}
         AND lengthUTF8(question) >= ${LEAST_CHARACTERS} AND ngramDistanceCaseInsensitiveUTF8(before, question) <= ${NEARLY_THE_SAME}) AS repeated
     FROM (
       SELECT feature, question, step, at,
         lagInFrame(question, 1, '') OVER w AS before, lagInFrame(status, 1, '') OVER w AS status_before,
         lagInFrame(step, 1, 0) OVER w AS step_before, lagInFrame(at, 1, 0) OVER w AS at_before
       FROM (
         SELECT trace_id, span_id, feature, if(user_id != '', concat('u', user_id), concat('s', session_id)) AS who, started_at_ns AS at,
           toString(status) AS status, ${IS_STEP} AS step
         FROM spans WHERE ${CALLS}${only(period)} AND (user_id != '' OR session_id != '') AND cityHash64(who) % {every:UInt32} = 0
       ) AS calls
       INNER JOIN (SELECT trace_id, span_id, trim(input_preview) AS question ${TEXTS} AND input_preview != '') AS texts USING (trace_id, span_id)
       WINDOW w AS (PARTITION BY feature, who ORDER BY at, span_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
     )
     WHERE NOT step_before GROUP BY feature ORDER BY feature LIMIT ${MAX_FEATURES}`,
    { ...parametersOf(scope, period), every, windowNs: BigInt(windowMs) * 1_000_000n },
    LANE,
  );
  return rows.map((row) => ({ feature: row.feature, asked: Number(row.asked), repeated: Number(row.repeated) }));
}
