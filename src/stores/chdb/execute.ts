import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { RawInsertFormat } from 'chdb';
import { repairDeduplication } from './deduplication-repair.ts';
import type { EngineLimits, Lanes } from './engine.ts';
import { EngineException, exceptionTail, toExceptionAnswer } from './exception.ts';
import type { LaneConnection } from './lane.ts';
import type { EngineRequest } from './request.ts';
import {
  checkIdentifier,
  parseInsert,
  quoteLiteral,
  renderParameterBinding,
  renderSettings,
  splitFormat,
  statementKind,
} from './statement.ts';

const INSERT_FORMATS: ReadonlySet<string> = new Set<RawInsertFormat>(['JSONEachRow', 'JSONCompactEachRow', 'TabSeparated', 'TSV', 'CSV']);

function isInsertFormat(format: string): format is RawInsertFormat {
  return INSERT_FORMATS.has(format);
}

/** Where reading statements run. */
type ReadLane = 'dashboard' | 'adhoc' | 'console';

/** What holds on the lane of the SQL console whatever a call asks for: the engine then refuses to write, and to change these again. */
const CONSOLE_SETTINGS: readonly (readonly [string, string])[] = [
  ['allow_ddl', '0'],
  ['allow_introspection_functions', '0'],
  ['max_threads', '1'],
  ['readonly', '1'],
];

/** Formats whose file has a head and an end of its own: the engine's stream gives many files instead of one. */
const WHOLE_FORMATS: ReadonlySet<string> = new Set(['Parquet', 'Arrow', 'ORC']);

/**
 * Runs one statement on the lane it belongs to and writes the answer.
 * A client that leaves stops its query: waiting ones are dropped, running ones are killed in the engine.
 * @throws EngineException or a chDB error while nothing has been sent; a failure in mid-stream is written into the stream
 */
export async function executeStatement(
  call: EngineRequest,
  response: ServerResponse,
  lanes: Lanes,
  limits: EngineLimits,
  lane: ReadLane,
  spoolDirectory: string,
): Promise<void> {
  const kind = statementKind(call.query);
  if (kind === 'session')
    throw new EngineException(48, 'NOT_IMPLEMENTED', 'Connections are shared: send settings with the statement instead of SET or USE');
  const queryId = call.queryId ?? randomUUID();
  response.setHeader('x-clickhouse-query-id', queryId.replace(/[^\w.-]/g, '').slice(0, 128));
  response.setHeader('x-clickhouse-timezone', 'UTC');

  if (lane === 'console' && kind !== 'select') throw new EngineException(164, 'READONLY', 'The lane of the SQL console runs SELECT only');
  const isReading = kind === 'select';
  const marker = randomUUID();
  const left = new AbortController();
  let isRunning = false;
  const leave = () => {
    if (response.writableFinished) return;
    left.abort();
    // An insert is left to finish: its client replays it under the same token.
    if (isRunning && isReading) void kill(lanes, marker);
  };
  response.once('close', leave);
  let sendFile: (() => Promise<void>) | null = null;
  try {
    await lanes[isReading ? lane : 'ingest'].run(left.signal, async (connection) => {
      isRunning = true;
      try {
        await useDatabase(connection, call.database);
        if (kind === 'insert') await insert(connection, call, response, limits);
        else if (isReading && lane !== 'console' && isWholeFile(call))
          sendFile = await selectFile(connection, call, response, limits, lane, marker, spoolDirectory);
        else if (isReading) await select(connection, call, response, limits, lane, marker);
        else await define(connection, call, response);
      } finally {
        isRunning = false;
      }
    });
    // Not on the lane: a reader may take its time.
    await (sendFile as (() => Promise<void>) | null)?.(); // assigned in the job above, which the compiler does not see
  } finally {
    response.off('close', leave);
  }
}

