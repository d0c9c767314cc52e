import { pipeline, Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { PlimsollError } from '../../kernel/errors.ts';
import { wholeFile } from './whole-file.ts';

export interface ClickHouseOptions {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Bearer token: the embedded engine's, or a JWT. Used instead of user name and password. */
  readonly token?: string | undefined;
  readonly database: string;
  /** Name of a cluster: tables become Replicated… and definitions run ON CLUSTER. */
  readonly cluster?: string | undefined;
}

export type QueryParameters = Readonly<Record<string, string | number | bigint | readonly string[] | readonly bigint[]>>;

export interface ReadOptions {
  /** `adhoc` = may be slow; runs beside the dashboards on the embedded engine. */
  readonly lane?: 'dashboard' | 'adhoc';
  /** Stops the query. */
  readonly signal?: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** A file of a month may take longer than a question; the embedded engine lowers it to its own most. */
const FILE_SECONDS = 300;
/** A row group is put together in memory. */
const PARQUET_GROUP_BYTES = 32 * 1024 * 1024;
/** Codes by which a server stops a query that asks for too much: time, rows, memory, bytes, cancelled. */
const TOO_EXPENSIVE = new Set(['158', '159', '160', '241', '307', '394', '396']);
/** Codes for "try the same again later": full, shutting down, read-only, too many parts, no space, no keeper, no login. */
const UNAVAILABLE = new Set(['164', '202', '209', '210', '225', '242', '243', '252', '279', '319', '425', '516', '999', '1002']);

/** The few calls that the stores make, with typed parameters in and PlimsollErrors out. */
export class ClickHouseConnection {
  readonly #client: ClickHouseClient;
  readonly database: string;

  constructor(options: ClickHouseOptions, database: string) {
    const { hostname } = new URL(options.url);
    const isRemote = hostname !== '127.0.0.1' && hostname !== 'localhost' && hostname !== '[::1]';
    this.database = database;
    this.#client = createClient({
      url: options.url,
      database,
      application: 'plimsoll',
      ...(options.token === undefined
        ? { username: options.username ?? 'default', password: options.password ?? '' }
        : { access_token: options.token }),
      request_timeout: REQUEST_TIMEOUT_MS,
      max_open_connections: 16,
      compression: { request: isRemote, response: isRemote },
      log: { level: ClickHouseLogLevel.OFF },
      keep_alive: { enabled: true, idle_socket_ttl: 30_000 },
    });
  }

  /** Rows of a SELECT. Every value from outside is a bound parameter. */
  async read<T>(sql: string, parameters: QueryParameters, options: ReadOptions = {}): Promise<T[]> {
    try {
      const result = await this.#client.query({
        query: sql,
        format: 'JSONEachRow',
        query_params: { ...parameters },
        clickhouse_settings: { output_format_json_quote_64bit_integers: 1, max_execution_time: options.lane === 'adhoc' ? 30 : 15 },
        ...(options.lane === 'adhoc' ? { http_headers: { 'x-plimsoll-lane': 'adhoc' } } : {}),
        ...(options.signal === undefined ? {} : { abort_signal: options.signal }),
      });
      return await result.json<T>();
    } catch (cause) {
      throw toStoreError(cause, 'read');
    }
  }

  /**
   * Inserts rows under a token. `lines` are JSONCompactEachRow.
   * @throws PlimsollError `store_unavailable` when the same insert may succeed later
   */
  async insert(table: string, columns: readonly string[], lines: string, token: string): Promise<void> {
    try {
      const { stream } = await this.#client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT JSONCompactEachRow`,
        values: Readable.from([Buffer.from(lines)], { objectMode: false }),
        clickhouse_settings: {
          insert_deduplication_token: token,
          insert_deduplicate: 1,
          deduplicate_blocks_in_dependent_materialized_views: 1,
          async_insert: 0,
        },
      });
      stream.resume();
      await new Promise<void>((resolve, reject) => {
        stream.once('end', resolve);
        stream.once('close', resolve);
        stream.once('error', reject);
      });
    } catch (cause) {
      throw toStoreError(cause, 'write');
    }
  }

  /**
   * The answer to a SELECT as a file, in a format of the server, as it comes. Off the dashboards' lane.
   * @param sql without FORMAT
   */
  async file(sql: string, parameters: QueryParameters, format: 'CSVWithNames' | 'Parquet', signal?: AbortSignal): Promise<Readable> {
    try {
      const { stream, response_headers: headers } = await this.#client.exec({
        query: `${sql} FORMAT ${format}`,
        query_params: { ...parameters },
        clickhouse_settings: {
          max_execution_time: FILE_SECONDS,
          date_time_output_format: 'iso',
          ...(format === 'Parquet' ? { output_format_parquet_row_group_size_bytes: `${PARQUET_GROUP_BYTES}` } : {}),
        },
        http_headers: { 'x-plimsoll-lane': 'adhoc' },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      const tag = headers['x-clickhouse-exception-tag'];
      const whole = wholeFile(typeof tag === 'string' ? tag : null);
      pipeline(stream, whole, () => undefined); // The reader of `whole` hears of what fails.
      return whole;
    } catch (cause) {
      throw toStoreError(cause, 'read');
    }
  }

  /** A statement of the SQL console, ended when `signal` aborts: parsed among the dashboards, run on its own lane. @returns what the client makes of the format */
  async console<T>(
    sql: string,
    format: 'JSONEachRow' | 'JSONCompact',
    settings: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    try {
      // The client looks at a signal only while its request is under way.
      signal.throwIfAborted();
      const result = await this.#client.query({
        query: sql,
        format,
        clickhouse_settings: { ...settings },
        abort_signal: signal,
        ...(format === 'JSONCompact' ? { http_headers: { 'x-plimsoll-lane': 'console' } } : {}),
      });
      return await result.json<T>();
    } catch (cause) {
      throw toStoreError(cause, 'read');
    }
  }

  async command(sql: string, parameters: QueryParameters = {}): Promise<void> {
    try {
      await this.#client.command({ query: sql, query_params: { ...parameters } });
    } catch (cause) {
      throw toStoreError(cause, 'write');
    }
  }

  async ping(): Promise<void> {
    const answer = await this.#client.ping({ select: true });
    if (!answer.success) throw toStoreError(answer.error, 'read');
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function toStoreError(cause: unknown, direction: 'read' | 'write'): PlimsollError {
  if (cause instanceof PlimsollError) return cause;
  if (cause instanceof ClickHouseError) {
    const details = { clickhouseCode: Number(cause.code), clickhouseType: cause.type };
    if (UNAVAILABLE.has(cause.code) || (direction === 'write' && TOO_EXPENSIVE.has(cause.code)))
      return new PlimsollError('store_unavailable', `The trace store cannot serve now: ${firstSentence(cause.message)}`, {
        details,
        cause,
      });
    if (TOO_EXPENSIVE.has(cause.code))
      return new PlimsollError('query_too_expensive', `The trace store stopped the query: ${firstSentence(cause.message)}`, {
        details,
        cause,
      });
    return new PlimsollError('internal', `The trace store refused a statement: ${firstSentence(cause.message)}`, { details, cause });
  }
  return new PlimsollError(
    'store_unavailable',
    `The trace store cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
    },
  );
}

function firstSentence(message: string): string {
  return message.split('\n', 1)[0]?.slice(0, 300) ?? '';
}
