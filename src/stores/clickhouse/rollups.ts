import { type Dialect, engine, onCluster, tableSettings } from './ddl.ts';

export interface RollupLevel {
  readonly table: 'rollup_1d' | 'rollup_1h' | 'rollup_1h_feature' | 'rollup_15m_feature' | 'rollup_1m';
  readonly stepMs: number;
}

export const DAY_ROLLUP: RollupLevel = { table: 'rollup_1d', stepMs: 86_400_000 };

/** By feature alone: few rows, for the dashboards that are looked at most. */
export const FEATURE_ROLLUP: RollupLevel = { table: 'rollup_15m_feature', stepMs: 900_000 };

/** The same by the hour: weeks and months are read from it. Its rows are made of the quarters'. */
export const FEATURE_HOUR_ROLLUP: RollupLevel = { table: 'rollup_1h_feature', stepMs: 3_600_000 };

/** Those that the first migrations create. */
export const FIRST_ROLLUPS: readonly RollupLevel[] = [
  { table: 'rollup_1h', stepMs: 3_600_000 },
  { table: 'rollup_1m', stepMs: 60_000 },
];

/** The widest first. */
export const ROLLUPS: readonly RollupLevel[] = [DAY_ROLLUP, ...FIRST_ROLLUPS];

/** Name of each rolled-up number → how it comes from entry spans. The states are merged with `-Merge`, the rest summed. */
export const MEASURES = {
  requests: 'count()',
  errors: "countIf(status = 'error')",
  aborted: "countIf(status = 'aborted')",
  input_tokens: 'sum(ifNull(spans.input_tokens, 0))',
  output_tokens: 'sum(ifNull(spans.output_tokens, 0))',
  cost_pico_usd: 'sum(toInt128(ifNull(spans.cost_pico_usd, 0)))',
  unpriced_requests: 'countIf(spans.cost_pico_usd IS NULL)',
  estimated_requests: "countIf(spans.cost_pico_usd IS NOT NULL AND cost_status = 'estimated_tokens')",
  generated_tokens: "sumIf(ifNull(spans.output_tokens, 0), status = 'ok' AND spans.output_tokens IS NOT NULL)",
  generation_ns: "sumIf(spans.generation_ns, status = 'ok' AND spans.output_tokens IS NOT NULL)",
  duration_state: 'quantilesDDState(0.01, 0.5, 0.95, 0.99)(spans.duration_ns / 1e6)',
  ttft_state: 'quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(ifNull(ttft_ms, 0), ttft_ms IS NOT NULL)',
} as const;

/** Type of a column that counts. */
export const COUNT = 'SimpleAggregateFunction(sum, UInt64)';
const sketch = 'AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64)';

const MEASURE_COLUMNS = `requests ${COUNT}, errors ${COUNT}, aborted ${COUNT}, input_tokens ${COUNT}, output_tokens ${COUNT},
      cost_pico_usd SimpleAggregateFunction(sum, Int128),
      unpriced_requests ${COUNT}, estimated_requests ${COUNT}, generated_tokens ${COUNT},
      generation_ns SimpleAggregateFunction(sum, Int64),
      duration_state ${sketch}, ttft_state ${sketch}`;

export function rollupView(dialect: Dialect, { table, stepMs }: RollupLevel, condition: string): string {
  const measures = Object.entries(MEASURES)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ');
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${table}_view${onCluster(dialect)} TO ${table} AS
    SELECT organisation_id, environment, intDiv(started_at_ns, ${stepMs * 1_000_000}) * ${stepMs} AS at_ms,
      feature, team, model, provider, status, error_type, ${measures}
    FROM spans WHERE ${condition}
    GROUP BY organisation_id, environment, at_ms, feature, team, model, provider, status, error_type`;
}

export function rollup(dialect: Dialect, level: RollupLevel, condition: string): string[] {
  const { table } = level;
  return [
    `CREATE TABLE IF NOT EXISTS ${table}${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), at_ms Int64 CODEC(Delta, ZSTD),
      feature LowCardinality(String), team LowCardinality(String), model LowCardinality(String), provider LowCardinality(String),
      status LowCardinality(String), error_type LowCardinality(String),
      ${MEASURE_COLUMNS}
    ) ENGINE = ${engine(dialect, 'AggregatingMergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, at_ms, feature, team, model, provider, status, error_type)
    ${tableSettings(dialect)}`,
    rollupView(dialect, level, condition),
  ];
}

/** Latencies are those of successful calls: the status is no dimension here. */
const FEATURE_MEASURES = {
  ...MEASURES,
  duration_state: "quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(spans.duration_ns / 1e6, status = 'ok')",
} as const;

export const FEATURE_ROLLUP_COLUMNS = ['organisation_id', 'environment', 'at_ms', 'feature', ...Object.keys(FEATURE_MEASURES)].join(', ');

export function featureRollupSelect(): string {
  const { stepMs } = FEATURE_ROLLUP;
  const measures = Object.entries(FEATURE_MEASURES)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ');
  return `SELECT organisation_id, environment, intDiv(started_at_ns, ${stepMs * 1_000_000}) * ${stepMs} AS at_ms, feature, ${measures}
    FROM spans WHERE is_entry = 1 AND is_request = 1 GROUP BY organisation_id, environment, at_ms, feature`;
}

export function featureTable(dialect: Dialect, { table }: RollupLevel): string {
  return `CREATE TABLE IF NOT EXISTS ${table}${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), at_ms Int64 CODEC(Delta, ZSTD), feature LowCardinality(String),
      ${MEASURE_COLUMNS}
    ) ENGINE = ${engine(dialect, 'AggregatingMergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, at_ms, feature)
    ${tableSettings(dialect)}`;
}

/** The table, and the view that fills it from now on. */
export function featureRollup(dialect: Dialect): string[] {
  const { table } = FEATURE_ROLLUP;
  return [
    featureTable(dialect, FEATURE_ROLLUP),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${table}_view${onCluster(dialect)} TO ${table} AS ${featureRollupSelect()}`,
  ];
}

/** Hours from quarters of an hour. */
export function featureHourSelect(): string {
  const { table } = FEATURE_ROLLUP;
  const { stepMs } = FEATURE_HOUR_ROLLUP;
  const measures = Object.keys(MEASURES).map((name) =>
    name.endsWith('_state')
      ? `quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(${table}.${name}) AS ${name}`
      : `sum(${table}.${name}) AS ${name}`,
  );
  return `SELECT organisation_id, environment, intDiv(${table}.at_ms, ${stepMs}) * ${stepMs} AS at_ms, feature, ${measures.join(', ')}
    FROM ${table} GROUP BY organisation_id, environment, at_ms, feature`;
}
