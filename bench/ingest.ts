/**
 * How many spans a second does one core take in, and how soon are they seen? OTLP protobuf + gzip to a whole Plimsoll; acknowledged = journaled and
 * synced. `npm run bench -- ingest [--spans 100000] [--smoke] [--json]`
 *
 * CPU is that of control and engine, all threads, until the last span can be queried: other people's load on the machine spoils it least.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { createKey } from '../src/identity/virtual-key.ts';
import { protobufRequest, type TestSpan } from '../src/traces/otlp/testing.ts';
import { readStore } from '../test/harness/ledger.ts';
import { type Plimsoll, startPlimsoll } from '../test/harness/plimsoll.ts';
import { cpuMs, freePort, rssMegabytes } from './gateway/processes.ts';
import { AgentCorpus, FEATURES, percentile } from './store/corpus.ts';
import { reporter } from './store/report.ts';

const { values: flags } = parseArgs({
  options: { spans: { type: 'string' }, rounds: { type: 'string' }, smoke: { type: 'boolean' }, json: { type: 'boolean' } },
});
const spansWanted = Number(flags.spans ?? (flags.smoke ? 4_000 : 60_000));
const rounds = Number(flags.rounds ?? (flags.smoke ? 1 : 3));
const probes = flags.smoke ? 20 : 100;
const report = reporter(flags.json === true);
/** What OpenTelemetry's batch processor sends at most. */
const SPANS_PER_BATCH = 512;
const SENDERS = 4;
const PACED_BATCH = 50;
const PACED_EVERY_MS = 100;

interface Batch {
  readonly body: Buffer;
  readonly spans: number;
}

function encode(spans: readonly TestSpan[]): Batch {
  const message = protobufRequest([{ resource: { 'service.name': 'bench' }, scope: { name: 'opentelemetry.genai' }, spans }]);
  return { body: gzipSync(message, { level: 1 }), spans: spans.length };
}

/** Whole traces, so that each batch is a little over its size. */
function* batches(corpus: AgentCorpus, total: number, size: number, startedAtMs: () => number): Generator<TestSpan[]> {
  let waiting: TestSpan[] = [];
  for (let count = 0; count < total; ) {
    const { spans } = corpus.trace(startedAtMs());
    waiting.push(...spans);
    count += spans.length;
    if (waiting.length >= size || count >= total) {
      yield waiting;
      waiting = [];
    }
  }
}

/** Sizes as a sender would have to send them, one by one. */
function sizes(): number[] {
  const corpus = new AgentCorpus(1);
  return Array.from({ length: 300 }, () => corpus.trace(Date.now()).spans)
    .flat()
    .map((span) => protobufRequest([{ spans: [span] }]).length);
}

const CONFIG = `version: 1
providers: { sim: { kind: sim, dialect: openai } }
models: { small: { provider: sim, model: sim-small } }
routes: { default: { targets: [small] } }
features: {${FEATURES.map((name) => `${name}: { owner: bench, costOwner: bench@example.com, route: default, payloads: full }`).join(', ')}}
keys: [{ name: bench, key: "\${BENCH_KEY}", team: bench }]
`;

async function cpuOf(plimsoll: Plimsoll): Promise<{ control: number; engine: number }> {
  const { control, engine } = await plimsoll.pids();
  return { control: cpuMs(control ?? 0), engine: cpuMs(engine ?? 0) };
}

async function storedSpans(plimsoll: Plimsoll): Promise<{ rows: number; distinct: number }> {
  const [row] = await readStore<{ rows: string; places: string }>(
    plimsoll,
    'SELECT toString(count()) AS rows, toString(uniqExact(trace_id, span_id)) AS places FROM spans',
  );
  return { rows: Number(row?.rows), distinct: Number(row?.places) };
}