async function kill(lanes: Lanes, marker: string): Promise<void> {
  const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quoteLiteral(marker)} ASYNC`;
  try {
    await lanes.control.run(AbortSignal.timeout(10_000), ({ session }) => session.queryAsync(sql, { format: 'TabSeparated' }));
  } catch {
    // The query still ends by its own max_execution_time, which every query has.
  }
}

async function useDatabase(connection: LaneConnection, database: string): Promise<void> {
  if (connection.database === database) return;
  await connection.session.queryAsync(`USE \`${checkIdentifier(database, 'database name')}\``);
  connection.database = database;
}

/** The lane's settings, with the caller's on top: the caller may lower a ceiling, never lift it. */
function cappedSettings(call: EngineRequest, limits: EngineLimits, lane: ReadLane): Map<string, string> {
  const settings = new Map<string, string>([['output_format_json_quote_64bit_integers', '1'], ...call.settings]);
  const cap = (name: string, ceiling: number) => {
    const asked = Number(call.settings.get(name) ?? ceiling);
    settings.set(name, String(asked > 0 && asked < ceiling ? asked : ceiling));
  };
  cap('max_execution_time', limits.maxExecutionSeconds[lane]);
  cap('max_memory_usage', lane === 'console' ? limits.maxConsoleMemoryBytes : limits.maxQueryMemoryBytes);
  if (lane === 'console')
    for (const [name, value] of CONSOLE_SETTINGS) {
      settings.delete(name);
      settings.set(name, value);
    }
  return settings;
}

function isWholeFile(call: EngineRequest): boolean {
  return WHOLE_FORMATS.has(splitFormat(call.query, 'TabSeparated').format);
}

