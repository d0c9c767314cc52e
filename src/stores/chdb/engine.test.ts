import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { PlimsollError } from '../../kernel/errors.ts';
import { within } from '../../kernel/testing.ts';
import { ClickHouseConnection } from '../clickhouse/client.ts';
import { type Engine, startEngine } from './engine.ts';

const TOKEN = 'engine-test-token';
const QUICK_RUNAWAY = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)';

describe('engine façade under @clickhouse/client', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-engine-'));
  let engine: Engine;
  let client: ClickHouseClient;
  const url = () => `http://127.0.0.1:${engine.port}`;
  const connect = (options: Parameters<typeof createClient>[0] = {}) =>
    createClient({ url: url(), access_token: TOKEN, log: { level: ClickHouseLogLevel.OFF }, ...options });

  before(async () => {
    engine = await startEngine({
      dataDir,
      token: TOKEN,
      port: 0,
      limits: {
        maxQueryMemoryBytes: 300_000_000,
        maxServerMemoryBytes: 1_000_000_000,
        maxExecutionSeconds: { dashboard: 120, adhoc: 2, console: 60, ingest: 10 },
        maxWaiting: 4,
        maxBodyBytes: 1_000_000,
        maxHeldBodyBytes: 1_500_000,
      },
    });
    client = connect();
  });
  after(async () => {
    await client?.close();
    await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const rows = async (query: string, options: Omit<Parameters<ClickHouseClient['query']>[0], 'query' | 'format'> = {}) =>
    (await client.query({ query, format: 'JSONEachRow', ...options })).json<Record<string, unknown>>();
  const withCode = (code: string) => (error: unknown) => error instanceof ClickHouseError && error.code === code;

  it('answers ping, definitions, inserts and selects, with 64-bit integers as text', async () => {
    assert.equal((await client.ping()).success, true);
    assert.equal((await client.ping({ select: true })).success, true);
    await client.command({ query: 'CREATE TABLE numbers_in (n Int64, t String) ENGINE = MergeTree ORDER BY n' });
    const inserted = await client.insert({
      table: 'numbers_in',
      values: [
        { n: '9007199254740993', t: 'a\n\'"\\ \u{1F600}' },
        { n: 2, t: '' },
      ],
      format: 'JSONEachRow',
    });
    assert.equal(inserted.summary?.written_rows, '2');
    assert.deepEqual(await rows('SELECT n, t FROM numbers_in ORDER BY n DESC'), [
      { n: '9007199254740993', t: 'a\n\'"\\ \u{1F600}' },
      { n: '2', t: '' },
    ]);
  });

  it('binds parameters of every shape, and never sees those of another call', async () => {
    const hostile = "'; DROP TABLE numbers_in; --\\ \t\n{y:String}\u{1F600}";
    const [row] = await rows('SELECT {s:String} AS s, {n:UInt64} AS n, {list:Array(String)} AS list, {none:Nullable(String)} AS none', {
      query_params: { s: hostile, n: 5, list: [hostile, ''], none: null },
    });
    assert.deepEqual(row, { s: hostile, n: '5', list: [hostile, ''], none: null });
    const tenants = Array.from({ length: 4 }, async (_, tenant) => {
      for (let round = 0; round < 25; round++) {
        const value = `tenant ${tenant} round ${round}`;
        assert.deepEqual(
          await rows('SELECT {tenant:String} AS value, sum(number) AS s FROM numbers(1000)', { query_params: { tenant: value } }),
          [{ value, s: '499500' }],
        );
      }
    });
    await Promise.all(tenants);
    // The connections have all bound {tenant} by now; a call without it must fail and not read an older value.
    for (let round = 0; round < 6; round++) await assert.rejects(rows('SELECT {tenant:String}'), withCode('456'));
  });

  it('takes settings with one statement and forgets them with it', async () => {
    const threads = "SELECT value FROM system.settings WHERE name = 'max_threads'";
    const [before] = await rows(threads);
    for (let round = 0; round < 4; round++)
      assert.deepEqual(await rows(threads, { clickhouse_settings: { max_threads: 3 } }), [{ value: '3' }]);
    for (let round = 0; round < 4; round++) assert.deepEqual(await rows(threads), [before]);
    await assert.rejects(client.command({ query: 'SET max_threads = 1' }), withCode('48'));
    await client.command({ query: 'CREATE DATABASE second' });
    const second = connect({ database: 'second' });
    await second.command({ query: 'CREATE TABLE only_there (a Int8) ENGINE = MergeTree ORDER BY a' });
    assert.deepEqual(await (await second.query({ query: 'SELECT count() AS c FROM only_there', format: 'JSONEachRow' })).json(), [
      { c: '0' },
    ]);
    await assert.rejects(rows('SELECT * FROM only_there'), withCode('60'));
    await second.close();
  });

  it('inserts a token once', async () => {
    await client.command({
      query: 'CREATE TABLE once (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10',
    });
    for (const values of [[{ a: 1 }], [{ a: 1 }]])
      await client.insert({ table: 'once', values, format: 'JSONEachRow', clickhouse_settings: { insert_deduplication_token: 'x' } });
    await client.insert({
      table: 'once',
      values: [{ a: 1 }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: 'y' },
    });
    assert.deepEqual(await rows('SELECT count() AS c FROM once'), [{ c: '2' }]);
  });

  it('speaks gzip both ways', async () => {
    const zipped = connect({ compression: { request: true, response: true } });
    await zipped.command({ query: 'CREATE TABLE zipped (a String) ENGINE = MergeTree ORDER BY a' });
    await zipped.insert({ table: 'zipped', values: [{ a: 'x'.repeat(10_000) }], format: 'JSONEachRow' });
    const answer = await zipped.query({ query: 'SELECT a FROM zipped', format: 'JSONEachRow' });
    assert.equal(answer.response_headers['content-encoding'], 'gzip');
    assert.deepEqual(await answer.json(), [{ a: 'x'.repeat(10_000) }]);
    await zipped.close();
  });

  it('streams a large result, and reports a failure in the middle of one', async () => {
    const answer = await client.query({ query: 'SELECT number FROM numbers(300000)', format: 'JSONEachRow' });
    let count = 0;
    for await (const chunk of answer.stream()) count += chunk.length;
    assert.equal(count, 300_000);
    // One thread and small blocks: the first rows are out long before the one that throws is read.
    const failing = await client.query({
      query: "SELECT number, throwIf(number = 590000, 'boom') AS x FROM numbers(600000)",
      format: 'JSONEachRow',
      clickhouse_settings: { max_threads: 1, max_block_size: '10000' },
    });
    await assert.rejects(async () => {
      for await (const _ of failing.stream());
    }, /boom/);
    assert.deepEqual(await rows('SELECT 1 AS one'), [{ one: 1 }]);
  });

  it('gives typed errors', async () => {
    await assert.rejects(rows('SELECT nothing_like_it'), withCode('47'));
    await assert.rejects(rows('SELECT FROM WHERE'), (error) => error instanceof ClickHouseError);
    await assert.rejects(client.insert({ table: 'absent', values: [{ a: 1 }], format: 'JSONEachRow' }), withCode('60'));
  });

  it('stops a query that eats memory, and serves the next one', async () => {
    const connection = new ClickHouseConnection({ url: url(), token: TOKEN, database: 'default' }, 'default');
    await assert.rejects(
      connection.read('SELECT groupArray(repeat(toString(number), 1000)) AS hog FROM numbers(100000000)', {}),
      (error) => error instanceof PlimsollError && error.code === 'query_too_expensive' && error.details.clickhouseCode === 241,
    );
    assert.deepEqual(await connection.read('SELECT 1 AS one', {}), [{ one: 1 }]);
    assert.equal((await engine.health()).isHealthy, true);
    await connection.close();
  });

  it('ends a query at its time limit, which a caller cannot lift', async () => {
    const startedMs = performance.now();
    const options = { clickhouse_settings: { max_execution_time: 600 }, http_headers: { 'x-plimsoll-lane': 'adhoc' } };
    await assert.rejects(rows(QUICK_RUNAWAY, options), withCode('159'));
    assert.ok(performance.now() - startedMs < within(6_000));
  });

  it('stays healthy behind running queries, answers 503 when the queue is full, and stops what its clients left', async () => {
    const leaving = new AbortController();
    // Two connections run, four wait.
    const stuck = Array.from({ length: 6 }, () => rows(QUICK_RUNAWAY, { abort_signal: leaving.signal }));
    const settled = Promise.allSettled(stuck);
    const isFull = async () => (await engine.health()).waiting.dashboard === 4;
    while (!(await isFull()));
    await assert.rejects(rows('SELECT 1'), withCode('202'));
    const raw = await call('/?query=SELECT%201', { authorization: `Bearer ${TOKEN}` });
    assert.equal(raw.status, 503);
    assert.equal(raw.headers['retry-after'], '1');
    const adhoc = await client.query({ query: 'SELECT 2 AS two', format: 'JSONEachRow', http_headers: { 'x-plimsoll-lane': 'adhoc' } });
    assert.deepEqual(await adhoc.json(), [{ two: 2 }]);
    assert.ok((await engine.health()).latencyMs < within(1_000));
    const startedMs = performance.now();
    leaving.abort();
    await settled;
    while (((await engine.health()).waiting.dashboard ?? 0) > 0); // the sockets close a moment after the aborts
    assert.deepEqual(await rows('SELECT 3 AS three'), [{ three: 3 }]);
    assert.ok(performance.now() - startedMs < 60_000, 'freed by the kill and not by the time limit of 120 s');
  });

  it('refuses every call without the token, in whatever form', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${Buffer.from('default:wrong').toString('base64')}` },
      { 'x-clickhouse-key': '' },
    ] as Record<string, string>[]) {
      for (const path of ['/ping', '/?query=SELECT%201', `/?query=SELECT%201&password=${TOKEN}`]) {
        const answer = await call(path, headers);
        assert.equal(answer.status, 401);
        assert.equal(answer.headers['x-clickhouse-exception-code'], '516');
        assert.ok(!answer.body.includes(TOKEN));
      }
    }
    for (const headers of [
      { 'x-clickhouse-key': TOKEN },
      { authorization: `Basic ${Buffer.from(`default:${TOKEN}`).toString('base64')}` },
    ] as Record<string, string>[])
      assert.equal((await call('/?query=SELECT%201', headers)).body, '1\n');
  });

  it('refuses bodies above the limit, also when they grow while unpacking', async () => {
    const authorization = `Bearer ${TOKEN}`;
    const path = `/?query=${encodeURIComponent('INSERT INTO once FORMAT JSONEachRow')}`;
    const large = Buffer.alloc(1_100_000, ' ');
    assert.equal((await call(path, { authorization }, large)).status, 413);
    assert.equal((await call(path, { authorization, 'content-encoding': 'gzip' }, gzipSync(large))).status, 413);
    assert.equal((await call(path, { authorization, 'content-encoding': 'gzip' }, Buffer.from('not gzip'))).status, 503);
    assert.deepEqual(await rows('SELECT 1 AS one'), [{ one: 1 }]);
  });

  it('refuses a directory that another process holds', async () => {
    const script = `
      import { startEngine } from ${JSON.stringify(new URL('./engine.ts', import.meta.url).href)};
      try { await startEngine({ dataDir: ${JSON.stringify(dataDir)}, token: 't', port: 0 }); console.log('opened'); }
      catch (error) { console.log(error.code, error.message); }
      process.exit(0);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(child, 'exit');
    assert.match(output, /^data_dir_unusable .* is in use by another engine process/);
    assert.equal((await engine.health()).isHealthy, true);
  });

  /** A bare call, for what the client hides. */
  async function call(path: string, headers: Record<string, string>, body?: Buffer) {
    const outgoing = request(`${url()}${path}`, { method: body ? 'POST' : 'GET', headers });
    outgoing.on('error', () => {}); // the server may answer and close before it has read the whole body
    outgoing.end(body);
    const [incoming] = await once(outgoing, 'response');
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      // cut after the answer, see above
    }
    return {
      status: Number(incoming.statusCode),
      headers: incoming.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString(),
    };
  }
});
