import { PlimsollError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import { wilsonInterval } from '../../stats/intervals.ts';
import type { MetricGroupBy, MetricRow, MetricSeries, MetricSummary } from '../../traces/model.ts';
import type { SeriesQuery } from '../../traces/store.ts';
import type { ClickHouseConnection, QueryParameters } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';
import { FEATURE_HOUR_ROLLUP, FEATURE_ROLLUP, MEASURES, ROLLUPS, type RollupLevel } from './rollups.ts';

export interface RangePart {
  readonly table: 'spans' | RollupLevel['table'];
  /** Epoch ms, [from, to). */
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts [from, to) into whole hours, whole minutes and the rest, so that the answer is exact and most of it is read from rollups.
 * @param levels the widest first
 * @param gridMs rollups wider than this are not used, nor those that do not divide it; Infinity when the range is one group
 */
export function planRange(from: number, to: number, gridMs: number, levels: readonly RollupLevel[] = ROLLUPS): RangePart[] {
  let open: { from: number; to: number }[] = [{ from, to }];
  const parts: RangePart[] = [];
  for (const { table, stepMs } of levels) {
    if (gridMs !== Number.POSITIVE_INFINITY && gridMs % stepMs !== 0) continue;
    const rest: { from: number; to: number }[] = [];
    for (const range of open) {
      const start = Math.ceil(range.from / stepMs) * stepMs;
      const end = Math.floor(range.to / stepMs) * stepMs;
      if (end <= start) {
        rest.push(range);
        continue;
      }
      parts.push({ table, from: start, to: end });
      if (range.from < start) rest.push({ from: range.from, to: start });
      if (end < range.to) rest.push({ from: end, to: range.to });
    }
    open = rest;
  }
  return [...parts, ...open.map((range) => ({ table: 'spans' as const, ...range }))].sort((a, b) => a.from - b.from);
}

const NAMES = Object.keys(MEASURES);
/** Without a status: latencies in them are those of successful calls. */
const BY_FEATURE: readonly RollupLevel[] = [FEATURE_HOUR_ROLLUP, FEATURE_ROLLUP];
const MINUTES: readonly RollupLevel[] = ROLLUPS.filter(({ stepMs }) => stepMs < FEATURE_ROLLUP.stepMs);
const SHORTEST_RANGE_OF_HOURS_MS = 6 * FEATURE_HOUR_ROLLUP.stepMs;

/**
 * For questions that know no dimension but the feature: hours or quarters of them, and minutes for what is left at the ends. Not all three: of
 * each table that is read some thousand sketches are unpacked, however few rows are wanted.
 */
function featureLevels(from: number, to: number, gridMs: number): readonly RollupLevel[] {
  const isOfHours = gridMs === Number.POSITIVE_INFINITY || gridMs % FEATURE_HOUR_ROLLUP.stepMs === 0;
  return [isOfHours && to - from >= SHORTEST_RANGE_OF_HOURS_MS ? FEATURE_HOUR_ROLLUP : FEATURE_ROLLUP, ...MINUTES];
}

/** Spans have everything; rollups have all dimensions but the user. */
const GROUP_COLUMN = { feature: 'feature', model: 'model', team: 'team', user: 'user_id' } as const satisfies Record<MetricGroupBy, string>;
const MAX_GROUPS = 500;
const MAX_POINTS = 5_000;
const DEFAULT_POINTS = 120;

/** Latencies are those of successful calls: fast refusals must not make a feature look fast. First tokens count whatever came after. */
const TOTALS = `sum(requests) AS requests, sum(errors) AS errors, sum(aborted) AS aborted, sum(input_tokens) AS input_tokens,
  sum(output_tokens) AS output_tokens, toString(sum(cost_pico_usd)) AS cost_pico_usd, sum(unpriced_requests) AS unpriced_requests,
  sum(estimated_requests) AS estimated_requests, sum(generated_tokens) AS generated_tokens, sum(generation_ns) AS generation_ns,
  quantilesDDMergeIf(0.01, 0.5, 0.95, 0.99)(duration_state, status = 'ok') AS duration_ms,
  quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(ttft_state) AS ttft_ms`;

interface TotalsRecord {
  readonly requests: string;
  readonly errors: string;
  readonly aborted: string;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly cost_pico_usd: string;
  readonly unpriced_requests: string;
  readonly estimated_requests: string;
  readonly generated_tokens: string;
  readonly generation_ns: string;
  readonly duration_ms: (number | null)[];
  readonly ttft_ms: (number | null)[];
}

/** One SELECT over all parts, with one read of each table. `key` is our own text: a column, or the step of a time. */
function source(
  parts: readonly RangePart[],
  key: (timeMs: string) => string,
  conditions: readonly string[],
): { sql: string; parameters: QueryParameters } {
  const parameters: Record<string, bigint> = {};
  const selects = [...Map.groupBy(parts, ({ table }) => table)].map(([table, ranges]) => {
    const isBase = table === 'spans';
    const unit = isBase ? 1_000_000n : 1n;
    const time = isBase ? 'started_at_ns' : 'at_ms';
    const within = ranges.map((range, place) => {
      const [from, to] = [`from_${table}_${place}`, `to_${table}_${place}`];
      parameters[from] = BigInt(range.from) * unit;
      parameters[to] = BigInt(range.to) * unit;
      return `${time} >= {${from}:Int64} AND ${time} < {${to}:Int64}`;
    });
    const where = [
      SCOPE_FILTER,
      ...(isBase ? ['is_entry = 1 AND is_request = 1'] : []),
      `(${within.map((range) => `(${range})`).join(' OR ')})`,
      ...conditions,
    ];
    const columns = isBase
      ? `toString(spans.status) AS status, ${Object.entries(MEASURES)
          .map(([name, expression]) => `${expression} AS ${name}`)
          .join(', ')}`
      : `${BY_FEATURE.some((level) => level.table === table) ? "'ok'" : `toString(${table}.status)`} AS status, ${NAMES.join(', ')}`;
    const group = isBase ? ' GROUP BY key, status' : '';
    const timeMs = isBase ? 'intDiv(started_at_ns, 1000000)' : 'at_ms';
    return `SELECT ${key(timeMs)} AS key, ${columns} FROM ${table} WHERE ${where.join(' AND ')}${group}`;
  });
  return { sql: selects.join('\nUNION ALL\n'), parameters };
}

/** Sketches are merged once a group before they are merged for the total. */
function byKey(sql: string): string {
  const sums = NAMES.map((name) =>
    name.endsWith('_state') ? `quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(${name}) AS ${name}` : `sum(${name}) AS ${name}`,
  );
  return `SELECT key, status, ${sums.join(', ')} FROM (${sql}) GROUP BY key, status`;
}

export async function readSummary(
  connection: ClickHouseConnection,
  scope: Scope,
  from: number,
  to: number,
  groupBy: MetricGroupBy,
): Promise<MetricSummary> {
  const parts =
    to <= from
      ? []
      : groupBy === 'user'
        ? [{ table: 'spans' as const, from, to }]
        : planRange(
            from,
            to,
            Number.POSITIVE_INFINITY,
            groupBy === 'feature' ? featureLevels(from, to, Number.POSITIVE_INFINITY) : ROLLUPS,
          );
  if (parts.length === 0) return { from, to, groupBy, total: toMetricRow(null), groups: [] };
  const { sql, parameters } = source(parts, () => `toString(${GROUP_COLUMN[groupBy]})`, []);
  const rows = await connection.read<TotalsRecord & { key: string; is_total: number }>(
    `SELECT key, toUInt8(grouping(key)) AS is_total, ${TOTALS} FROM (${byKey(sql)}) GROUP BY GROUPING SETS ((key), ())
     ORDER BY is_total DESC, requests DESC, key LIMIT ${MAX_GROUPS + 1}`,
    { ...scopeParameters(scope), ...parameters },
  );
  return {
    from,
    to,
    groupBy,
    total: toMetricRow(rows.find((row) => row.is_total === 1) ?? null),
    groups: rows.filter((row) => row.is_total === 0).map((row) => ({ key: row.key || null, ...toMetricRow(row) })),
  };
}

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const ROUND_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((days) => days * DAY),
];

function pointsOf(from: number, to: number, stepMs: number): number {
  return Math.ceil(to / stepMs) - Math.floor(from / stepMs);
}

/** The smallest round step that gives at most 120 points. */
export function chooseStepMs(from: number, to: number): number {
  return (
    ROUND_STEPS.find((stepMs) => pointsOf(from, to, stepMs) <= DEFAULT_POINTS) ?? Math.ceil((to - from) / DEFAULT_POINTS / DAY + 1) * DAY
  );
}

export async function readSeries(connection: ClickHouseConnection, scope: Scope, query: SeriesQuery): Promise<MetricSeries> {
  const { from, to } = query;
  if (!(to > from)) throw new PlimsollError('invalid_argument', `The range is empty: from ${from} to ${to}.`, { details: { param: 'to' } });
  const stepMs = query.stepMs ?? chooseStepMs(from, to);
  if (!Number.isSafeInteger(stepMs) || stepMs < 1 || pointsOf(from, to, stepMs) > MAX_POINTS)
    throw new PlimsollError('invalid_argument', `A step of ${stepMs} ms gives more than ${MAX_POINTS} points.`, {
      details: { param: 'stepMs' },
    });
  const conditions: string[] = [];
  const filters: Record<string, string> = {};
  for (const name of ['feature', 'model', 'team'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    conditions.push(`${name} = {${name}:String}`);
    filters[name] = value;
  }
  const levels = query.model === undefined && query.team === undefined ? featureLevels(from, to, stepMs) : ROLLUPS;
  const { sql, parameters } = source(
    planRange(from, to, stepMs, levels),
    (timeMs) => `intDiv(${timeMs}, {step:Int64}) * {step:Int64}`,
    conditions,
  );
  const rows = await connection.read<TotalsRecord & { key: string }>(`SELECT key, ${TOTALS} FROM (${sql}) GROUP BY key`, {
    ...scopeParameters(scope),
    ...parameters,
    ...filters,
    step: BigInt(stepMs),
  });
  const byStep = new Map(rows.map((row) => [Number(row.key), row]));
  const start = Math.floor(from / stepMs) * stepMs;
  const points = Array.from({ length: pointsOf(from, to, stepMs) }, (_, place) => {
    const at = start + place * stepMs;
    return { at, ...toMetricRow(byStep.get(at) ?? null) };
  });
  return { from, to, stepMs, points };
}

export function toQuantiles(values: readonly (number | null)[] | undefined): MetricRow['durationMs'] {
  const [p50, p95, p99] = values ?? [];
  return typeof p50 === 'number' && typeof p95 === 'number' && typeof p99 === 'number' ? { p50, p95, p99 } : null;
}

function toMetricRow(row: TotalsRecord | null): MetricRow {
  const requests = Number(row?.requests ?? 0);
  const errors = Number(row?.errors ?? 0);
  const aborted = Number(row?.aborted ?? 0);
  const finished = requests - aborted;
  const generationNs = Number(row?.generation_ns ?? 0);
  return {
    requests,
    errors,
    aborted,
    errorRate: finished > 0 ? errors / finished : null,
    errorRateInterval: finished > 0 ? wilsonInterval(errors, finished) : null,
    inputTokens: Number(row?.input_tokens ?? 0),
    outputTokens: Number(row?.output_tokens ?? 0),
    costPicoUsd: row?.cost_pico_usd ?? '0',
    unpricedRequests: Number(row?.unpriced_requests ?? 0),
    estimatedCostRequests: Number(row?.estimated_requests ?? 0),
    durationMs: toQuantiles(row?.duration_ms),
    ttftMs: toQuantiles(row?.ttft_ms),
    outputTokensPerSecond: generationNs > 0 ? Number(row?.generated_tokens ?? 0) / (generationNs / 1e9) : null,
  };
}
