import type { ClickHouseConnection } from '../../src/stores/clickhouse/client.ts';

/** Tables that are written, with what differs in copy number `k`; views fill the rest. */
const TABLES: Readonly<Record<string, string>> = {
  text_parts: 'cityHash64(text_group, {k}) AS text_group, started_at_ms + {shiftMs} AS started_at_ms',
  span_io: `${traceId()}, cityHash64(text_group, {k}) AS text_group, started_at_ms + {shiftMs} AS started_at_ms`,
  span_words: `${traceId()}, started_at_ns + {shiftMs} * 1000000 AS started_at_ns,
    replaceRegexpAll(words, 'rare(\\\\d+)x', concat('rare\\\\1x', toString({k}))) AS words`,
  spans: `${traceId()}, started_at_ns + {shiftMs} * 1000000 AS started_at_ns,
    concat('user-', toString(cityHash64(user_id, {k}) % 20000)) AS user_id, concat(session_id, '-', toString({k})) AS session_id,
    if(call_id = '', '', concat(substring(call_id, 1, 28), leftPad(lower(hex({k})), 8, '0'))) AS call_id`,
  ledger: `${traceId()}, started_at_ms + {shiftMs} AS started_at_ms,
    concat(substring(call_id, 1, 28), leftPad(lower(hex({k})), 8, '0')) AS call_id`,
};

function traceId(): string {
  return "concat(leftPad(lower(hex({k})), 8, '0'), substring(trace_id, 9)) AS trace_id";
}

/** Columns that are computed from others cannot be written. */
async function storedColumns(connection: ClickHouseConnection, table: string): Promise<string> {
  const rows = await connection.read<{ name: string }>(
    "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position",
    { table },
  );
  return rows.map((row) => row.name).join(', ');
}

/**
 * Repeats what is stored, each copy `stepMs` earlier with ids, users, sessions and rare words of its own: ten million spans in minutes, of which
 * each has been made by the product's own code.
 */
export async function cloneStored(
  connection: ClickHouseConnection,
  copies: number,
  stepMs: number,
  onProgress: (copy: number) => void,
): Promise<void> {
  for (const table of Object.keys(TABLES)) {
    await connection.command(`CREATE TABLE IF NOT EXISTS bench_${table} AS ${table}`);
    await connection.command(`TRUNCATE TABLE bench_${table}`);
    await connection.command(
      `INSERT INTO bench_${table} (${await storedColumns(connection, table)}) SELECT ${await storedColumns(connection, table)} FROM ${table}`,
    );
  }
  for (let k = 1; k <= copies; k++) {
    for (const [table, replaced] of Object.entries(TABLES)) {
      const columns = await storedColumns(connection, table);
      const numbered = replaced.replaceAll('{k}', String(k)).replaceAll('{shiftMs}', `(${-k * stepMs})`);
      await connection.command(
        `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM (SELECT * REPLACE(${numbered}) FROM bench_${table})`,
      );
    }
    onProgress(k);
  }
  for (const table of Object.keys(TABLES)) await connection.command(`DROP TABLE bench_${table}`);
}
