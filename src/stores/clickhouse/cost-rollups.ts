import { USAGE_ORDER } from './columns.ts';
import { type Dialect, engine, type Migration, onCluster, tableSettings } from './ddl.ts';
import { COUNT } from './rollups.ts';

export const HOUR_MS = 3_600_000;
const MONEY = 'SimpleAggregateFunction(sum, Int128)';
const PEOPLE = 'AggregateFunction(uniqExact, UInt64)';
const HOUR = `intDiv(started_at_ms, ${HOUR_MS}) * ${HOUR_MS}`;
const TENANT = 'organisation_id, environment, at_ms';
const CALL_DIMENSIONS = 'feature, team, key_id, route, operation, requested_model';

export const CALL_KEYS = `${TENANT}, ${CALL_DIMENSIONS}, model`;
export const ATTEMPT_KEYS = `${TENANT}, ${CALL_DIMENSIONS}, provider, model, response_model, price_id, input_step, is_failed, waste_kind`;

/** The model of a call is the one that answered, else the first that was asked. */
export const ANSWERING_MODEL = `arrayElement(attempt_facts.requestModel, greatest(indexOf(attempt_facts.status, 'ok'), 1))`;

const cost = (condition: string): string => `sumIf(toInt128(ifNull(cost_pico_usd, 0)), ${condition})`;
const HIT = "cache_outcome NOT IN ('', 'miss', 'bypass')";

/** Name of each number of calls → how it comes from rows of the ledger. */
export const CALL_MEASURES = {
  calls: 'count()',
  cached: "countIf(cost_status = 'cached_zero')",
  unpriced: 'countIf(cost_pico_usd IS NULL)',
  cost: cost('1'),
  user_cost: cost("user_id != ''"),
  session_cost: cost("session_id != ''"),
  customer_cost: cost("customer != ''"),
  users: "uniqExactStateIf(cityHash64(user_id), user_id != '')",
  sessions: "uniqExactStateIf(cityHash64(session_id), session_id != '')",
  hits: `countIf(${HIT})`,
  unpriced_hits: `countIf(${HIT} AND saved_pico_usd IS NULL)`,
  saved: `sumIf(toInt128(ifNull(saved_pico_usd, 0)), ${HIT})`,
} as const;

/**
 * Lengths of input at which prices of the book change, and round ones near them: rows are kept apart by how many of them the input is above, so that
 * the tier of a price is known from the row. On disk: never change it. A price with another limit is looked up in the ledger.
 */
export const INPUT_STEPS: readonly number[] = [
  32_000, 32_768, 64_000, 65_536, 100_000, 127_999, 128_000, 131_072, 199_999, 200_000, 255_999, 256_000, 262_144, 271_999, 272_000,
  500_000, 512_000, 524_288, 1_000_000,
];

