import { costRollups } from './cost-rollups.ts';
import { dayRollups } from './day-rollups.ts';
import { type Dialect, engine, type Migration, onCluster, tableSettings } from './ddl.ts';
import { featureHours } from './feature-hours.ts';
import { narrowRollups } from './narrow-rollups.ts';
import { FIRST_ROLLUPS, rollup, rollupView } from './rollups.ts';
import { textTables } from './text-tables.ts';

const initial: Migration = {
  version: 1,
  name: 'spans, texts, ledger, rollups',
  statements: (dialect) => [
    // The key makes "entry spans, newest first" a read in order. Absent text = '', so that the key holds no NULL.
    `CREATE TABLE IF NOT EXISTS spans${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), is_entry UInt8,
      started_at_ns Int64 CODEC(Delta, ZSTD), trace_id String, span_id String, parent_span_id String, call_id String,
      duration_ns Int64 CODEC(T64, ZSTD), generation_ns Int64 CODEC(T64, ZSTD),
      name LowCardinality(String), kind LowCardinality(String), status LowCardinality(String), status_message String CODEC(ZSTD),
      error_type LowCardinality(String), http_status UInt16,
      feature LowCardinality(String), team LowCardinality(String), user_id String CODEC(ZSTD), session_id String CODEC(ZSTD),
      customer String CODEC(ZSTD), tags Map(LowCardinality(String), String) CODEC(ZSTD), key_id LowCardinality(String), route LowCardinality(String),
      provider LowCardinality(String), model LowCardinality(String), requested_model LowCardinality(String), request_model LowCardinality(String),
      response_model LowCardinality(String), response_id String CODEC(ZSTD), finish_reasons Array(LowCardinality(String)),
      models Array(LowCardinality(String)), providers Array(LowCardinality(String)), model_names Array(LowCardinality(String)),
      input_tokens Nullable(UInt64) CODEC(T64, ZSTD), output_tokens Nullable(UInt64) CODEC(T64, ZSTD),
      usage Array(UInt64) CODEC(ZSTD), usage_source LowCardinality(String),
      cost_pico_usd Nullable(Int64) CODEC(T64, ZSTD), cost_status LowCardinality(String), price_id LowCardinality(String),
      ttft_ms Nullable(Float64) CODEC(ZSTD), inter_token_mean_ms Nullable(Float64) CODEC(ZSTD), inter_token_max_ms Nullable(Float64) CODEC(ZSTD),
      attempts UInt16, fallback_from LowCardinality(String), is_stream UInt8, is_simulated UInt8, is_recovered UInt8,
      attributes String CODEC(ZSTD),
      started_at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(started_at_ns, 'UTC'),
      ingested_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD),
      INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 4
    ) ENGINE = ${engine(dialect, 'MergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(started_at_ns, 'UTC'))
    ORDER BY (organisation_id, environment, is_entry, started_at_ns, trace_id, span_id)
    ${tableSettings(dialect)}`,
    // Texts apart: one trace reads a few granules of 64 rows here instead of megabytes of neighbours.
    `CREATE TABLE IF NOT EXISTS span_io${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), trace_id String, span_id String,
      started_at_ms Int64 CODEC(ZSTD), input Nullable(String) CODEC(ZSTD), output Nullable(String) CODEC(ZSTD),
      input_preview String CODEC(ZSTD), output_preview String CODEC(ZSTD), is_truncated UInt8,
      INDEX by_time started_at_ms TYPE minmax GRANULARITY 1
    ) ENGINE = ${engine(dialect, 'MergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(started_at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, trace_id, span_id)
    ${tableSettings(dialect, ['index_granularity = 64'])}`,
    // Where a trace is: bounds for reads of \`spans\`, which is ordered by time, and how many entry spans it has.
    `CREATE TABLE IF NOT EXISTS trace_index${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), trace_id String,
      first_ns SimpleAggregateFunction(min, Int64), last_ns SimpleAggregateFunction(max, Int64),
      spans SimpleAggregateFunction(sum, UInt64), entries SimpleAggregateFunction(sum, UInt64)
    ) ENGINE = ${engine(dialect, 'AggregatingMergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(first_ns, 'UTC'))
    ORDER BY (organisation_id, environment, trace_id)
    ${tableSettings(dialect, ['index_granularity = 256'])}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS trace_index_view${onCluster(dialect)} TO trace_index AS
    SELECT organisation_id, environment, trace_id, min(started_at_ns) AS first_ns, max(started_at_ns) AS last_ns,
      count() AS spans, countIf(is_entry = 1) AS entries
    FROM spans GROUP BY organisation_id, environment, trace_id`,
    ...FIRST_ROLLUPS.flatMap((level) => rollup(dialect, level, 'is_entry = 1')),
    // Call ids are UUIDv7, so this order is also the order of time.
    `CREATE TABLE IF NOT EXISTS ledger${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), call_id String, trace_id String,
      started_at_ms Int64 CODEC(Delta, ZSTD), feature LowCardinality(String), team LowCardinality(String), user_id String CODEC(ZSTD),
      session_id String CODEC(ZSTD), customer String CODEC(ZSTD), tags Map(LowCardinality(String), String) CODEC(ZSTD), key_id LowCardinality(String),
      requested_model LowCardinality(String), route LowCardinality(String), status LowCardinality(String), error_type LowCardinality(String),
      input_tokens Nullable(UInt64) CODEC(T64, ZSTD), output_tokens Nullable(UInt64) CODEC(T64, ZSTD),
      cost_pico_usd Nullable(Int64) CODEC(T64, ZSTD), cost_status LowCardinality(String), attempts String CODEC(ZSTD),
      is_simulated UInt8, is_recovered UInt8,
      INDEX by_time started_at_ms TYPE minmax GRANULARITY 1
    ) ENGINE = ${engine(dialect, 'MergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(started_at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, call_id)
    ${tableSettings(dialect)}`,
  ],
};

