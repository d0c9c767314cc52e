import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { type Actor, DEFAULT_SCOPE, type Scope } from '../../kernel/scope.ts';
import type { SqlResult } from '../../traces/sql-console/model.ts';
import type { SqlLimits, SqlRunner } from '../../traces/sql-console/runner.ts';
import { createSqlConsole, type SqlConsole } from '../../traces/sql-console/service.ts';
import { type Engine, startEngine } from '../chdb/engine.ts';
import { type ControlStore, openControlStore } from '../sql/control-store.ts';
import { ClickHouseConnection } from './client.ts';
import { CONSOLE_TABLES } from './console-tables.ts';
import { type ClickHouseStores, openClickHouse } from './open.ts';

// As the engine's own process has: each running statement holds one thread.
process.env.UV_THREADPOOL_SIZE = '16';

const TOKEN = 'sql-console-test-token';
const ACTOR: Actor = { kind: 'admin_key', id: 'ada', organisationId: 'default', grants: ['*'] };
const OTHER: Scope = { organisationId: 'default', environment: "it's \\ other" };
const LIMITS: SqlLimits = { seconds: 6, memoryBytes: 300_000_000, rows: 1_000, resultBytes: 4_000_000, threads: 1 };
const ROWS = 5_000;

describe('SQL console over the embedded engine', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'plimsoll-sql-console-'));
  const secret = path.join(directory, 'secret.txt');
  let engine: Engine;
  let stores: ClickHouseStores;
  let raw: ClickHouseConnection;
  let control: ControlStore;
  let console: SqlConsole;
  let runner: SqlRunner;

  before(async () => {
    writeFileSync(secret, 'the secret of the machine\n');
    engine = await startEngine({ dataDir: path.join(directory, 'engine'), token: TOKEN, port: 0 });
    const options = { url: `http://127.0.0.1:${engine.port}`, token: TOKEN, database: 'plimsoll' };
    stores = openClickHouse(options);
    await stores.migrate();
    raw = new ClickHouseConnection(options, 'plimsoll');
    for (const [place, { organisationId, environment }] of [DEFAULT_SCOPE, OTHER].entries())
      await raw.command(
        `INSERT INTO spans (organisation_id, environment, is_entry, started_at_ns, trace_id, span_id, name, feature, cost_pico_usd)
         SELECT '${organisationId}', '${environment.replace(/[\\']/g, '\\$&')}', 1, number, toString(number), toString(number), 'chat',
           '${place === 0 ? 'mine' : 'theirs'}', 7 FROM numbers(${ROWS})`,
      );
    control = await openControlStore({ kind: 'sqlite', path: path.join(directory, 'control.db') });
    runner = stores.sqlRunner(LIMITS);
    console = createSqlConsole({
      runner: () => runner,
      limits: () => LIMITS,
      eventLog: control.eventLog,
      audit: control.audit,
      nameOf: async () => 'Ada',
      clock: systemClock,
    });
  });
  after(async () => {
    await control?.close();
    await raw?.close();
    await stores?.close();
    await engine?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (query: string, runId?: string): Promise<SqlResult> =>
    console.run(DEFAULT_SCOPE, runId === undefined ? { query } : { query, runId }, ACTOR);
  const refused =
    (code: string, pattern = /./) =>
    (thrown: unknown) => {
      assert.ok(thrown instanceof PlimsollError, String(thrown));
      assert.equal(thrown.code, code, thrown.message);
      assert.match(thrown.message, pattern);
      assert.doesNotMatch(thrown.message, /the secret of the machine|root:x:/);
      return true;
    };
  const engineRun = (sql: string): Promise<unknown> => runner.run(DEFAULT_SCOPE, sql, new AbortController().signal);

  it('answers with columns, exact integers, and what was read', async () => {
    const result = await run(
      'SELECT feature, count() AS n, sum(toInt128(cost_pico_usd)) * 1000000000000000 AS cost, max(started_at_ns) AS last, NULL AS missing, [1, 2] AS list\nFROM spans GROUP BY feature;',
    );
    assert.deepEqual(
      result.columns.map(({ name }) => name),
      ['feature', 'n', 'cost', 'last', 'missing', 'list'],
    );
    assert.deepEqual(result.rows, [['mine', `${ROWS}`, `${ROWS * 7}000000000000000`, `${ROWS - 1}`, null, [1, 2]]]);
    assert.ok(result.rowsRead >= ROWS && result.bytesRead > 0);
    assert.equal(result.isCut, false);
  });

  it('keeps the order that was asked for, and says when there are more rows', async () => {
    const result = await run('SELECT started_at_ns FROM spans ORDER BY started_at_ns DESC');
    assert.equal(result.rows.length, LIMITS.rows);
    assert.equal(result.isCut, true);
    assert.deepEqual(result.rows.slice(0, 2), [[`${ROWS - 1}`], [`${ROWS - 2}`]]);
    const page = await run('SELECT started_at_ns FROM spans ORDER BY started_at_ns LIMIT 2 OFFSET 3');
    assert.deepEqual([page.rows, page.isCut], [[['3'], ['4']], false]);
  });

  it('takes what questions need: subqueries with names, joins, windows, lambdas, unions, IN', async () => {
    for (const query of [
      'WITH recent AS (SELECT * FROM spans WHERE started_at_ns > 10) SELECT count() FROM recent',
      'SELECT count() FROM spans AS a INNER JOIN ledger AS b ON a.trace_id = b.trace_id',
      'SELECT row_number() OVER (PARTITION BY feature ORDER BY started_at_ns) AS n FROM spans LIMIT 3',
      'SELECT arrayMap(x -> x + 1, [1, 2]) AS a, arrayFilter((x, y) -> x > y, [1, 3], [2, 2]) AS b',
      'SELECT a FROM ((SELECT 1 AS a) UNION ALL (SELECT 2 AS a)) ORDER BY a',
      'SELECT count() FROM spans WHERE trace_id IN (SELECT trace_id FROM ledger)',
      "SELECT quantile(0.5)(duration_ns), countIf(status = 'ok'), uniqExact(user_id), toStartOfHour(started_at) AS hour FROM spans GROUP BY hour",
      "SELECT * EXCEPT (attributes) FROM spans WHERE feature LIKE 'm%' AND tags['a'] = '' AND JSONExtractString(attributes, 'x') = '' LIMIT 1",
      "SELECT multiIf(cost_pico_usd > 1, 'a', 'b') AS c, CASE WHEN 1 THEN 2 ELSE 3 END AS d, CAST(1 AS String) AS e, INTERVAL 1 DAY + now() AS f FROM spans LIMIT 1",
      'SELECT number FROM numbers(3)',
      'SELECT count() FROM plimsoll.spans',
      'SELECT quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_state) FROM rollup_1h',
      'SELECT sum(number) FROM scores FINAL WHERE is_withdrawn = 0',
    ])
      await run(query);
  });

  it('has tables, columns and types as they are, and examples that run', async () => {
    for (const { name, columns, example } of CONSOLE_TABLES) {
      const stored = await raw.read<{ name: string; type: string }>(
        `SELECT name, type FROM system.columns WHERE database = 'plimsoll' AND table = {table:String} AND default_kind != 'MATERIALIZED' ORDER BY position`,
        { table: name },
      );
      assert.deepEqual(
        columns.map((column) => `${column.name} ${column.type}`).sort(),
        stored.map((column) => `${column.name} ${column.type}`).sort(),
        name,
      );
      await run(example);
    }
    const described = await run('DESCRIBE ledger');
    assert.deepEqual(described.rows[0]?.slice(0, 2), ['organisation_id', 'LowCardinality(String)']);
    assert.ok((await run('SHOW TABLES')).rows.some(([name]) => name === 'spans'));
    await assert.rejects(run('DESCRIBE span_io'), refused('invalid_argument', /no table of the console/));
  });

  it('shows rows of the own scope only, whatever is asked', async () => {
    for (const query of [
      "SELECT count() FROM spans WHERE feature = 'theirs'",
      "SELECT count() FROM spans WHERE environment != 'production' OR 1 = 1 AND feature = 'theirs'",
      "SELECT count() FROM (SELECT * FROM spans) WHERE feature = 'theirs'",
      "SELECT count() FROM spans AS a LEFT JOIN spans AS b ON a.trace_id = b.trace_id WHERE a.feature = 'theirs' OR b.feature = 'theirs'",
      "SELECT count() FROM plimsoll.spans WHERE feature = 'theirs'",
      "WITH spans AS (SELECT * FROM plimsoll.spans) SELECT count() FROM spans WHERE feature = 'theirs'",
      "SELECT count() FROM spans PREWHERE feature = 'theirs'",
      "SELECT count() FROM spans WHERE 'theirs' IN (SELECT feature FROM spans)",
    ])
      assert.deepEqual((await run(query)).rows, [['0']], query);
    const others = await runner.run(OTHER, 'SELECT feature, count() AS n FROM spans GROUP BY feature', new AbortController().signal);
    assert.deepEqual(others.rows, [['theirs', `${ROWS}`]]);
  });

  it('refuses what reads outside of its tables', async () => {
    for (const query of [
      `SELECT file('${secret}')`,
      "SELECT file('/etc/passwd')",
      `SELECT FILE('${secret}')`,
      `SELECT * FROM file('${secret}', 'LineAsString')`,
      `SELECT * FROM (SELECT * FROM file('${secret}', 'CSV', 'a String'))`,
      `SELECT arrayMap(x -> file(x), ['${secret}'])`,
      `SELECT arrayMap(file, ['${secret}'])`,
      `SELECT * APPLY file FROM (SELECT '${secret}' AS a)`,
      `SELECT * APPLY(file) FROM (SELECT '${secret}' AS a)`,
      `SELECT COLUMNS('a') APPLY(x -> file(x)) FROM (SELECT '${secret}' AS a)`,
      `SELECT \`file\`('${secret}')`,
      `SELECT "file"('${secret}')`,
      `WITH file('${secret}') AS a SELECT a`,
      `SELECT 1 WHERE 'x' = file('${secret}')`,
      `SELECT count() FROM spans ORDER BY file('${secret}')`,
      `SELECT count() FROM spans LIMIT length(file('${secret}'))`,
      `SELECT sum(1) OVER (PARTITION BY file('${secret}'))`,
      `SELECT sum(1) OVER (PARTITION BY arrayMap(file, ['${secret}']))`,
      `SELECT sum(1) OVER (ORDER BY (SELECT a FROM file('${secret}', 'LineAsString', 'a String')))`,
      'SELECT sum(1) OVER (PARTITION BY (SELECT count() FROM span_io))',
      "SELECT sum(1) OVER (PARTITION BY 'a' IN span_io)",
      'SELECT sum(1) OVER w FROM spans WINDOW w AS (PARTITION BY (SELECT count() FROM span_io))',
      `SELECT sum(1) OVER w FROM spans WINDOW w AS (PARTITION BY file('${secret}'))`,
      `SELECT count() FROM spans ORDER BY feature WITH FILL STEP length(file('${secret}'))`,
      `SELECT count() FROM spans LIMIT 1 BY file('${secret}')`,
      `SELECT quantile(length(file('${secret}')))(1)`,
      `SELECT count() FILTER (WHERE file('${secret}') = '')`,
      `SELECT * REPLACE (file('${secret}') AS a) FROM (SELECT 1 AS a)`,
      `SELECT CAST(file('${secret}') AS String)`,
      `SELECT CASE file('${secret}') WHEN '' THEN 1 END`,
      `SELECT INTERVAL length(file('${secret}')) DAY`,
      `SELECT file ('${secret}')`,
      `SELECT file/**/('${secret}')`,
      `SELECT count() FROM spans AS a JOIN spans AS b ON a.trace_id = file('${secret}')`,
      `SELECT count() FROM spans SAMPLE 1 / length(file('${secret}'))`,
      `SELECT count() FROM spans GROUP BY GROUPING SETS ((file('${secret}')))`,
      `SELECT ['${secret}'].file()`,
      `SELECT 1 AS a ARRAY JOIN [file('${secret}')] AS b`,
      "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
      "SELECT * FROM remote('127.0.0.1', system.tables)",
      "SELECT * FROM s3('http://127.0.0.1:1/a', 'CSV')",
      "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
      "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
      `SELECT * FROM sqlite('${path.join(directory, 'control.db')}', 'admin_keys')`,
      "SELECT * FROM executable('id', TabSeparated, 'a String')",
      "SELECT * FROM filesystem('/')",
      "SELECT * FROM merge('system', '.*')",
      "SELECT * FROM merge(REGEXP('.*'), '.*')",
      "SELECT * FROM merge('plimsoll', 'schema_migrations')",
      'SELECT * FROM view(SELECT 1)',
      "SELECT * FROM cluster('default', system.tables)",
      "SELECT * FROM dictionary('a')",
      'SELECT * FROM (EXPLAIN SELECT 1)',
      'SELECT * FROM system.users',
      'SELECT * FROM system.tables',
      'SELECT * FROM "system"."tables"',
      'SELECT * FROM information_schema.tables',
      'SELECT * FROM INFORMATION_SCHEMA.TABLES',
      'SELECT 1 IN system.tables',
      "SELECT 'a' NOT IN (system.users)",
      'SELECT * FROM spans, system.tables',
      'SELECT * FROM spans AS a JOIN system.tables AS b ON 1 = 1',
      'WITH tables AS (SELECT 1) SELECT * FROM system.tables',
      'SELECT * FROM span_io',
      'SELECT * FROM text_parts',
      'SELECT * FROM schema_migrations',
      'SELECT * FROM spans_view',
      "SELECT dictGet('a', 'b', 1)",
      "SELECT joinGet('a', 'b', 1)",
      "SELECT getSetting('max_threads')",
      "SELECT getServerSetting('x')",
      'SELECT hostName()',
      'SELECT currentUser()',
      'SELECT version()',
      'SELECT sleep(3)',
      "SELECT hasColumnInTable('system', 'one', 'dummy')",
    ])
      await assert.rejects(run(query), refused('invalid_argument'), query);
  });

  it('refuses what writes, sets or ends the statement, in whatever disguise', async () => {
    const outfile = path.join(directory, 'written');
    for (const query of [
      `SELECT 1 INTO OUTFILE '${outfile}'`,
      `SELECT 1) INTO OUTFILE '${outfile}' FORMAT CSV --`,
      `SELECT 1) INTO OUTFILE '${outfile}' /*`,
      `SELECT 1\n) INTO/**/OUTFILE '${outfile}'\n-- (`,
      'SELECT 1; DROP TABLE spans',
      'SELECT 1 /*;*/; DROP TABLE spans --',
      'INSERT INTO spans (trace_id) SELECT trace_id FROM spans',
      'SELECT * FROM (INSERT INTO spans (trace_id) SELECT 1)',
      'CREATE TABLE a (b Int8) ENGINE = Memory',
      'DROP TABLE spans',
      'TRUNCATE TABLE spans',
      'ALTER TABLE spans DELETE WHERE 1',
      'SET readonly = 0',
      'SELECT 1 SETTINGS readonly = 0',
      'SELECT 1 SETTINGS max_execution_time = 0, max_memory_usage = 0',
      'SELECT * FROM (SELECT 1 SETTINGS readonly = 0)',
      "SELECT 1) SETTINGS additional_table_filters = '' --",
      'SELECT 1) UNION ALL SELECT * FROM (SELECT 2',
      'SYSTEM SHUTDOWN',
      'KILL QUERY WHERE 1 SYNC',
      'ATTACH TABLE x',
      'BACKUP TABLE spans TO Disk(1, 1)',
      'WITH a AS (SELECT 1) INSERT INTO spans (trace_id) SELECT * FROM a',
      'EXPLAIN AST SELECT 1',
      'WITH 1 AS a',
      'SELECT',
      '((((',
      `${'('.repeat(3000)}SELECT 1${')'.repeat(3000)}`,
    ])
      await assert.rejects(run(query), refused('invalid_argument'), query);
    assert.equal(existsSync(outfile), false);
    assert.deepEqual((await run('SELECT count() FROM spans')).rows, [[`${ROWS}`]]);
  });

  it('is held by the engine too, when a statement has passed our lists', async () => {
    const server = createServer((_request, response) => response.end('1\n'));
    server.listen(0, '127.0.0.1').unref();
    await new Promise((resolve) => server.once('listening', resolve));
    let asked = 0;
    server.on('request', () => (asked += 1));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // a TCP server's address
    for (const sql of [
      `SELECT * FROM file('${secret}', 'LineAsString')`,
      `SELECT * FROM url('${url}', 'LineAsString')`,
      "SELECT * FROM remote('127.0.0.1', system.tables)",
      "SELECT * FROM executable('id', TabSeparated, 'a String')",
      'INSERT INTO spans (trace_id) SELECT 1',
    ])
      await assert.rejects(engineRun(sql), refused('invalid_argument'), sql);
    server.close();
    assert.equal(asked, 0);
    // The lane of the console runs nothing but reading statements, and leaves no setting behind for others.
    const fetched = (query: string, lane: string) =>
      fetch(`http://127.0.0.1:${engine.port}/?database=plimsoll&readonly=0`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'x-plimsoll-lane': lane },
        body: query,
      });
    for (const query of [
      'DROP TABLE spans',
      'CREATE TABLE x (a Int8) ENGINE = Memory',
      'INSERT INTO spans (trace_id) SELECT 1',
      `SELECT * FROM file('${secret}', 'LineAsString')`,
    ])
      assert.notEqual((await fetched(query, 'console')).status, 200, query);
    await raw.command('CREATE TABLE still_writes (a Int8) ENGINE = Memory');
    assert.equal(
      (await (await fetched(`SELECT * FROM file('${secret}', 'LineAsString')`, 'adhoc')).text()).trim(),
      'the secret of the machine',
      'the file is there to be read',
    );
  });

  it('gives nothing of a statement that failed to the next one', async () => {
    // chDB leaves what was written before a failure in front of the next answer on its connection.
    for (let round = 0; round < 3; round++) {
      await assert.rejects(run("SELECT number, throwIf(number = 60000, 'stop') AS a FROM numbers(100000)"), refused('invalid_argument'));
      await assert.rejects(
        run("SELECT number, if(number = 900, toUInt8(CAST('x' AS String)), 1) AS a FROM numbers(1000)"),
        refused('invalid_argument'),
      );
      assert.deepEqual((await run('SELECT 1 AS a')).rows, [[1]]);
    }
  });

  it('ends what takes too long or too much, and goes on serving', async () => {
    const started = performance.now();
    await assert.rejects(
      run('SELECT count() FROM numbers(1000000000) AS a CROSS JOIN numbers(1000000000) AS b'),
      refused('query_too_expensive'),
    );
    assert.ok(performance.now() - started < 20_000, `took ${performance.now() - started} ms`);
    await assert.rejects(run('SELECT groupArray(number) AS a FROM numbers(1000000000)'), refused('query_too_expensive'));
    await assert.rejects(
      run('SELECT number, repeat(toString(number), 1000) AS a FROM numbers(1000000000) ORDER BY a'),
      refused('query_too_expensive'),
    );
    await assert.rejects(run("SELECT repeat('x', 1000000) AS a FROM numbers(1000)"), refused('query_too_expensive'));
    assert.deepEqual((await run('SELECT 1 AS a')).rows, [[1]]);
  });

  it('can be cancelled, runs two at a time, and leaves others their own lanes', async () => {
    const long = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)';
    const [first, second] = ['run-number-1', 'run-number-2'].map((id) => run(long, id));
    assert.ok(first && second);
    await assert.rejects(run('SELECT 1'), refused('rate_limited'));
    await assert.rejects(run('SELECT 1', 'run-number-1'), refused('conflict'));
    const began = performance.now();
    await raw.read('SELECT count() FROM spans', {});
    await raw.command('SELECT 1');
    assert.ok(performance.now() - began < 2_000, 'dashboards and ingest do not wait');
    console.cancel('run-number-2');
    await assert.rejects(second, refused('conflict', /cancelled/));
    console.cancel('run-number-1');
    await assert.rejects(first, refused('conflict', /cancelled/));
    assert.throws(() => console.cancel('run-number-1'), refused('not_found'));
    await run('SELECT 1');
  });

  it('says where a mistake is, in the text as it was written', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['SELECT 1\nFRO spans x', /^Line 2, column \d+: Syntax error/],
      ['SELECT feature,\n  nonsense\nFROM spans', /^Line 2, column 3: .*nonsense/],
      ['SELECT count(1 2) FROM spans', /^Line 1, column 16: Syntax error at "2"/],
      ['SELECT (1', /^Line 1, column \d+: /],
      ['SELECT *\nFROM system.users', /^Line 2, column 6: The database system is not open/],
      ['SELECT 1,\n sleep(1)', /^Line 2, column 2: The function sleep/],
    ];
    for (const [query, pattern] of cases) await assert.rejects(run(query), refused('invalid_argument', pattern), query);
  });

  it('writes down who asked what, before and after', async () => {
    await run("SELECT 'remember me'", 'run-to-remember');
    await assert.rejects(run("SELECT 'and me' FROM nowhere", 'run-that-failed'));
    const audited = (await control.audit.list(DEFAULT_SCOPE, { afterSequence: 0, limit: 1000 })).filter(({ subject }) =>
      /run-t/.test(subject),
    );
    assert.deepEqual(
      audited.map(({ action, subject, actor, details }) => [action, subject, actor.id, details.query]),
      [
        ['sql.run', 'sql/run-to-remember', 'ada', "SELECT 'remember me'"],
        ['sql.run', 'sql/run-that-failed', 'ada', "SELECT 'and me' FROM nowhere"],
      ],
    );
    const [failed, done] = await control.eventLog.list(DEFAULT_SCOPE, { names: ['sql.run'], subject: null, beforeId: null, limit: 2 });
    assert.deepEqual([done?.subject, done?.details.rows, done?.details.query], ['sql/run-to-remember', 1, "SELECT 'remember me'"]);
    assert.deepEqual([failed?.subject, failed?.details.error], ['sql/run-that-failed', 'invalid_argument']);
    assert.match(done?.message ?? '', /^Ada ran a query/);
  });
});
