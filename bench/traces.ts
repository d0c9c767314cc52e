/** How fast is the trace store at 1 M spans of 2 KB? `node bench/traces.ts [--spans 1000000] [--smoke] [--json]` */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newSpanId, newTraceId, newUuidV7 } from '../src/kernel/ids.ts';
import { startEngine } from '../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../src/stores/clickhouse/client.ts';
import { openClickHouse } from '../src/stores/clickhouse/open.ts';
import type { CallSettled } from '../src/traces/call-record.ts';
import { batchOf, sampleAttempt, sampleCall } from '../test/contract/ledger-sample-calls.ts';

const SPANS_PER_CALL = 7;
const BYTES_PER_SPAN = 2048;
const CALLS_PER_BATCH = 1000;
const DAYS = 7;
const DAY_MS = 86_400_000;
const scope = { organisationId: 'default', environment: 'production' };

const { values: flags } = parseArgs({
  options: {
    spans: { type: 'string' },
    smoke: { type: 'boolean' },
    json: { type: 'boolean' },
    engine: { type: 'string' },
    keep: { type: 'boolean' },
  },
});

/** A small generator of repeatable randomness (mulberry32): the same run twice writes the same data. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = seeded(42);
// A vocabulary used with falling frequency compresses like text, neither like noise nor like one repeated word.
const WORDS = Array.from({ length: 6000 }, (_, rank) => {
  const letters = 2 + Math.floor(random() * 5) + (rank > 200 ? 2 : 0);
  return Array.from({ length: letters }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
});

function textOf(bytes: number): string {
  let text = '';
  while (text.length < bytes) text += `${WORDS[Math.floor(WORDS.length * random() ** 3)]} `;
  return text;
}

const FEATURES = ['customer-support', 'contract-summary', 'search-answers', 'code-review', 'translation', 'triage'];
const MODELS = ['gpt-5-mini', 'gpt-5-nano', 'claude-haiku', 'llama-70b'];
function pick<T>(values: readonly [T, ...T[]] | readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T; // the lists above are not empty
}

function makeCall(startedAtMs: number): CallSettled {
  const status = random() < 0.02 ? 'error' : random() < 0.01 ? 'aborted' : 'ok';
  const durationMs = Math.round(200 * Math.exp(random() * 3));
  const model = pick(MODELS);
  const spanId = newSpanId();
  const cost = String(Math.floor(random() * 1e9));
  return sampleCall(spanId, startedAtMs, {
    callId: newUuidV7(startedAtMs),
    traceId: newTraceId(),
    spanId,
    feature: pick(FEATURES),
    team: pick(['support', 'legal', 'platform']),
    user: `user-${Math.floor(random() * 5000)}`,
    session: `session-${Math.floor(random() * 50_000)}`,
    status,
    errorType: status === 'error' ? 'provider_timeout' : null,
    durationMs,
    ttftMs: durationMs / 4,
    costPicoUsd: cost,
    attempts: [
      sampleAttempt(spanId, {
        spanId: newSpanId(),
        requestModel: model,
        responseModel: `${model}-2026-01-01`,
        durationMs,
        costPicoUsd: cost,
      }),
    ],
  });
}

function makeBatch(calls: number, fromMs: number, toMs: number) {
  const made = Array.from({ length: calls }, (_, place) => {
    const call = makeCall(Math.floor(fromMs + ((toMs - fromMs) * place) / calls));
    // About 9 KB of a call's 14 KB are the spans' own columns and attributes.
    const contentBytes = SPANS_PER_CALL * BYTES_PER_SPAN - 8_950;
    const payload = {
      ...scope,
      callId: call.callId,
      traceId: call.traceId,
      spanId: call.spanId,
      startedAtMs: call.startedAtMs,
      policy: 'full' as const,
      input: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: textOf(contentBytes * (0.4 + random() * 0.8)) }] }),
      output: JSON.stringify([{ role: 'assistant', content: textOf(contentBytes * 0.2) }]),
      isTruncated: false,
    };
    return { call, payload };
  });
  return batchOf(randomUUID(), made);
}

function percentile(sorted: readonly number[], ratio: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * ratio) - 1)] ?? Number.NaN;
}

function report(name: string, numbers: Record<string, number | string>): void {
  const rounded = Object.fromEntries(
    Object.entries(numbers).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toPrecision(4)) : value]),
  );
  if (flags.json) console.log(JSON.stringify({ name, ...rounded, ratios: {} }));
  else
    console.log(
      name.padEnd(40) +
        Object.entries(rounded)
          .map(([key, value]) => `${key} ${value}`)
          .join('   '),
    );
}

async function measure(name: string, rounds: number, work: (round: number) => Promise<unknown>): Promise<void> {
  await work(0);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    await work(round);
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  report(name, { p50Ms: percentile(times, 0.5), p95Ms: percentile(times, 0.95), maxMs: percentile(times, 1), rounds });
}

function memoryOf(child: ChildProcess): { rssMb: number; peakRssMb: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kilobytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024;
  return { rssMb: kilobytes('VmRSS'), peakRssMb: kilobytes('VmHWM') };
}

async function runEngine(dataDir: string): Promise<void> {
  const engine = await startEngine({ dataDir, token: process.env.BENCH_TOKEN ?? '', port: 0 });
  process.send?.({ port: engine.port });
  process.once('disconnect', () => void engine.close().then(() => process.exit(0)));
}

async function runBench(spans: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-bench-traces-'));
  const token = randomUUID();
  const startedMs = performance.now();
  const child = fork(import.meta.filename, ['--engine', dataDir], { env: { ...process.env, BENCH_TOKEN: token, UV_THREADPOOL_SIZE: '8' } });
  const [ready] = (await once(child, 'message')) as [{ port: number }]; // sent by runEngine
  const options = { url: `http://127.0.0.1:${ready.port}`, token, database: 'plimsoll' };
  const stores = openClickHouse(options);
  try {
    await stores.migrate();
    report('open + migrate', { ms: performance.now() - startedMs, cpus: cpus().length });
    const end = Date.now();
    const start = end - DAYS * DAY_MS;
    const calls = Math.ceil(spans / SPANS_PER_CALL);
    const batches = Math.ceil(calls / CALLS_PER_BATCH);
    const insertMs: number[] = [];
    let rawBytes = 0;
    for (let place = 0; place < batches; place++) {
      const size = Math.min(CALLS_PER_BATCH, calls - place * CALLS_PER_BATCH);
      const batch = makeBatch(size, start + ((end - start) * place) / batches, start + ((end - start) * (place + 1)) / batches);
      if (place === 0) {
        const bytes = JSON.stringify([batch.spans, batch.io], (_, value) => (typeof value === 'bigint' ? value.toString() : value)).length;
        rawBytes = bytes / batch.spans.length;
      }
      const from = performance.now();
      await stores.insertBatch(batch);
      insertMs.push(performance.now() - from);
    }
    const total = insertMs.reduce((sum, ms) => sum + ms, 0);
    const sorted = insertMs.toSorted((a, b) => a - b);
    report('insert, durable', {
      spansPerSecond: (calls * SPANS_PER_CALL * 1000) / total,
      spans: calls * SPANS_PER_CALL,
      rawBytesPerSpan: rawBytes,
      batchP50Ms: percentile(sorted, 0.5),
      batchP95Ms: percentile(sorted, 0.95),
      batchMaxMs: percentile(sorted, 1),
    });
    report('engine memory after load', memoryOf(child));
    const ids = (await stores.traces.listTraces(scope, { limit: 200 }, end)).traces.map((trace) => trace.traceId);
    const overview = (to: number, days: number) =>
      Promise.all([
        stores.traces.summary(scope, to - days * DAY_MS, to, 'feature'),
        stores.traces.series(scope, { from: to - days * DAY_MS, to }),
      ]);
    const rounds = flags.smoke ? 15 : 60;
    await measure('overview, 24 h (summary + series)', rounds, (round) => overview(end - round * 1777, 1));
    await measure('overview, 7 days', rounds, (round) => overview(end - round * 1777, 7));
    await measure('summary by user, 24 h', rounds / 3, (round) => stores.traces.summary(scope, end - DAY_MS - round, end, 'user'));
    await measure('list, newest 50', rounds, () => stores.traces.listTraces(scope, { limit: 50 }, end));
    await measure('list, page in the middle', rounds, (round) =>
      stores.traces.listTraces(scope, { limit: 50, to: end - 3 * DAY_MS - round * 1777 }, end),
    );
    await measure('list, feature + errors', rounds, (round) =>
      stores.traces.listTraces(scope, { limit: 50, feature: 'triage', status: 'error', to: end - round * 1777 }, end),
    );
    // A new value each round: the engine remembers which granules had no match for a condition.
    await measure('list, rare user, 7 days', rounds / 3, (round) =>
      stores.traces.listTraces(scope, { limit: 50, user: `user-${round}` }, end),
    );
    await measure('list, text search, 7 days', 5, (round) =>
      stores.traces.listTraces(scope, { limit: 50, q: `no such text ${round}` }, end),
    );
    await measure('trace detail', rounds, (round) => stores.traces.getTrace(scope, ids[round % ids.length] ?? ''));

    const delays: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const batch = makeBatch(10, end + round * 10, end + round * 10 + 10);
      const wanted = batch.spans[0]?.traceId;
      await stores.insertBatch(batch);
      const from = performance.now();
      while (!(await stores.traces.listTraces(scope, { limit: 50 }, end)).traces.some((trace) => trace.traceId === wanted));
      delays.push(performance.now() - from);
    }
    delays.sort((a, b) => a - b);
    report('acknowledged → visible in the list', { p50Ms: percentile(delays, 0.5), p95Ms: percentile(delays, 0.95) });

    let isLoading = true;
    const load = (async () => {
      while (isLoading) await stores.insertBatch(makeBatch(CALLS_PER_BATCH / 4, end, end + 1000));
    })();
    await measure('overview, 24 h, while ingesting', rounds / 3, (round) => overview(end - round * 1777, 1));
    await measure('list, newest 50, while ingesting', rounds / 3, () => stores.traces.listTraces(scope, { limit: 50 }, end));
    isLoading = false;
    await load;

    const connection = new ClickHouseConnection(options, 'plimsoll');
    const tables = await connection.read<{ table: string; bytes: string; parts: string }>(
      "SELECT table, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active AND database = 'plimsoll' GROUP BY table ORDER BY table",
      {},
    );
    await connection.close();
    const perSpan = (bytes: number) => bytes / (calls * SPANS_PER_CALL);
    report('bytes on disk per span', {
      total: perSpan(tables.reduce((sum, row) => sum + Number(row.bytes), 0)),
      ...Object.fromEntries(tables.map((row) => [row.table, perSpan(Number(row.bytes))])),
    });
    report('engine memory at the end', memoryOf(child));
  } finally {
    await stores.close();
    const exited = once(child, 'exit');
    child.disconnect();
    await exited;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

if (flags.engine !== undefined) await runEngine(flags.engine);
else await runBench(Number(flags.spans ?? (flags.smoke ? 20_000 : 1_000_000)));
