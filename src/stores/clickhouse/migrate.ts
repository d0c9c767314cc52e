import { PlimsollError } from '../../kernel/errors.ts';
import type { ClickHouseConnection } from './client.ts';
import type { Dialect, Migration } from './ddl.ts';
import { MIGRATIONS, migrationTable } from './schema.ts';

/**
 * Brings the tables to the newest version this code knows. Forward only; safe to repeat and to resume after a crash.
 * @throws PlimsollError `data_newer_than_code` before anything is touched; `migration_failed` with the statement's error as cause
 */
export async function migrateTables(
  connection: ClickHouseConnection,
  dialect: Dialect,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<{ from: number; to: number }> {
  await connection.command(migrationTable(dialect));
  const rows = await connection.read<{ version: number }>('SELECT max(version) AS version FROM schema_migrations', {});
  const from = Number(rows[0]?.version ?? 0);
  const newest = Math.max(0, ...migrations.map((migration) => migration.version));
  if (from > newest)
    throw new PlimsollError(
      'data_newer_than_code',
      `The trace store has schema version ${from}; this Plimsoll knows versions up to ${newest}.`,
      { details: { store: 'traces', dataVersion: from, codeVersion: newest } },
    );
  for (const migration of migrations.filter(({ version }) => version > from).sort((a, b) => a.version - b.version)) {
    try {
      for (const statement of migration.statements(dialect)) await connection.command(statement);
      const line = JSON.stringify([migration.version, migration.name]);
      await connection.insert('schema_migrations', ['version', 'name'], line, `migration-${migration.version}`);
    } catch (cause) {
      if (cause instanceof PlimsollError && cause.code === 'store_unavailable') throw cause;
      throw new PlimsollError('migration_failed', `Migration ${migration.version} of the trace store ("${migration.name}") failed.`, {
        details: { version: migration.version },
        cause,
      });
    }
  }
  return { from, to: newest };
}
