import { type Dialect, engine, type Migration, onCluster, tableSettings } from './ddl.ts';
import { COUNT, DAY_ROLLUP, rollup } from './rollups.ts';

const DAY_MS = DAY_ROLLUP.stepMs;

/** Name of each number of a session's day → how it comes from request spans. */
const SESSION_MEASURES = {
  requests: 'count()',
  errors: "countIf(status = 'error')",
  aborted: "countIf(status = 'aborted')",
  input_tokens: 'sum(ifNull(spans.input_tokens, 0))',
  output_tokens: 'sum(ifNull(spans.output_tokens, 0))',
  cost_pico_usd: 'sum(toInt128(ifNull(spans.cost_pico_usd, 0)))',
  unpriced_requests: 'countIf(spans.cost_pico_usd IS NULL)',
  estimated_requests: "countIf(spans.cost_pico_usd IS NOT NULL AND cost_status = 'estimated_tokens')",
  first_ns: 'min(started_at_ns)',
  last_ns: 'max(started_at_ns + duration_ns)',
} as const;

function sessionDaySelect(): string {
  const measures = Object.entries(SESSION_MEASURES)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ');
  return `SELECT organisation_id, environment, intDiv(started_at_ns, ${DAY_MS * 1_000_000}) * ${DAY_MS} AS at_ms, session_id, user_id, feature, ${measures}
    FROM spans WHERE is_entry = 1 AND is_request = 1
    GROUP BY organisation_id, environment, at_ms, session_id, user_id, feature`;
}

function sessionDays(dialect: Dialect): string[] {
  return [
    // Never more rows than requests; what the pages Sessions and Users read.
    `CREATE TABLE IF NOT EXISTS session_days${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), at_ms Int64 CODEC(Delta, ZSTD),
      session_id String CODEC(ZSTD), user_id String CODEC(ZSTD), feature LowCardinality(String),
      requests ${COUNT}, errors ${COUNT}, aborted ${COUNT}, input_tokens ${COUNT}, output_tokens ${COUNT},
      cost_pico_usd SimpleAggregateFunction(sum, Int128), unpriced_requests ${COUNT}, estimated_requests ${COUNT},
      first_ns SimpleAggregateFunction(min, Int64), last_ns SimpleAggregateFunction(max, Int64)
    ) ENGINE = ${engine(dialect, 'AggregatingMergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, at_ms, session_id, user_id, feature)
    ${tableSettings(dialect)}`,
    `TRUNCATE TABLE session_days${onCluster(dialect)}`,
    `INSERT INTO session_days (organisation_id, environment, at_ms, session_id, user_id, feature, ${Object.keys(SESSION_MEASURES).join(', ')})
    ${sessionDaySelect()}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS session_days_view${onCluster(dialect)} TO session_days AS ${sessionDaySelect()}`,
  ];
}

export const dayRollups: Migration = {
  version: 10,
  name: 'days of features, of sessions and of users',
  statements: (dialect) => [
    ...rollup(dialect, DAY_ROLLUP, 'is_entry = 1 AND is_request = 1'),
    // Nothing is written while migrations run; emptied first, since a migration that was cut off runs again.
    `TRUNCATE TABLE ${DAY_ROLLUP.table}${onCluster(dialect)}`,
    `INSERT INTO ${DAY_ROLLUP.table} SELECT * REPLACE(intDiv(at_ms, ${DAY_MS}) * ${DAY_MS} AS at_ms) FROM rollup_1h`,
    ...sessionDays(dialect),
  ],
};
