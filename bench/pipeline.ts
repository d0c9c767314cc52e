/**
 * What do the gateway's own stages cost, without sockets? A chat call goes through the real pipeline from a request in memory to an answer in
 * memory; the provider answers at once. Prints CPU µs per call: with the journal on disk, and with one that throws records away.
 * node bench/pipeline.ts [--calls N] [--rounds N] [--bytes N] [--only 'bare;limits'] [--json]
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createGateway } from '../src/gateway/server.ts';
import type { ConnectionPool } from '../src/gateway/upstream/connection-pool.ts';
import type { AnswerHandler, OutgoingRequest } from '../src/gateway/upstream/exchange.ts';
import { UpstreamPools } from '../src/gateway/upstream/upstream-pools.ts';
import { systemClock } from '../src/kernel/clock.ts';
import type { JournalWriter } from '../src/kernel/journal/record.ts';
import { FileJournalWriter } from '../src/kernel/journal/writer.ts';
import { type BenchStages, benchSnapshot } from './gateway/snapshot.ts';
import { jsonAnswer, requestBody } from './gateway/workloads.ts';

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '1024' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
});
const calls = options.smoke ? 500 : Number(options.calls);
const rounds = options.smoke ? 1 : Number(options.rounds);
const KEY = 'plk_bench_key';
const body = requestBody({ isStream: false, promptBytes: Number(options.bytes) }, 'default');
/** No two calls ask the same, so that a cache has nothing. */
let asked = 0;
function nextBody(): Buffer {
  return Buffer.from(body.replace('"max_tokens"', `"seed":${100_000_000 + asked++},"max_tokens"`));
}
const answer = jsonAnswer();

class Request extends EventEmitter {
  readonly method = 'POST';
  readonly url = '/v1/chat/completions';
  readonly complete = true;
  readonly body = nextBody();
  readonly headers = {
    host: '127.0.0.1',
    'content-type': 'application/json',
    authorization: `Bearer ${KEY}`,
    'content-length': String(this.body.length),
  };
  pause(): this {
    return this;
  }
  resume(): this {
    return this;
  }
}

class Response extends EventEmitter {
  headersSent = false;
  writableFinished = false;
  destroyed = false;
  shouldKeepAlive = true;
  status = 0;
  readonly #done: (response: Response) => void;
  constructor(done: (response: Response) => void) {
    super();
    this.#done = done;
  }
  writeHead(status: number): this {
    this.status = status;
    this.headersSent = true;
    return this;
  }
  write(): boolean {
    return true;
  }
  end(): void {
    this.writableFinished = true;
    this.#done(this);
  }
  destroy(): void {
    this.#done(this);
  }
}

const ANSWER_HEADERS = { 'content-type': 'application/json', 'x-request-id': 'req_stub', 'content-length': String(answer.length) };

/** A provider that has its answer in the next turn of the event loop, many calls at a time, as sockets do. */
class InstantPools extends UpstreamPools {
  #waiting: AnswerHandler[] = [];
  readonly #pool = {
    isClosed: false,
    dispatch: (_request: OutgoingRequest, handler: AnswerHandler) => {
      handler.onRequestStart();
      if (this.#waiting.push(handler) === 1) setImmediate(this.#answer);
      return { abort() {}, pause() {}, resume() {} };
    },
  } as unknown as ConnectionPool; // nothing else of it is used
  readonly #answer = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const handler of waiting) {
      handler.onResponseStart(200, ANSWER_HEADERS);
      handler.onResponseData(answer);
      handler.onResponseEnd();
    }
  };
  override get(): ConnectionPool {
    return this.#pool;
  }
}

const NO_JOURNAL: JournalWriter = {
  append() {},
  written: () => Promise.resolve(),
  sync: () => Promise.resolve(true),
  canAccept: () => true,
  stats: { shedPayloads: 0, appended: 0, bytes: 0, isDegraded: false },
  close: () => Promise.resolve(),
};

interface Case {
  readonly name: string;
  readonly journal: JournalWriter;
  readonly payloads: 'full' | 'none';
  readonly stages: BenchStages;
}

async function run({ journal, payloads, stages }: Case, count: number): Promise<number> {
  const snapshot = benchSnapshot('http://127.0.0.1:1', KEY, payloads, stages);
  const gateway = createGateway({
    clock: systemClock,
    journal,
    snapshots: { current: () => snapshot },
    resolveSecret: () => 'sk-bench',
    writeLogLine() {},
    pools: new InstantPools(systemClock),
  });
  const before = process.cpuUsage();
  let started = 0;
  let finished = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      started++;
      const request = new Request();
      const response = new Response(({ status }) => {
        if (status !== 200) reject(new Error(`status ${status}`));
        if (++finished === count) resolve();
        else if (started < count) setImmediate(next);
      });
      // What is used of them is there.
      gateway.handler(request as unknown as IncomingMessage, response as unknown as ServerResponse);
      request.emit('data', request.body);
      request.emit('end');
    };
    for (let index = 0; index < Math.min(32, count); index++) next();
  });
  const used = process.cpuUsage(before);
  return (used.user + used.system) / count;
}

const directory = mkdtempSync(join(tmpdir(), 'plimsoll-bench-pipeline-'));
try {
  const file = await FileJournalWriter.open({ directory, clock: systemClock, maxTotalBytes: () => 64 * 1024 ** 3 });
  const all: readonly Case[] = [
    { name: 'bare, no journal, no payloads', journal: NO_JOURNAL, payloads: 'none', stages: 'bare' },
    { name: 'bare, no journal', journal: NO_JOURNAL, payloads: 'full', stages: 'bare' },
    { name: 'bare, journal, no payloads', journal: file, payloads: 'none', stages: 'bare' },
    { name: 'bare', journal: file, payloads: 'full', stages: 'bare' },
    { name: 'limits', journal: file, payloads: 'full', stages: 'uncached' },
    { name: 'limits and cache', journal: file, payloads: 'full', stages: 'all' },
  ];
  const cases = all.filter(({ name }) => options.only === undefined || options.only.split(';').includes(name));
  for (const entry of cases) await run(entry, calls);
  const samples = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++)
    for (const entry of cases) samples.set(entry.name, [...(samples.get(entry.name) ?? []), await run(entry, calls)]);
  for (const [name, taken] of samples) {
    const sorted = taken.toSorted((a, b) => a - b);
    const row = { name, cpuMicroseconds: round2(sorted[Math.floor(sorted.length / 2)] ?? 0), leastCpuMicroseconds: round2(sorted[0] ?? 0) };
    console.log(
      options.json
        ? JSON.stringify({ ...row, ratios: {} })
        : `${name.padEnd(26)} CPU µs a call ${row.cpuMicroseconds} (least ${row.leastCpuMicroseconds})`,
    );
  }
  await file.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
