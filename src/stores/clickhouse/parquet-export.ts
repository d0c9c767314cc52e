import type { Readable } from 'node:stream';
import { EXPORT_COLUMNS, type ExportedSpan } from '../../traces/export/columns.ts';
import type { ClickHouseConnection } from './client.ts';
import { type Dialect, engine, onCluster } from './ddl.ts';

const PREFIX = 'export_';
/** Characters of one insert. */
const CHUNK_CHARACTERS = 4_000_000;
const NAMES = EXPORT_COLUMNS.map(({ name }) => name);

/** A cell of JSONCompactEachRow: objects go into maps as they are, and into texts as JSON. */
function cellsOf(exported: ExportedSpan): unknown[] {
  return EXPORT_COLUMNS.map(({ type, value }) => {
    const cell = value(exported);
    return type === 'String' && typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : cell;
  });
}

/**
 * A Parquet file of the spans, in their order. They stand in a table of the store meanwhile: its writer makes the file, and neither process ever
 * holds all of them. The table goes with the file's end.
 * @param id hex digits that nobody else uses
 * @throws PlimsollError `store_unavailable`, `query_too_expensive`; what `spans` throws
 */
export async function writeParquet(
  connection: ClickHouseConnection,
  dialect: Dialect,
  id: string,
  spans: AsyncIterable<readonly ExportedSpan[]>,
  signal: AbortSignal,
): Promise<Readable> {
  const table = `${PREFIX}${id}`;
  const drop = (): Promise<void> => connection.command(`DROP TABLE IF EXISTS ${table}${onCluster(dialect)} SYNC`);
  await connection.command(
    `CREATE TABLE ${table}${onCluster(dialect)} (place UInt64, ${EXPORT_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')})
     ENGINE = ${engine(dialect, 'MergeTree')} ORDER BY place`,
  );
  try {
    let place = 0;
    let inserts = 0;
    let lines: string[] = [];
    let characters = 0;
    const flush = async (): Promise<void> => {
      if (lines.length === 0) return;
      await connection.insert(table, ['place', ...NAMES], lines.join('\n'), `${table}/${inserts++}`);
      lines = [];
      characters = 0;
    };
    for await (const page of spans)
      for (const exported of page) {
        const line = JSON.stringify([place++, ...cellsOf(exported)]);
        lines.push(line.isWellFormed() ? line : line.toWellFormed());
        characters += line.length;
        if (characters >= CHUNK_CHARACTERS) await flush();
      }
    await flush();
    signal.throwIfAborted();
    const file = await connection.file(`SELECT ${NAMES.join(', ')} FROM ${table} ORDER BY place`, {}, 'Parquet', signal);
    // What cannot be dropped now is dropped as abandoned.
    file.once('close', () => void drop().catch(() => undefined));
    return file;
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  }
}

/** Drops the tables of exports whose process went away: an export takes minutes, and these are a day old. */
export async function dropAbandonedExports(connection: ClickHouseConnection, dialect: Dialect): Promise<void> {
  const tables = await connection.read<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^${PREFIX}[0-9a-f]+$')
       AND metadata_modification_time < now() - INTERVAL 1 DAY`,
    {},
    { lane: 'adhoc' },
  );
  for (const { name } of tables) await connection.command(`DROP TABLE IF EXISTS ${name}${onCluster(dialect)} SYNC`);
}