const cacheColumns: Migration = {
  version: 2,
  name: 'what the cache did and saved, in the ledger',
  statements: (dialect) => [
    `ALTER TABLE ledger${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS cache_outcome LowCardinality(String) DEFAULT '',
      ADD COLUMN IF NOT EXISTS saved_pico_usd Nullable(Int64) CODEC(T64, ZSTD),
      ADD COLUMN IF NOT EXISTS saved_input_tokens Nullable(UInt64) CODEC(T64, ZSTD),
      ADD COLUMN IF NOT EXISTS saved_output_tokens Nullable(UInt64) CODEC(T64, ZSTD)`,
  ],
};

/** What questions about targets and routes ask for; computed from the attributes, also of spans that were written before. */
const routingColumns: Migration = {
  version: 3,
  name: 'target, role, purpose and routing decision of spans as columns',
  statements: (dialect) => [
    `ALTER TABLE spans${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS target LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.model'),
      ADD COLUMN IF NOT EXISTS attempt_role LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.attempt.role'),
      ADD COLUMN IF NOT EXISTS purpose LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.purpose'),
      ADD COLUMN IF NOT EXISTS routing_strategy LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.routing.strategy'),
      ADD COLUMN IF NOT EXISTS routing_tier LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.routing.tier'),
      ADD COLUMN IF NOT EXISTS saving_pico_usd Nullable(Int64)
        DEFAULT toInt64OrNull(JSONExtractString(attributes, 'plimsoll.routing.estimated_saving_pico_usd'))`,
  ],
};

/** Roots of clients' traces are entries, by which lists find them, and no requests: rollups must not count them. */
const requestColumn: Migration = {
  version: 4,
  name: 'which entry spans are requests',
  statements: (dialect) => [
    `ALTER TABLE spans${onCluster(dialect)} ADD COLUMN IF NOT EXISTS is_request UInt8 DEFAULT is_entry`,
    // Made anew: a view whose query was modified no longer knows the tokens of before once its server has been restarted.
    ...FIRST_ROLLUPS.flatMap((level) => [
      `DROP VIEW IF EXISTS ${level.table}_view${onCluster(dialect)} SYNC`,
      rollupView(dialect, level, 'is_entry = 1 AND is_request = 1'),
    ]),
  ],
};

/** What a repricing changed, call by call: the source of its updates and the record of what stood there before. */
const repricings: Migration = {
  version: 5,
  name: 'corrections of costs',
  statements: (dialect) => [
    `CREATE TABLE IF NOT EXISTS repricings${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), run_id String, batch UInt32, call_id String,
      started_at_ms Int64 CODEC(ZSTD), old_cost_pico_usd Nullable(Int64), old_cost_status LowCardinality(String),
      cost_pico_usd Nullable(Int64), cost_status LowCardinality(String), price_id LowCardinality(String), attempts String CODEC(ZSTD),
      old_attempts String CODEC(ZSTD), span_ids Array(String) CODEC(ZSTD), span_costs Array(String) CODEC(ZSTD),
      span_statuses Array(LowCardinality(String)), span_price_ids Array(LowCardinality(String)),
      staged_at DateTime('UTC') DEFAULT now()
    ) ENGINE = ${engine(dialect, 'MergeTree')}
    ORDER BY (organisation_id, environment, run_id, batch, call_id)
    ${tableSettings(dialect)}`,
  ],
};

