/**
 * How fast does the trace store answer at 10 M spans over 30 days, and what does a span take on disk?
 * `npm run bench -- queries [--spans 10000000] [--dir /tmp/bench10m] [--smoke] [--json]`
 * With --dir the data stays and is used again.
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
import { AgentCorpus, FEATURES, percentile } from './store/corpus.ts';
import { loadAgents, loadCalls, loadLongTrace, SCOPE } from './store/load.ts';
import { reporter } from './store/report.ts';

const { values: flags } = parseArgs({
  options: {
    spans: { type: 'string' },
    dir: { type: 'string' },
    rounds: { type: 'string' },
    smoke: { type: 'boolean' },
    json: { type: 'boolean' },
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

async function measure(
  engine: ChildProcess,
  name: string,
  goalMs: number | null,
  work: (round: number) => Promise<unknown>,
  times = rounds,
): Promise<void> {
  await work(0);
  const milliseconds: number[] = [];
  const cpuBefore = cpuMs(engine.pid ?? 0);
  for (let round = 1; round <= times; round++) {
    const startedMs = performance.now();
    await work(round);
    milliseconds.push(performance.now() - startedMs);
  }
  report(name, {
    p50Ms: percentile(milliseconds, 0.5),
    p95Ms: percentile(milliseconds, 0.95),
    engineCpuMs: (cpuMs(engine.pid ?? 0) - cpuBefore) / times,
    ...(goalMs === null ? {} : { goalMs }),
  });
}

async function measureAll(stores: ClickHouseStores, connection: ClickHouseConnection, engine: ChildProcess, note: Note): Promise<void> {
  const { traces } = stores;
  const { endMs } = note;
  /** Another range each time: nothing is answered from a cache of results. */
  const to = (round: number): number => endMs - round * 61_777;
  const overview = (round: number, days: number) =>
    Promise.all([
      traces.summary(SCOPE, to(round) - days * DAY_MS, to(round), 'feature'),
      traces.series(SCOPE, { from: to(round) - days * DAY_MS, to: to(round) }),
    ]);
  const list = (query: Parameters<typeof traces.listTraces>[1]) => traces.listTraces(SCOPE, query, endMs);
  const run = (name: string, goalMs: number | null, work: (round: number) => Promise<unknown>, times?: number) =>
    measure(engine, name, goalMs, work, times);

  await run('dashboard: overview 24 h', 150, (round) => overview(round, 1));
  await run('dashboard: overview 7 days', 150, (round) => overview(round, 7));
  await run('dashboard: overview 30 days', 150, (round) => overview(round, 30));
  await run('dashboard: by model, 30 days', 150, (round) => traces.summary(SCOPE, to(round) - 30 * DAY_MS, to(round), 'model'));
  await run('dashboard: one feature, 30 days', 150, (round) =>
    traces.series(SCOPE, { from: to(round) - 30 * DAY_MS, to: to(round), feature: FEATURES[round % FEATURES.length] }),
  );
  const page = { limit: 50 };
  await run('list: newest', 150, () => list(page));
  await run('list: a page in the middle', 150, (round) => list({ ...page, to: endMs - 15 * DAY_MS - round * 61_777 }));
  await run('list: feature and errors', 150, (round) => list({ ...page, feature: 'triage', status: 'error', to: to(round) }));
  await run('list: model, slower than 2 s', 150, (round) => list({ ...page, model: 'gpt-4o', minDurationMs: 2_000, to: to(round) }));
  await run('list: one user, 30 days', 150, (round) => list({ ...page, user: `user-${round * 7}` }));
  await run('list: one user that is not there', 150, (round) => list({ ...page, user: `nobody-${round}` }));
  const text = (q: string) => list({ ...page, q });
  await run('text: rare word', 400, (round) => text(`rare${round}x${(round * 3) % 70}`));
  const common = await frequentWords(connection);
  await run('text: common word', 400, (round) => text(common[round % 20] ?? ''));
  await run('text: two words', 400, (round) => text(`${common[round % 20]} ${common[200 + round]}`));
  await run('text: phrase', 400, (round) => text(`"${common[round % 20]} ${common[30 + round]}"`));
  await run('text: word and feature, errors', 400, (round) =>
    list({ ...page, q: common[100 + round] ?? '', feature: 'triage', status: 'error' }),
  );
  await run('text: no such word', 400, (round) => text(`nosuchword${round}`));
  const adhoc = (sql: string) => (round: number) =>
    connection.read(sql, { toNs: BigInt(to(round)) * 1_000_000n, round }, { lane: 'adhoc' });
  const scope = `organisation_id = 'default' AND environment = 'production' AND started_at_ns < {toNs:Int64}`;
  const few = Math.max(5, Math.floor(rounds / 3));
  await run(
    'ad hoc: users by cost, slow errors and retries',
    1_000,
    adhoc(`SELECT user_id, count(), sum(cost_pico_usd), quantile(0.95)(duration_ns) AS p95 FROM spans
      WHERE ${scope} AND is_entry = 1 AND (duration_ns > 1000000000 OR status = 'error') AND model != 'x{round:UInt32}' GROUP BY user_id ORDER BY p95 DESC LIMIT 100`),
    few,
  );
  await run(
    'ad hoc: tools by hour of day, all spans',
    1_000,
    adhoc(`SELECT name, intDiv(started_at_ns, 3600000000000) % 24 AS hour, count(), avg(duration_ns), quantile(0.99)(duration_ns) FROM spans
      WHERE ${scope} AND is_entry = 0 AND kind = 'tool' GROUP BY name, hour ORDER BY hour, name LIMIT {round:UInt32} + 200`),
    few,
  );
  await run(
    'ad hoc: free filter on an attribute, 7 days',
    1_000,
    adhoc(`SELECT feature, count() FROM spans WHERE ${scope} AND started_at_ns >= {toNs:Int64} - 604800000000000 AND is_entry IN (0, 1)
      AND JSONExtractString(attributes, 'gen_ai.tool.call.id') LIKE concat('call_', toString({round:UInt32}), '%') GROUP BY feature`),
    few,
  );
  await run('trace of a few spans', null, (round) =>
    list({ ...page, to: to(round), limit: 1 }).then(({ traces: [one] }) => traces.getTrace(SCOPE, one?.traceId ?? '')),
  );
  await run(`trace of ${longTraceSpans} spans`, 800, () => traces.getTrace(SCOPE, note.longTraceId), few);
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
    await measureAll(stores, connection, engine, note);
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