async function run(): Promise<void> {
  const measured = sizes();
  report('corpus', {
    spanBytesP50: percentile(measured, 0.5),
    spanBytesP90: percentile(measured, 0.9),
    spanBytesP99: percentile(measured, 0.99),
    spanBytesMax: percentile(measured, 1),
  });
  const { key } = createKey('plk', Date.now());
  const port = await freePort();
  const plimsoll = await startPlimsoll({ config: CONFIG, variables: { BENCH_KEY: key, PLIMSOLL_OTLP_HTTP_PORT: String(port) } });
  const agent = new Agent({ connections: SENDERS + 1 });
  /** @returns milliseconds to the acknowledgement */
  const send = async ({ body }: Batch): Promise<number> => {
    for (;;) {
      const startedMs = performance.now();
      const answer = await request(`http://127.0.0.1:${port}/v1/traces`, {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode === 200) return performance.now() - startedMs;
      if (answer.statusCode !== 429 && answer.statusCode !== 503) throw new Error(`${answer.statusCode} ${text}`);
      await sleep(200);
    }
  };
  try {
    const corpus = new AgentCorpus(2);
    let sent = 0;
    const perCore: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const load = [...batches(corpus, spansWanted, SPANS_PER_BATCH, () => Date.now() - 3_600_000)].map(encode);
      const before = await cpuOf(plimsoll);
      const startedMs = performance.now();
      const acknowledged: number[] = [];
      let next = 0;
      await Promise.all(
        Array.from({ length: SENDERS }, async () => {
          for (let batch = load[next++]; batch !== undefined; batch = load[next++]) acknowledged.push(await send(batch));
        }),
      );
      const durableMs = performance.now() - startedMs;
      const spans = load.reduce((sum, batch) => sum + batch.spans, 0);
      sent += spans;
      while ((await plimsoll.api<{ ingest: { pendingBytes: number } }>('/api/v1/status')).ingest.pendingBytes > 0) await sleep(50);
      const queryableMs = performance.now() - startedMs;
      const after = await cpuOf(plimsoll);
      const control = after.control - before.control;
      const engine = after.engine - before.engine;
      perCore.push((spans * 1000) / (control + engine));
      report(`load, round ${round + 1}`, {
        spans,
        spansPerSecondPerCore: perCore.at(-1) ?? 0,
        controlCpuMicrosPerSpan: (control * 1000) / spans,
        engineCpuMicrosPerSpan: (engine * 1000) / spans,
        durablePerSecond: (spans * 1000) / durableMs,
        queryablePerSecond: (spans * 1000) / queryableMs,
        ackP50Ms: percentile(acknowledged, 0.5),
        ackP99Ms: percentile(acknowledged, 0.99),
      });
    }
    report('ingest', { spansPerSecondPerCore: percentile(perCore, 0.5), goal: 5_000 });

    // One reader looks, one question after the other, so that looking is not what takes the time.
    const paced = batches(corpus, probes * PACED_BATCH, PACED_BATCH, Date.now);
    const waiting = new Map<string, number>();
    const visible: number[] = [];
    const acks: number[] = [];
    let isSending = true;
    const look = async (): Promise<void> => {
      while (isSending || waiting.size > 0) {
        // In the order in which they were sent: a trace that is seen before its turn counts as seen at its turn.
        const [oldest] = waiting;
        if (oldest !== undefined) {
          const [traceId, startedMs] = oldest;
          const { traces } = await plimsoll.api<{ traces: unknown[] }>(`/api/v1/traces?traceId=${traceId}`);
          if (traces.length > 0) {
            visible.push(performance.now() - startedMs);
            waiting.delete(traceId);
            continue;
          }
        }
        await sleep(10);
      }
    };
    const looking = look();
    const sending: Promise<unknown>[] = [];
    for (const spans of paced) {
      sent += spans.length;
      const batch = encode(spans);
      waiting.set(spans.at(-1)?.traceId ?? '', performance.now());
      sending.push(send(batch).then((ackMs) => acks.push(ackMs)));
      await sleep(PACED_EVERY_MS);
    }
    await Promise.all(sending);
    isSending = false;
    await looking;
    report(`visible, ${(PACED_BATCH * 1000) / PACED_EVERY_MS} spans/s`, {
      ackP50Ms: percentile(acks, 0.5),
      ackP99Ms: percentile(acks, 0.99),
      visibleP50Ms: percentile(visible, 0.5),
      visibleP99Ms: percentile(visible, 0.99),
      goalP99Ms: 2_000,
    });
    const stored = await storedSpans(plimsoll);
    const { control, engine } = await plimsoll.pids();
    // All of the corpus are conversations that send their history again with each turn.
    await readStore(plimsoll, 'SELECT sleep(1)');
    const tables = await readStore<{ table: string; bytes: string }>(
      plimsoll,
      "SELECT table, toString(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = 'plimsoll' GROUP BY table",
    );
    const perSpan = (bytes: number): number => bytes / sent;
    report('bytes on disk a span', {
      total: perSpan(tables.reduce((sum, { bytes }) => sum + Number(bytes), 0)),
      ...Object.fromEntries(tables.map(({ table, bytes }) => [table, perSpan(Number(bytes))] as const).filter(([, bytes]) => bytes >= 1)),
      goal: 2_048,
    });
    report('after', {
      sent,
      lost: sent - stored.distinct,
      doubled: stored.rows - stored.distinct,
      controlMegabytes: rssMegabytes(control ?? 0),
      engineMegabytes: rssMegabytes(engine ?? 0),
    });
    if (stored.rows !== sent || stored.distinct !== sent) throw new Error(`${sent} spans were acknowledged, ${stored.rows} are stored`);
  } finally {
    await agent.close();
    await plimsoll.stop();
  }
}

await run();
