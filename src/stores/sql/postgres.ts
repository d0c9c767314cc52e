import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { PlimsollError } from '../../kernel/errors.ts';
import { type Connection, type Handle, type Queries, TransactionGuard, transactionHandle } from './connection.ts';
import { storeFailure } from './failures.ts';
import type { Database } from './schema.ts';

const INT8_OID = 20;
const OLDEST_SERVER = 150_000;
const CONNECTIONS_PER_POOL = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** `pg` hands bigint over as text; a number where it is exact, else a bigint, as the SQLite side does. */
function integerFromText(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Host, port and database of a connection URL: never its password. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'PostgreSQL' : `PostgreSQL ${parsed.host}${parsed.pathname}`;
}

function openPool(url: string, schema: string | null, name: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_PER_POOL,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    application_name: name,
    allowExitOnIdle: true,
    ...(schema === null ? {} : { options: `-c search_path=${schema}` }),
    types: {
      // The signature of `pg` is generic in the format; only the text format is asked for here.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID && format !== 'binary'
          ? integerFromText
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  });
  // A connection that the server closes is replaced, and a query on it fails by itself. Without listeners (the pool's for idle
  // connections, the client's for one that a transaction holds between two queries) the event would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

/**
 * The store in a PostgreSQL schema. Two pools, so that a read from inside a transaction never waits for a connection that
 * transactions hold.
 * @throws PlimsollError `store_unavailable`, `config_invalid`
 */
export async function openPostgres(url: string, schema: string | null): Promise<Connection> {
  const place = placeOf(url);
  if (schema !== null && !/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new PlimsollError('config_invalid', `"${schema}" is no PostgreSQL schema name: use small letters, digits and "_".`, {
      details: { schema },
    });
  }
  const pools = { writer: openPool(url, schema, 'plimsoll control: write'), reader: openPool(url, schema, 'plimsoll control: read') };
  const closePools = () => Promise.all([pools.writer.end(), pools.reader.end()]);
  const version = await readServerVersion(pools.reader).catch(async (thrown: unknown) => {
    await closePools();
    throw storeFailure(thrown, place);
  });
  if (version.number < OLDEST_SERVER) {
    await closePools();
    throw new PlimsollError('config_invalid', `${place} is version ${version.text}; Plimsoll needs PostgreSQL 15 or newer.`, {
      details: { version: version.text },
    });
  }
  const writer = new Kysely<Database>({ dialect: new PostgresDialect({ pool: pools.writer }) });
  const reader = new Kysely<Database>({ dialect: new PostgresDialect({ pool: pools.reader }) });
  const guard = new TransactionGuard();
  const transaction = <T>(work: (tx: Handle, db: Kysely<Database>) => Promise<T>): Promise<T> =>
    guard.run(place, () => writer.transaction().execute((db) => transactionHandle(db, place, work)));
  return {
    kind: 'postgres',
    schema,
    serverVersion: async () => version.text,
    transaction,
    write: <T>(queries: Queries<T>) => transaction((_tx, db) => queries(db)),
    async read(queries) {
      try {
        return await queries(reader);
      } catch (thrown) {
        throw storeFailure(thrown, place);
      }
    },
    async close() {
      await closePools();
    },
  };
}

async function readServerVersion(pool: pg.Pool): Promise<{ number: number; text: string }> {
  const { rows } = await pool.query<{ number: string; text: string }>(
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS text",
  );
  return { number: Number(rows[0]?.number), text: rows[0]?.text ?? 'unknown' };
}