export const ATTEMPT_INPUT = ['inputUncachedTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'audioInputTokens']
  .map((name) => `attempt.usage.${name}`)
  .join(' + ');

/** What a paid attempt was wasted on, empty = nothing: the first that is true. */
const WASTE_KINDS = `arrayMap(each -> multiIf(each.costPicoUsd IN ('', '0'), '', call_status = 'error', 'errors', call_status = 'aborted', 'aborted',
  each.status = 'error', 'retries', each.status = 'aborted', 'hedges', ''), attempt_facts)`;

/** @param weight a column: -1 takes an attempt away again; null = each counts once */
function attemptMeasures(weight: 'weight' | null): Readonly<Record<string, string>> {
  const times = weight === null ? '' : `${weight} * `;
  const is = weight ?? 1;
  return {
    tries: `toInt64(sum(${is}))`,
    wasted_calls: `toInt64(sumIf(${is}, waste_kind != '' AND occurrence = 1))`,
    ...Object.fromEntries(USAGE_ORDER.map((name) => [name, `toInt64(sum(${times}usage.${name}))`])),
    cost: `sum(${times}toInt128(ifNull(toInt64OrNull(cost_text), 0)))`,
  };
}

export const ATTEMPT_MEASURE_NAMES = Object.keys(attemptMeasures(null));

/** Rows summed up as the rollup of calls has them. @param source the ledger, or a part of it */
export function callSums(source: string): string {
  const measures = Object.entries(CALL_MEASURES).map(([name, expression]) => `${expression} AS ${name}`);
  return `SELECT organisation_id, environment, ${HOUR} AS at_ms, ${CALL_DIMENSIONS}, ${ANSWERING_MODEL} AS model, ${measures.join(', ')}
    FROM ${source} GROUP BY ${CALL_KEYS}`;
}

/** Attempts of priced calls, summed up as their rollup has them. @param source has the columns of the ledger, and `weight` where it is a column */
export function attemptSums(source: string, weight: 'weight' | null = null): string {
  const measures = Object.entries(attemptMeasures(weight)).map(([name, expression]) => `${expression} AS ${name}`);
  const input = ['inputUncachedTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'audioInputTokens'].map(
    (name) => `usage.${name}`,
  );
  return `SELECT ${TENANT}, ${CALL_DIMENSIONS}, provider, model, response_model, price_id, input_step, is_failed, ${measures.join(', ')}, waste_kind
    FROM (
      SELECT ${TENANT}, ${CALL_DIMENSIONS}, ${weight === null ? '' : 'weight, '}attempt.provider AS provider, attempt.requestModel AS model,
        attempt.responseModel AS response_model, attempt.priceId AS price_id, attempt.costPicoUsd AS cost_text, attempt.usage AS usage,
        toUInt8(arrayCount(above -> above < ${input.join(' + ')}, ${`[${INPUT_STEPS.join(', ')}]`})) AS input_step,
        toUInt8(attempt.status = 'error') AS is_failed, waste_kind, occurrence
      FROM (
        SELECT organisation_id, environment, ${HOUR} AS at_ms, ${CALL_DIMENSIONS}, ${weight === null ? '' : 'weight, '}toString(status) AS call_status, ${WASTE_KINDS} AS kinds,
          arrayJoin(arrayZip(attempt_facts, kinds, arrayEnumerateUniq(kinds))) AS part, part.1 AS attempt, part.2 AS waste_kind, part.3 AS occurrence
        FROM ${source}
      )
    ) GROUP BY ${ATTEMPT_KEYS}`;
}

const PRICED = 'cost_pico_usd IS NOT NULL';
const DIMENSION_COLUMNS = `organisation_id LowCardinality(String), environment LowCardinality(String), at_ms Int64 CODEC(Delta, ZSTD),
      feature LowCardinality(String), team LowCardinality(String), key_id LowCardinality(String), route LowCardinality(String),
      operation LowCardinality(String), requested_model LowCardinality(String)`;

function table(dialect: Dialect, name: string, columns: string, keys: string, select: string, inserted: string): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${name}${onCluster(dialect)} (
      ${DIMENSION_COLUMNS}, ${columns}
    ) ENGINE = ${engine(dialect, 'AggregatingMergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(at_ms, 'UTC'))
    ORDER BY (${keys})
    ${tableSettings(dialect)}`,
    // Nothing is written while migrations run; emptied first, since a migration that was cut off runs again.
    `DROP VIEW IF EXISTS ${name}_view${onCluster(dialect)} SYNC`,
    `TRUNCATE TABLE ${name}${onCluster(dialect)}`,
    `INSERT INTO ${name} (${inserted}) ${select}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name}_view${onCluster(dialect)} TO ${name} AS ${select}`,
  ];
}

/** What the views of Costs ask, by hour: they read these two instead of every call. */
export const costRollups: Migration = {
  version: 14,
  name: 'hours of costs, by call and by attempt',
  statements: (dialect) => [
    ...table(
      dialect,
      'cost_calls_1h',
      `model LowCardinality(String), calls ${COUNT}, cached ${COUNT}, unpriced ${COUNT}, cost ${MONEY}, user_cost ${MONEY}, session_cost ${MONEY},
      customer_cost ${MONEY}, users ${PEOPLE}, sessions ${PEOPLE}, hits ${COUNT}, unpriced_hits ${COUNT}, saved ${MONEY}`,
      CALL_KEYS,
      callSums('ledger'),
      `${CALL_KEYS}, ${Object.keys(CALL_MEASURES).join(', ')}`,
    ),
    ...table(
      dialect,
      'cost_attempts_1h',
      `provider LowCardinality(String), model LowCardinality(String), response_model LowCardinality(String), price_id LowCardinality(String),
      input_step UInt8, is_failed UInt8, waste_kind LowCardinality(String),
      ${ATTEMPT_MEASURE_NAMES.map((name) => `${name} ${name === 'cost' ? MONEY : 'SimpleAggregateFunction(sum, Int64)'}`).join(', ')}`,
      ATTEMPT_KEYS,
      attemptSums(`ledger WHERE ${PRICED}`),
      `${TENANT}, ${CALL_DIMENSIONS}, provider, model, response_model, price_id, input_step, is_failed, ${ATTEMPT_MEASURE_NAMES.join(', ')}, waste_kind`,
    ),
  ],
};
