import { engine, type Migration, onCluster, tableSettings } from './ddl.ts';

/**
 * How words are told apart, for what is stored and for what is asked alike: by everything that is neither letter nor digit, without case; scripts
 * that are written without spaces by character.
 */
export function indexedWords(text: string): string {
  return String.raw`replaceRegexpAll(lowerUTF8(${text}), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Thai}]', ' \\0 ')`;
}

export const textTables: Migration = {
  version: 9,
  name: 'texts by content, and their words',
  statements: (dialect) => [
    // A message is sent again with each turn of its conversation: here once a conversation and month. The newest time decides how long it stays.
    `CREATE TABLE IF NOT EXISTS text_parts${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), text_group UInt64, text_hash String CODEC(ZSTD),
      started_at_ms Int64 CODEC(ZSTD), text String CODEC(ZSTD(3))
    ) ENGINE = ${engine(dialect, 'ReplacingMergeTree', 'started_at_ms')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(started_at_ms, 'UTC'))
    ORDER BY (organisation_id, environment, text_group, text_hash)
    ${tableSettings(dialect, ['index_granularity = 64'])}`,
    `ALTER TABLE span_io${onCluster(dialect)}
      ADD COLUMN IF NOT EXISTS text_group UInt64 DEFAULT 0 CODEC(ZSTD),
      ADD COLUMN IF NOT EXISTS input_parts Array(String) DEFAULT [] CODEC(ZSTD),
      ADD COLUMN IF NOT EXISTS output_parts Array(String) DEFAULT [] CODEC(ZSTD)`,
    // In the order of time, so that the newest matches are read and no others.
    `CREATE TABLE IF NOT EXISTS span_words${onCluster(dialect)} (
      organisation_id LowCardinality(String), environment LowCardinality(String), started_at_ns Int64 CODEC(Delta, ZSTD),
      trace_id String CODEC(ZSTD), span_id String CODEC(ZSTD), words String CODEC(ZSTD(3)),
      INDEX by_word words TYPE text(tokenizer = splitByNonAlpha, preprocessor = ${indexedWords('words')})
    ) ENGINE = ${engine(dialect, 'MergeTree')}
    PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(started_at_ns, 'UTC'))
    ORDER BY (organisation_id, environment, started_at_ns, trace_id, span_id)
    ${tableSettings(dialect, ['index_granularity = 512'])}`,
    // Nothing is written while migrations run; emptied first, since a migration that was cut off runs again.
    `TRUNCATE TABLE span_words${onCluster(dialect)}`,
    `INSERT INTO span_words (organisation_id, environment, started_at_ns, trace_id, span_id, words)
    SELECT organisation_id, environment, started_at_ms * 1000000, trace_id, span_id, concat(input_preview, '\\n\\x1e\\n', output_preview)
    FROM span_io WHERE input_preview != '' OR output_preview != ''`,
  ],
};
