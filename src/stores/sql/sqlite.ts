import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { CompiledQuery, type DatabaseConnection, Kysely, type SqliteDatabase, SqliteDialect, SqliteDriver } from 'kysely';
import { PlimsollError } from '../../kernel/errors.ts';
import type { Connection, Handle, Queries } from './connection.ts';
import { TransactionGuard, transactionHandle } from './connection.ts';
import { storeFailure } from './failures.ts';
import type { Database } from './schema.ts';

const BUSY_TIMEOUT_MS = 5_000;
const SQLITE_BUSY = 5;

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & 0xff) === SQLITE_BUSY;
}

function numberWhereSafe(row: Record<string, unknown>): Record<string, unknown> {
  for (const column in row) {
    const value = row[column];
    if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) row[column] = Number(value);
  }
  return row;
}

/** Kysely's SQLite dialect speaks better-sqlite3, which takes parameters as one array; `node:sqlite` wants them spread. */
function forKysely(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      // Kysely types parameters as unknown; the columns of this store are text, integers and null.
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)).map(numberWhereSafe),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  constructor(database: DatabaseSync) {
    super({ database: forKysely(database) });
    this.#database = database;
  }
  /**
   * Takes the write lock at once: a deferred transaction that writes later can fail with BUSY and cannot be retried. Waiting for another
   * process happens here and not in SQLite, whose own wait would stop the event loop.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const deadlineMs = performance.now() + BUSY_TIMEOUT_MS;
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 20)) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
        return;
      } catch (thrown) {
        if (!isBusy(thrown) || performance.now() > deadlineMs) throw thrown;
      }
      await setTimeout(waitMs);
    }
  }
  /** A full disk ends the transaction by itself; a second rollback would hide that error behind its own. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  constructor(database: DatabaseSync) {
    super({ database: forKysely(database) });
    this.#database = database;
  }
  override createDriver(): ImmediateDriver {
    return new ImmediateDriver(this.#database);
  }
}

/** Creates the file with 0600: it holds the HMACs of keys. */
function prepareFile(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    throw new PlimsollError(
      'data_dir_unusable',
      `The control store ${file} cannot be opened for writing: ${cause instanceof Error ? cause.message : cause}`,
      {
        details: { path: file },
        cause,
      },
    );
  }
}

function openFile(file: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly, readBigInts: true, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    if (!readOnly) {
      database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
    }
    // Reading the header now turns a damaged or foreign file into an error of the start.
    database.prepare('PRAGMA schema_version').get();
    if (!readOnly) database.exec('PRAGMA busy_timeout = 0');
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/**
 * The store in one file. Writes go through one connection, one transaction at a time (Kysely queues for a single connection); reads
 * through a second one, which sees what is committed and never waits for a writer.
 * @throws PlimsollError `data_dir_unusable`, `store_unavailable`
 */
export function openSqlite(file: string): Connection {
  prepareFile(file);
  const opened: DatabaseSync[] = [];
  try {
    for (const readOnly of [false, true]) opened.push(openFile(file, readOnly));
  } catch (thrown) {
    for (const database of opened) database.close();
    throw storeFailure(thrown, file);
  }
  const [writer, reader] = opened.map((database) => new Kysely<Database>({ dialect: new NodeSqliteDialect(database) }));
  if (writer === undefined || reader === undefined) throw new PlimsollError('internal', 'SQLite connections were not opened.');
  const guard = new TransactionGuard();
  const transaction = <T>(work: (tx: Handle, db: Kysely<Database>) => Promise<T>): Promise<T> =>
    guard.run(file, () => writer.transaction().execute((db) => transactionHandle(db, file, work)));
  return {
    kind: 'sqlite',
    schema: null,
    serverVersion: async () => process.versions.sqlite ?? 'unknown',
    transaction,
    write: <T>(queries: Queries<T>) => transaction((_tx, db) => queries(db)),
    async read(queries) {
      try {
        return await queries(reader);
      } catch (thrown) {
        throw storeFailure(thrown, file);
      }
    },
    async close() {
      await Promise.all([reader.destroy(), writer.destroy()]);
      for (const database of opened) if (database.isOpen) database.close();
    },
  };
}
