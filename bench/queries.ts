/**
 * How fast does the trace store answer at 10 M spans over 30 days, and what does a span take on disk?
 * `npm run bench -- queries [--spans 10000000] [--dir /tmp/bench10m] [--only text] [--peer sqlite,duckdb] [--smoke] [--json]`
 * With --dir the data stays and is used again. Peers are given the same spans and are asked the same questions, by turns with us.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEngine } from '../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../src/stores/clickhouse/client.ts';
import { type ClickHouseStores, openClickHouse } from '../src/stores/clickhouse/open.ts';
import { cpuMs, rssMegabytes } from './gateway/processes.ts';
import { cloneStored } from './store/clone.ts';
import { AgentCorpus, percentile } from './store/corpus.ts';
import { loadAgents, loadCalls, loadLongTrace, SCOPE } from './store/load.ts';
import { duckdbPeer } from './store/peers/duckdb.ts';
import { type Peer, SpanSource } from './store/peers/peer.ts';
import { sqlitePeer } from './store/peers/sqlite.ts';
import { type Case, casesOf, type Question } from './store/questions.ts';
import { reporter } from './store/report.ts';

const { values: flags } = parseArgs({
  options: {
    spans: { type: 'string' },
    dir: { type: 'string' },
    rounds: { type: 'string' },
    smoke: { type: 'boolean' },
    json: { type: 'boolean' },
    only: { type: 'string' },
    peer: { type: 'string' },
    engine: { type: 'string' },
  },
});
const report = reporter(flags.json === true);
const spansWanted = Number(flags.spans ?? (flags.smoke ? 20_000 : 10_000_000));
const rounds = Number(flags.rounds ?? (flags.smoke ? 5 : 30));
const longTraceSpans = flags.smoke ? 1_000 : 10_000;
const DAYS = 30;
const DAY_MS = 86_400_000;
/** Made by the product's code; the rest are copies of it. */
const BASE_SPANS = Math.min(spansWanted, flags.smoke ? 10_000 : 140_000);

interface Note {
  readonly endMs: number;
  readonly longTraceId: string;
  readonly spans: number;
  readonly rawBytesPerSpan: number;
}

async function runEngine(dataDir: string): Promise<void> {
  const engine = await startEngine({ dataDir, token: process.env.BENCH_TOKEN ?? '', port: 0 });
  process.send?.({ port: engine.port });
  process.once('disconnect', () => void engine.close().then(() => process.exit(0)));
}

async function load(stores: ClickHouseStores, connection: ClickHouseConnection): Promise<Note> {
  const endMs = Date.now();
  const corpus = new AgentCorpus(42);
  const windows = Math.max(1, Math.round(spansWanted / BASE_SPANS));
  const stepMs = (DAYS * DAY_MS) / windows;
  const startedMs = performance.now();
  const agents = await loadAgents(stores, corpus, Math.floor(BASE_SPANS * 0.7), endMs - stepMs, endMs);
  const calls = await loadCalls(stores, corpus, Math.floor((BASE_SPANS * 0.3) / 7), endMs - stepMs, endMs);
  const base = agents.spans + calls.spans;
  report('base, through the product', { spans: base, spansPerSecond: (base * 1000) / (performance.now() - startedMs) });
  await cloneStored(connection, windows - 1, Math.round(stepMs), (copy) => {
    if (!flags.json && process.stderr.isTTY) process.stderr.write(`\rcopy ${copy} of ${windows - 1}`);
  });
  const longTraceId = await loadLongTrace(stores, corpus, longTraceSpans, endMs - 60_000);
  return { endMs, longTraceId, spans: base * windows + longTraceSpans, rawBytesPerSpan: (agents.rawBytes + calls.rawBytes) / base };
}