/** The engine writes the file on disk, and no process holds it in memory. @returns what sends it, and removes it */
async function selectFile(
  connection: LaneConnection,
  call: EngineRequest,
  response: ServerResponse,
  limits: EngineLimits,
  lane: ReadLane,
  marker: string,
  spoolDirectory: string,
): Promise<() => Promise<void>> {
  const binding = renderParameterBinding(call.query, call.parameters);
  const { body, format } = splitFormat(call.query, 'TabSeparated');
  const settings = cappedSettings(call, limits, lane);
  settings.set('log_comment', marker);
  if (binding !== null) await connection.session.queryAsync(binding);
  const path = join(spoolDirectory, `${randomUUID()}.${format}`);
  const remove = () => rm(path, { force: true });
  try {
    await connection.session.queryAsync(
      `INSERT INTO FUNCTION file(${quoteLiteral(path)}, ${quoteLiteral(format)})\n${body}\nSETTINGS ${renderSettings(settings)}`,
    );
    const file = await open(path);
    return async () => {
      try {
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-clickhouse-format': format });
        for await (const chunk of file.createReadStream()) await write(response, chunk as Buffer, response, limits.stalledReaderMs); // no encoding is set
        response.end();
      } finally {
        await file.close();
        await remove();
      }
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function select(
  connection: LaneConnection,
  call: EngineRequest,
  response: ServerResponse,
  limits: EngineLimits,
  lane: ReadLane,
  marker: string,
): Promise<void> {
  const binding = renderParameterBinding(call.query, call.parameters);
  const { body, format } = splitFormat(call.query, 'TabSeparated');
  const settings = cappedSettings(call, limits, lane);
  settings.set('log_comment', marker);
  if (binding !== null) await connection.session.queryAsync(binding);
  const sql = `${body}\nFORMAT ${format}\nSETTINGS ${renderSettings(settings)}`;
  // JSON with its columns is one document, whose size has a ceiling.
  if (lane === 'console') {
    const whole = await connection.session.queryAsync(sql, { format }).catch(async (error: unknown) => {
      await dropLeftOvers(connection);
      throw error;
    });
    response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8', 'x-clickhouse-format': format });
    // A copy: the bytes are the engine's.
    response.end(Buffer.from(whole.bytes()));
    return;
  }
  const stream = connection.session.queryStream(sql, { format });

  const tag = randomBytes(8).toString('hex');
  let output: Writable | null = null;
  const start = (): Writable => {
    response.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=UTF-8',
      'x-clickhouse-format': format,
      'x-clickhouse-exception-tag': tag,
      ...(call.wantsGzip ? { 'content-encoding': 'gzip' } : {}),
    });
    if (!call.wantsGzip) return response;
    const gzip = createGzip({ level: 1 });
    response.once('close', () => gzip.destroy());
    gzip.pipe(response);
    return gzip;
  };
  try {
    for await (const chunk of stream) {
      output ??= start();
      await write(output, chunk.raw(), response, limits.stalledReaderMs);
    }
    output ??= start();
    output.end();
  } catch (error) {
    if (output === null) throw error;
    if (!response.destroyed) output.end(exceptionTail(toExceptionAnswer(error), tag));
  }
}

/** What a statement had written before it failed or was killed, chDB puts before the answer to the next one on the connection: that one is ours. */
async function dropLeftOvers({ session }: LaneConnection): Promise<void> {
  for (let tries = 0; tries < 3; tries++) if ((await session.queryAsync('SELECT 1', { format: 'TabSeparated' })).text() === '1\n') return;
}

/** Writes with back-pressure; a reader that stalls or leaves ends the query. */
async function write(output: Writable, bytes: Uint8Array, response: ServerResponse, stalledReaderMs: number): Promise<void> {
  if (response.destroyed) throw new EngineException(394, 'QUERY_WAS_CANCELLED', 'The client left');
  if (output.write(bytes)) return;
  const waiting = new AbortController();
  const timer = setTimeout(() => response.destroy(), stalledReaderMs);
  try {
    await Promise.race([once(output, 'drain', { signal: waiting.signal }), once(response, 'close', { signal: waiting.signal })]);
  } finally {
    clearTimeout(timer);
    waiting.abort();
  }
  if (response.destroyed) throw new EngineException(394, 'QUERY_WAS_CANCELLED', 'The client left or stopped reading');
}

async function insert(connection: LaneConnection, call: EngineRequest, response: ServerResponse, limits: EngineLimits): Promise<void> {
  if (call.data === null) {
    await connection.session.queryAsync(call.query);
    response.end();
    return;
  }
  const parsed = parseInsert(call.query);
  if (!parsed || !isInsertFormat(parsed.format))
    throw new EngineException(62, 'SYNTAX_ERROR', `Not an INSERT with a known format: ${call.query.slice(0, 200)}`);
  const settings = new Map([['max_execution_time', String(limits.maxExecutionSeconds.ingest)], ...call.settings]);
  const inserting = connection.session.insert({
    table: parsed.table,
    format: parsed.format,
    values: call.data,
    ...(parsed.columns ? { columns: parsed.columns } : {}),
    settings: Object.fromEntries([...settings].map(([name, value]) => [name, /^-?\d{1,15}$/.test(value) ? Number(value) : value])),
  });
  const summary = await inserting.catch(async (error: unknown) => {
    // A failure between log and commit (a full disk) leaves a token without rows; the client is about to send the same token again.
    await repairDeduplication(connection.session).catch(() => {}); // the insert's own error is the one to report
    throw error;
  });
  const written = 'rowsWritten' in summary ? summary.rowsWritten : 0;
  response.setHeader('x-clickhouse-summary', JSON.stringify({ written_rows: String(written), read_rows: '0', result_rows: '0' }));
  response.end();
}

async function define(connection: LaneConnection, call: EngineRequest, response: ServerResponse): Promise<void> {
  const binding = renderParameterBinding(call.query, call.parameters);
  if (binding !== null) await connection.session.queryAsync(binding);
  const { body, format } = splitFormat(call.query, 'TabSeparated');
  const settings = renderSettings(call.settings);
  const sql = settings === '' ? body : `${body}\nFORMAT ${format}\nSETTINGS ${settings}`;
  const result = await connection.session.queryAsync(sql, { format });
  response.setHeader('x-clickhouse-format', format);
  response.end(result.bytes());
}
