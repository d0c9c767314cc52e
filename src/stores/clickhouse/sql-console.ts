import { ClickHouseError } from '@clickhouse/client';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';
import { lexSql, positionOf } from '../../traces/sql-console/lexer.ts';
import type { SqlLimits, SqlRows, SqlRunner } from '../../traces/sql-console/runner.ts';
import type { ClickHouseConnection } from './client.ts';
import { CONSOLE_TABLES } from './console-tables.ts';

/** Code of what `readonly` refuses. */
const READONLY = '164';

/** The statement stands inside of brackets: no clause of its own can reach the outer query, where settings and format are. */
function wrap(sql: string): string {
  return `${WRAPPED_PREFIX}${sql}\n)`;
}

const WRAPPED_PREFIX = 'SELECT * FROM (\n';
/** As a subquery: a FORMAT behind a bare EXPLAIN would be one of what is explained. It counts as a temporary table, which `readonly = 2` lets be. */
const PARSED_PREFIX = `SELECT explain FROM (EXPLAIN AST ${WRAPPED_PREFIX}`;

function quote(value: string): string {
  return `'${value.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

/** Rows of other scopes do not exist for the statement, whatever it asks. */
function tableFilters(database: string, scope: Scope): string {
  const condition = `organisation_id = ${quote(scope.organisationId)} AND environment = ${quote(scope.environment)}`;
  return `{${CONSOLE_TABLES.map(({ name }) => `${quote(`${database}.${name}`)}: ${quote(condition)}`).join(', ')}}`;
}

/**
 * What the engine enforces. `readonly = 1` refuses writes, definitions, table functions that reach outside, and any change of these settings.
 * Nothing may be written to disk for a statement (external sorting and grouping), it runs on one thread, and what takes too long or too much ends.
 */
function engineSettings(limits: SqlLimits): Record<string, string | number> {
  return {
    max_execution_time: limits.seconds,
    timeout_before_checking_execution_speed: 0,
    max_memory_usage: limits.memoryBytes,
    max_threads: limits.threads,
    max_result_bytes: limits.resultBytes,
    result_overflow_mode: 'throw',
    limit: limits.rows + 1,
    max_bytes_before_external_group_by: 0,
    max_bytes_before_external_sort: 0,
    max_bytes_ratio_before_external_group_by: 0,
    max_bytes_ratio_before_external_sort: 0,
    query_plan_remove_redundant_sorting: 0,
    allow_ddl: 0,
    allow_introspection_functions: 0,
    cancel_http_readonly_queries_on_client_close: 1,
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_denormals: 1,
    readonly: 1,
  };
}

export function createSqlRunner(connection: ClickHouseConnection, limits: SqlLimits): SqlRunner {
  const settings = engineSettings(limits);
  return {
    database: connection.database,
    tables: CONSOLE_TABLES,
    limits,
    async parse(sql, signal) {
      const rows = await connection
        .console<{ explain: string }>(`${PARSED_PREFIX}${sql}\n))`, 'JSONEachRow', { ...settings, readonly: 2 }, signal)
        .catch((thrown: unknown) => blame(thrown, sql));
      return (rows as { explain: string }[]).map(({ explain }) => explain); // what this format gives
    },
    async names() {
      const [functions, databases] = await Promise.all(
        ['functions', 'databases'].map((of) => connection.read<{ name: string }>(`SELECT lower(name) AS name FROM system.${of}`, {})),
      );
      const foreign = (databases ?? []).map(({ name }) => name).filter((name) => name !== connection.database.toLowerCase());
      return {
        functions: new Set((functions ?? []).map(({ name }) => name)),
        foreignDatabases: new Set([...foreign, 'system', 'information_schema']),
      };
    },
    async run(scope, sql, signal) {
      const answer = await connection
        .console<unknown[]>(
          wrap(sql),
          'JSONCompact',
          { ...settings, additional_table_filters: tableFilters(connection.database, scope), readonly: 1 },
          signal,
        )
        .catch((thrown: unknown) => blame(thrown, sql));
      return toRows(answer as JsonCompact);
    },
  };
}

interface JsonCompact {
  readonly meta?: readonly { readonly name: string; readonly type: string }[];
  readonly data?: readonly (readonly unknown[])[];
  readonly statistics?: { readonly elapsed: number; readonly rows_read: number; readonly bytes_read: number };
}

function toRows({ meta = [], data = [], statistics }: JsonCompact): SqlRows {
  return {
    columns: meta.map(({ name, type }) => ({ name, type })),
    rows: data,
    elapsedMs: (statistics?.elapsed ?? 0) * 1000,
    rowsRead: statistics?.rows_read ?? 0,
    bytesRead: statistics?.bytes_read ?? 0,
  };
}

/** What the engine says of a statement, with its place in the text as it was written. @throws PlimsollError always */
function blame(thrown: unknown, sql: string): never {
  const cause = thrown instanceof PlimsollError ? thrown.cause : thrown;
  // Too much, or away: the connection has said so already.
  const isOfStatement =
    cause instanceof ClickHouseError && (cause.code === READONLY || !(thrown instanceof PlimsollError) || thrown.code === 'internal');
  if (!isOfStatement) throw thrown;
  const { message, place } = readEngineMessage(cause.message, sql);
  const where = place === null ? '' : `Line ${place.line}, column ${place.column}: `;
  throw new PlimsollError('invalid_argument', `${where}${message}`, {
    details: { param: 'query', clickhouseCode: Number(cause.code), clickhouseType: cause.type, ...place },
    cause: thrown,
  });
}

interface EngineMessage {
  readonly message: string;
  readonly place: { readonly line: number; readonly column: number } | null;
}

/** @param text of the engine, about the wrapped statement @param sql the statement as it was written */
export function readEngineMessage(text: string, sql: string): EngineMessage {
  const syntax = /^(?:.*?: )?Syntax error[^:]*: failed at position (\d+)/.exec(text);
  if (syntax) {
    // Bytes, from 1, of the whole text; the client cuts what follows at the first word in capitals.
    const place = Number(syntax[1]) - 1 - Buffer.byteLength(PARSED_PREFIX);
    const offset = Buffer.from(sql).subarray(0, Math.max(0, place)).toString().length;
    const found = /^\s*(\w+|\S)/.exec(sql.slice(offset))?.[1];
    return {
      message: found === undefined ? 'The statement ends too early.' : `Syntax error at ${JSON.stringify(found)}.`,
      place: positionOf(sql, Math.min(offset, sql.length)),
    };
  }
  const [first = ''] = text.split('\n');
  const message = first
    .replace(/^.*?DB::Exception: /, '')
    .replace(/[.,:]? In scope [\s\S]*$/, '.')
    .replace(/[.,]? ?\(?while (?:executing|processing|resolving)[\s\S]*$/i, '.')
    .slice(0, 400);
  // The names in the message, from the last: the one that is in the statement shows where.
  const names = [...message.matchAll(/[`'"]([A-Za-z_][\w.]*)[`'"]/g)].map(([, name = '']) => name.split('.').at(-1) ?? name);
  const tokens = lexSql(sql);
  const token = names.map((name) => tokens.find(({ text }) => text === name)).find((each) => each !== undefined);
  return { message, place: token === undefined ? null : positionOf(sql, token.offset) };
}
