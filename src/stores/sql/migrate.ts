import { type Kysely, sql } from 'kysely';
import { PlimsollError } from '../../kernel/errors.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import type { Database } from './schema.ts';

export interface MigrationTarget {
  readonly kind: 'sqlite' | 'postgres';
  /** Opens a write transaction that no second process can be in at the same time (SQLite), or that takes the advisory lock below. */
  transaction<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /** PostgreSQL only; null = the connection's default. */
  readonly schema: string | null;
}

function forDatabase(statement: string, kind: MigrationTarget['kind']): string {
  return kind === 'postgres' ? statement.replaceAll(/\btext\b/g, 'text COLLATE "C"') : statement;
}

async function appliedVersion(db: Kysely<Database>, kind: MigrationTarget['kind']): Promise<number> {
  const table =
    kind === 'postgres' ? sql`to_regclass('schema_migrations')` : sql`(SELECT name FROM sqlite_master WHERE name = 'schema_migrations')`;
  const found = await sql<{ present: number }>`SELECT CASE WHEN ${table} IS NULL THEN 0 ELSE 1 END AS present`.execute(db);
  if (found.rows[0]?.present !== 1) return 0;
  const newest = await db
    .selectFrom('schema_migrations')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst();
  return newest?.version ?? 0;
}

/**
 * Brings the schema to the newest version, in one transaction under a lock: of several processes that start together one migrates.
 * @returns the version of the data afterwards
 * @throws PlimsollError `data_newer_than_code`, `migration_failed`; nothing is changed then
 */
export async function migrate(target: MigrationTarget, nowMs: number, migrations: readonly Migration[] = MIGRATIONS): Promise<number> {
  const codeVersion = Math.max(...migrations.map((migration) => migration.version));
  return target.transaction(async (db) => {
    if (target.kind === 'postgres') {
      await sql`SELECT pg_advisory_xact_lock(hashtext(${`plimsoll migrations ${target.schema ?? ''}`}))`.execute(db);
      if (target.schema !== null) await sql`CREATE SCHEMA IF NOT EXISTS ${sql.id(target.schema)}`.execute(db);
    }
    const dataVersion = await appliedVersion(db, target.kind);
    if (dataVersion > codeVersion) {
      throw new PlimsollError(
        'data_newer_than_code',
        `The control store has schema version ${dataVersion}; this Plimsoll knows versions up to ${codeVersion}.`,
        { details: { dataVersion, codeVersion } },
      );
    }
    for (const migration of migrations.filter(({ version }) => version > dataVersion)) await apply(db, target.kind, migration, nowMs);
    return codeVersion;
  });
}

async function apply(db: Kysely<Database>, kind: MigrationTarget['kind'], migration: Migration, nowMs: number): Promise<void> {
  const { version, name } = migration;
  try {
    if (version === 1) {
      const table =
        'CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, name text NOT NULL, applied_at_ms bigint NOT NULL)';
      await sql.raw(forDatabase(table, kind)).execute(db);
    }
    for (const statement of migration.statements) await sql.raw(forDatabase(statement, kind)).execute(db);
    await db.insertInto('schema_migrations').values({ version, name, applied_at_ms: nowMs }).execute();
  } catch (cause) {
    throw new PlimsollError(
      'migration_failed',
      `Control store migration ${version} (${name}) failed: ${cause instanceof Error ? cause.message : cause}`,
      {
        details: { version, name },
        cause,
      },
    );
  }
}