function answer(stores: ClickHouseStores, connection: ClickHouseConnection, question: Question): Promise<number> {
  const { traces } = stores;
  const adhoc = async (sql: string, parameters: Readonly<Record<string, bigint | number>>): Promise<number> => {
    const scope = `organisation_id = 'default' AND environment = 'production' AND started_at_ns < {toNs:Int64}`;
    return (await connection.read(sql.replace('{scope}', scope), parameters, { lane: 'adhoc' })).length;
  };
  switch (question.kind) {
    case 'overview':
      return Promise.all([
        traces.summary(SCOPE, question.from, question.to, 'feature'),
        traces.series(SCOPE, { from: question.from, to: question.to }),
      ]).then(([summary]) => summary.total.requests);
    case 'by model':
      return traces.summary(SCOPE, question.from, question.to, 'model').then(({ total }) => total.requests);
    case 'series of a feature':
      return traces.series(SCOPE, question).then(({ points }) => points.reduce((sum, { requests }) => sum + requests, 0));
    case 'list':
      return traces.listTraces(SCOPE, question.query, Date.now()).then((page) => page.traces.length);
    case 'users by cost':
      return adhoc(
        `SELECT user_id, count(), sum(cost_pico_usd), quantile(0.95)(duration_ns) AS p95 FROM spans
         WHERE {scope} AND is_entry = 1 AND (duration_ns > 1000000000 OR status = 'error') AND model != 'x{round:UInt32}' GROUP BY user_id ORDER BY p95 DESC LIMIT 100`,
        { toNs: BigInt(question.to) * 1_000_000n, round: question.round },
      );
    case 'tools by hour':
      return adhoc(
        `SELECT name, intDiv(started_at_ns, 3600000000000) % 24 AS hour, count(), avg(duration_ns), quantile(0.99)(duration_ns) FROM spans
         WHERE {scope} AND is_entry = 0 AND kind = 'tool' GROUP BY name, hour ORDER BY hour, name LIMIT {round:UInt32} + 200`,
        { toNs: BigInt(question.to) * 1_000_000n, round: question.round },
      );
    case 'attribute':
      return adhoc(
        `SELECT feature, count() FROM spans WHERE {scope} AND started_at_ns >= {toNs:Int64} - 604800000000000 AND is_entry IN (0, 1)
         AND JSONExtractString(attributes, 'gen_ai.tool.call.id') LIKE concat('call_', toString({round:UInt32}), '%') GROUP BY feature`,
        { toNs: BigInt(question.to) * 1_000_000n, round: question.round },
      );
    case 'trace of the newest page':
      return traces
        .listTraces(SCOPE, { limit: 1, to: question.to }, Date.now())
        .then(({ traces: [one] }) => traces.getTrace(SCOPE, one?.traceId ?? ''))
        .then((trace) => trace?.spans.length ?? 0);
    case 'trace':
      return traces.getTrace(SCOPE, question.traceId, question.texts).then((trace) => trace?.spans.length ?? 0);
    default:
      return question satisfies never;
  }
}

async function measure(
  engine: ChildProcess,
  { name, goalMs, isCostly = false, ask }: Case,
  ours: (question: Question) => Promise<number>,
  peers: readonly Peer[],
): Promise<void> {
  const times = isCostly ? Math.max(5, Math.floor(rounds / 3)) : rounds;
  const engineMs = (): number => cpuMs(engine.pid ?? 0);
  const timed = async (asked: () => Promise<number>): Promise<{ ms: number; answer: number }> => {
    const startedMs = performance.now();
    const found = await asked();
    return { ms: performance.now() - startedMs, answer: found };
  };
  await ours(ask(0));
  for (const peer of peers) await peer.ask(ask(0));
  const own: number[] = [];
  let engineCpuMs = 0;
  const theirs = peers.map(() => ({ milliseconds: [] as number[], same: 0 }));
  for (let round = 1; round <= times; round++) {
    const before = engineMs();
    const { ms, answer: expected } = await timed(() => ours(ask(round)));
    engineCpuMs += engineMs() - before;
    own.push(ms);
    for (const [place, peer] of peers.entries()) {
      const asked = await timed(() => peer.ask(ask(round)));
      theirs[place]?.milliseconds.push(asked.ms);
      if (asked.answer === expected && theirs[place] !== undefined) theirs[place].same += 1;
    }
  }
  report(name, {
    p50Ms: percentile(own, 0.5),
    p95Ms: percentile(own, 0.95),
    engineCpuMs: engineCpuMs / times,
    ...(goalMs === null ? {} : { goalMs }),
    ...Object.fromEntries(
      peers.flatMap(({ name: peer }, place) => {
        const { milliseconds = [], same = 0 } = theirs[place] ?? {};
        const p50 = percentile(milliseconds, 0.5);
        return [
          [`${peer}P50Ms`, p50],
          [`${peer}P95Ms`, percentile(milliseconds, 0.95)],
          [`${peer}Ratio`, p50 / percentile(own, 0.5)],
          [`${peer}SameAnswers`, `${same} of ${times}`],
        ];
      }),
    ),
  });
}

