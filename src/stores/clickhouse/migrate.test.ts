import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ErrorCode, PlimsollError } from '../../kernel/errors.ts';
import { type Engine, startEngine } from '../chdb/engine.ts';
import { ClickHouseConnection } from './client.ts';
import { checkName, type Dialect, type Migration } from './ddl.ts';
import { migrateTables } from './migrate.ts';
import { openClickHouse } from './open.ts';
import { MIGRATIONS, migrationTable } from './schema.ts';

const TOKEN = 'migrate-test-token';
const withCode = (code: ErrorCode) => (error: unknown) => error instanceof PlimsollError && error.code === code;

describe('migrations of the trace store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-migrate-'));
  let engine: Engine;
  const options = (database: string) => ({ url: `http://127.0.0.1:${engine.port}`, token: TOKEN, database });
  const open: ClickHouseConnection[] = [];

  async function emptyDatabase(name: string): Promise<{ connection: ClickHouseConnection; dialect: Dialect }> {
    const server = new ClickHouseConnection(options('default'), 'default');
    await server.command(`CREATE DATABASE ${checkName(name, 'database')}`);
    const connection = new ClickHouseConnection(options(name), name);
    open.push(server, connection);
    return { connection, dialect: { database: name, cluster: null } };
  }

  before(async () => {
    engine = await startEngine({ dataDir, token: TOKEN, port: 0 });
  });
  after(async () => {
    for (const connection of open) await connection.close();
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('run once, in order, and are recorded', async () => {
    const { connection, dialect } = await emptyDatabase('ordered');
    const ran: number[] = [];
    const step = (version: number): Migration => ({
      version,
      name: `step ${version}`,
      statements: () => {
        ran.push(version);
        return [`CREATE TABLE IF NOT EXISTS step_${version} (a Int8) ENGINE = MergeTree ORDER BY a`];
      },
    });
    assert.deepEqual(await migrateTables(connection, dialect, [step(2), step(1)]), { from: 0, to: 2 });
    assert.deepEqual(await migrateTables(connection, dialect, [step(1), step(2), step(3)]), { from: 2, to: 3 });
    assert.deepEqual(ran, [1, 2, 3]);
    assert.deepEqual(await connection.read('SELECT version, name FROM schema_migrations ORDER BY version', {}), [
      { version: 1, name: 'step 1' },
      { version: 2, name: 'step 2' },
      { version: 3, name: 'step 3' },
    ]);
  });

  it('resume after a failure in the middle, which names the migration', async () => {
    const { connection, dialect } = await emptyDatabase('resumed');
    const create = 'CREATE TABLE IF NOT EXISTS half (a Int8) ENGINE = MergeTree ORDER BY a';
    const broken: Migration = { version: 1, name: 'half', statements: () => [create, 'CREATE TABLE nonsense'] };
    await assert.rejects(
      migrateTables(connection, dialect, [broken]),
      (error) => withCode('migration_failed')(error) && error instanceof PlimsollError && error.message.includes('"half"'),
    );
    const mended: Migration = { ...broken, statements: () => [create] };
    assert.deepEqual(await migrateTables(connection, dialect, [mended]), { from: 0, to: 1 });
  });

  it('refuse data that a newer version wrote, and touch nothing', async () => {
    const { connection, dialect } = await emptyDatabase('newer');
    await connection.command(migrationTable(dialect));
    await connection.insert('schema_migrations', ['version', 'name'], '[99, "from the future"]', 'x');
    await assert.rejects(
      openClickHouse(options('newer')).migrate(),
      (error) => withCode('data_newer_than_code')(error) && error instanceof PlimsollError && /version 99/.test(error.message),
    );
    assert.deepEqual(await connection.read("SELECT name FROM system.tables WHERE database = 'newer'", {}), [{ name: 'schema_migrations' }]);
  });

  it('give statements for a cluster that the parser takes, with every table replicated', async () => {
    const connection = new ClickHouseConnection(options('default'), 'default');
    open.push(connection);
    const dialect: Dialect = { database: 'default', cluster: 'main' };
    for (const statement of [migrationTable(dialect), ...MIGRATIONS.flatMap((migration) => migration.statements(dialect))]) {
      await connection.command(`EXPLAIN AST ${statement}`);
      if (!statement.startsWith('INSERT')) assert.match(statement, / ON CLUSTER main/);
      if (statement.startsWith('CREATE TABLE')) assert.match(statement, /ENGINE = Replicated(Aggregating|Replacing)?MergeTree\(/);
    }
    assert.throws(() => checkName('main; DROP TABLE spans', 'cluster name'), withCode('config_invalid'));
  });

  it('say that the store cannot be reached when nothing listens', async () => {
    const stores = openClickHouse({ url: 'http://127.0.0.1:1', token: TOKEN, database: 'plimsoll' });
    await assert.rejects(stores.migrate(), withCode('store_unavailable'));
    await assert.rejects(stores.traces.ping(), withCode('store_unavailable'));
    await stores.close();
    const wrong = openClickHouse({ ...options('plimsoll'), token: 'mistyped-token' });
    await assert.rejects(wrong.traces.ping(), (error) => withCode('store_unavailable')(error) && !String(error).includes('mistyped'));
    await wrong.close();
  });
});