/** Of several rows of one score the latest holds: read with FINAL. */
const scores: Migration = {
  version: 6,
  name: 'scores, feedback and outcomes',
  statements: (dialect) => [
    `CREATE TABLE IF NOT EXISTS scores${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), feature LowCardinality(String), name LowCardinality(String),
      score_id String, kind LowCardinality(String), at_ms Int64 CODEC(Delta, ZSTD), received_at_ms Int64 CODEC(Delta, ZSTD),
      key_id LowCardinality(String), trace_id String, span_id String, session_id String CODEC(ZSTD), external_id String CODEC(ZSTD),
      data_type LowCardinality(String), number Nullable(Float64) CODEC(ZSTD), text String CODEC(ZSTD), source LowCardinality(String),
      evaluator LowCardinality(String), evaluator_trace_id String, user_id String CODEC(ZSTD), comment String CODEC(ZSTD),
      value_pico_usd Nullable(Int64) CODEC(T64, ZSTD), metadata String CODEC(ZSTD), is_withdrawn UInt8,
      INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_external external_id TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX by_time at_ms TYPE minmax GRANULARITY 1
    ) ENGINE = ${engine(dialect, 'ReplacingMergeTree', 'at_ms')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, feature, name, score_id)
    ${tableSettings(dialect)}`,
  ],
};

/** What indicators ask for: whether an answer declined, and how it stood against its output contract. */
const indicatorColumns: Migration = {
  version: 7,
  name: 'class of answers, verdict of output contracts',
  statements: (dialect) => [
    `ALTER TABLE span_io${onCluster(dialect)} ADD COLUMN IF NOT EXISTS answer_class LowCardinality(String) DEFAULT ''`,
    `ALTER TABLE spans${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS output_verdict LowCardinality(String) DEFAULT JSONExtractString(attributes, 'plimsoll.output.verdict')`,
  ],
};

const operationColumn: Migration = {
  version: 8,
  name: 'what a call asked for, in the ledger',
  statements: (dialect) => [`ALTER TABLE ledger${onCluster(dialect)} ADD COLUMN IF NOT EXISTS operation LowCardinality(String) DEFAULT ''`],
};

export const ATTEMPT_FACTS = `Array(Tuple(provider String, model String, requestModel String, responseModel String, status String, priceId String,
  costPicoUsd String, costStatus String, usageSource String, usage Tuple(inputUncachedTokens UInt64, cacheReadTokens UInt64, cacheWrite5mTokens UInt64,
  cacheWrite1hTokens UInt64, audioInputTokens UInt64, outputTextTokens UInt64, reasoningTokens UInt64, audioOutputTokens UInt64)))`;

/** What costs ask of attempts, beside their JSON: parsed once, at the insert. Of rows from before it is computed when it is read; an update of `attempts` computes it anew. */
const attemptFacts: Migration = {
  version: 12,
  name: 'facts of attempts as columns of the ledger',
  statements: (dialect) => [
    `ALTER TABLE ledger${onCluster(dialect)} ADD COLUMN IF NOT EXISTS attempt_facts ${ATTEMPT_FACTS}
      MATERIALIZED JSONExtract(attempts, '${ATTEMPT_FACTS.replaceAll(/\s+/g, ' ')}')`,
  ],
};

/** Texts know whose they are, and what became of them: features keep theirs for as long as each wants. */
const retentionColumns: Migration = {
  version: 15,
  name: 'feature of texts, and what retention deleted',
  statements: (dialect) => [
    `ALTER TABLE span_io${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS feature LowCardinality(String) DEFAULT '',
      ADD COLUMN IF NOT EXISTS deleted_by LowCardinality(String) DEFAULT '',
      ADD COLUMN IF NOT EXISTS deleted_after_days UInt32 DEFAULT 0`,
    `ALTER TABLE span_words${onCluster(dialect)} ADD COLUMN IF NOT EXISTS feature LowCardinality(String) DEFAULT ''`,
    `ALTER TABLE text_parts${onCluster(dialect)} ADD COLUMN IF NOT EXISTS feature LowCardinality(String) DEFAULT ''`,
  ],
};

/** Of lists: a run of which only the beginning was told is no aborted one. */
const unfinishedColumn: Migration = {
  version: 16,
  name: 'which spans have no end yet',
  statements: (dialect) => [
    `ALTER TABLE spans${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS is_unfinished UInt8 DEFAULT JSONExtractBool(attributes, 'plimsoll.unfinished')`,
  ],
};

/** Append only: a published migration never changes. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  cacheColumns,
  routingColumns,
  requestColumn,
  repricings,
  scores,
  indicatorColumns,
  operationColumn,
  textTables,
  dayRollups,
  narrowRollups,
  attemptFacts,
  featureHours,
  costRollups,
  retentionColumns,
  unfinishedColumn,
];

export function migrationTable(dialect: Dialect): string {
  return `CREATE TABLE IF NOT EXISTS schema_migrations${onCluster(dialect)} (
    version UInt32, name String, applied_at DateTime('UTC') DEFAULT now()
  ) ENGINE = ${engine(dialect, 'MergeTree')} ORDER BY version`;
}
