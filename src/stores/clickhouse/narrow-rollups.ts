import { type Dialect, type Migration, onCluster } from './ddl.ts';
import { DAY_ROLLUP, FEATURE_ROLLUP, FEATURE_ROLLUP_COLUMNS, featureRollup, featureRollupSelect } from './rollups.ts';

const DAY_MS = DAY_ROLLUP.stepMs;

/** Name of each number of a session's day → how it comes from entry spans; the times tell where its entries are, requests or not. */
const SESSION_MEASURES = {
  requests: 'countIf(is_request = 1)',
  errors: "countIf(is_request = 1 AND status = 'error')",
  aborted: "countIf(is_request = 1 AND status = 'aborted')",
  input_tokens: 'sumIf(ifNull(spans.input_tokens, 0), is_request = 1)',
  output_tokens: 'sumIf(ifNull(spans.output_tokens, 0), is_request = 1)',
  cost_pico_usd: 'sumIf(toInt128(ifNull(spans.cost_pico_usd, 0)), is_request = 1)',
  unpriced_requests: 'countIf(is_request = 1 AND spans.cost_pico_usd IS NULL)',
  estimated_requests: "countIf(is_request = 1 AND spans.cost_pico_usd IS NOT NULL AND cost_status = 'estimated_tokens')",
  first_ns: 'min(started_at_ns)',
  last_ns: 'max(started_at_ns + duration_ns)',
} as const;

function sessionDaySelect(): string {
  const measures = Object.entries(SESSION_MEASURES)
    .map(([name, expression]) => `${expression} AS ${name}`)
    .join(', ');
  return `SELECT organisation_id, environment, intDiv(started_at_ns, ${DAY_MS * 1_000_000}) * ${DAY_MS} AS at_ms, session_id, user_id, feature, ${measures}
    FROM spans WHERE is_entry = 1 AND (session_id != '' OR user_id != '')
    GROUP BY organisation_id, environment, at_ms, session_id, user_id, feature`;
}

/** Emptied before they are filled: nothing is written while migrations run, and one that was cut off runs again. */
export function filled(dialect: Dialect, table: string, columns: string, select: string): string[] {
  return [`TRUNCATE TABLE ${table}${onCluster(dialect)}`, `INSERT INTO ${table} (${columns}) ${select}`];
}

export const narrowRollups: Migration = {
  version: 11,
  name: 'quarters of an hour by feature; sessions and users with all their entries',
  statements: (dialect) => [
    ...featureRollup(dialect),
    ...filled(dialect, FEATURE_ROLLUP.table, FEATURE_ROLLUP_COLUMNS, featureRollupSelect()),
    `ALTER TABLE spans${onCluster(dialect)} ADD INDEX IF NOT EXISTS by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1`,
    `ALTER TABLE spans${onCluster(dialect)} MATERIALIZE INDEX by_user`,
    `DROP VIEW IF EXISTS session_days_view${onCluster(dialect)} SYNC`,
    ...filled(
      dialect,
      'session_days',
      `organisation_id, environment, at_ms, session_id, user_id, feature, ${Object.keys(SESSION_MEASURES).join(', ')}`,
      sessionDaySelect(),
    ),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS session_days_view${onCluster(dialect)} TO session_days AS ${sessionDaySelect()}`,
  ],
};