async function measureAll(
  stores: ClickHouseStores,
  connection: ClickHouseConnection,
  engine: ChildProcess,
  note: Note,
  peers: readonly Peer[],
): Promise<void> {
  const cases = casesOf(note.endMs, { traceId: note.longTraceId, spans: longTraceSpans }, await frequentWords(connection));
  for (const each of cases)
    if (flags.only === undefined || each.name.includes(flags.only))
      await measure(engine, each, (question) => answer(stores, connection, question), peers);
}

async function openPeers(directory: string, connection: ClickHouseConnection, spans: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of flags.peer?.split(',') ?? []) {
    const path = join(directory, `peer.${name}`);
    if (name !== 'sqlite' && name !== 'duckdb') throw new Error(`--peer ${name}: sqlite or duckdb`);
    const peer = name === 'sqlite' ? sqlitePeer(path) : await duckdbPeer(path, join(tmpdir(), 'plimsoll-bench-duckdb'));
    const startedMs = performance.now();
    await peer.load(new SpanSource(connection), (share) => {
      if (!flags.json && process.stderr.isTTY) process.stderr.write(`\r${name}: ${Math.round(share * 100)} %`);
    });
    report(`${name} loaded`, { seconds: (performance.now() - startedMs) / 1000, bytesPerSpan: peer.bytes() / spans });
    peers.push(peer);
  }
  return peers;
}

async function frequentWords(connection: ClickHouseConnection): Promise<string[]> {
  const rows = await connection.read<{ word: string }>(
    `SELECT arrayJoin(splitByNonAlpha(words)) AS word FROM (SELECT words FROM span_words LIMIT 3000) GROUP BY word HAVING length(word) > 3 ORDER BY count() DESC LIMIT 400`,
    {},
  );
  return rows.map((row) => row.word);
}

async function reportDisk(connection: ClickHouseConnection, spans: number, rawBytesPerSpan: number): Promise<void> {
  const tables = await connection.read<{ table: string; bytes: string }>(
    'SELECT table, toString(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY sum(bytes_on_disk) DESC',
    {},
  );
  const bytes = tables.reduce((sum, row) => sum + Number(row.bytes), 0);
  report('bytes on disk a span', {
    total: bytes / spans,
    raw: rawBytesPerSpan,
    ...Object.fromEntries(tables.filter((row) => Number(row.bytes) / spans >= 0.5).map((row) => [row.table, Number(row.bytes) / spans])),
    goal: 2_048,
  });
}

async function runBench(): Promise<void> {
  const directory = flags.dir ?? mkdtempSync(join(tmpdir(), 'plimsoll-bench-queries-'));
  mkdirSync(directory, { recursive: true });
  const token = randomUUID();
  const engine = fork(import.meta.filename, ['--engine', join(directory, 'engine')], {
    env: { ...process.env, BENCH_TOKEN: token, UV_THREADPOOL_SIZE: '8' },
  });
  const startedMs = performance.now();
  const [ready] = (await once(engine, 'message')) as [{ port: number }]; // sent by runEngine
  const options = { url: `http://127.0.0.1:${ready.port}`, token, database: 'plimsoll' };
  const stores = openClickHouse(options);
  const connection = new ClickHouseConnection(options, 'plimsoll');
  try {
    await stores.migrate();
    report('open', { ms: performance.now() - startedMs, cpus: cpus().length, load: loadavg()[0] ?? 0 });
    const notePath = join(directory, 'note.json');
    if (!existsSync(notePath)) writeFileSync(notePath, JSON.stringify(await load(stores, connection)));
    const note = JSON.parse(readFileSync(notePath, 'utf8')) as Note; // written above
    report('stored', { spans: note.spans, days: DAYS });
    const peers = await openPeers(directory, connection, note.spans);
    await measureAll(stores, connection, engine, note, peers);
    for (const peer of peers) await peer.close();
    await reportDisk(connection, note.spans, note.rawBytesPerSpan);
    report('engine', { rssMegabytes: rssMegabytes(engine.pid ?? 0), load: loadavg()[0] ?? 0 });
  } finally {
    await connection.close();
    await stores.close();
    const exited = once(engine, 'exit');
    engine.disconnect();
    await exited;
    if (flags.dir === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

if (flags.engine !== undefined) await runEngine(flags.engine);
else await runBench();
