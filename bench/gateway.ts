/**
 * How much does the gateway add to one chat call?
 * node bench/gateway.ts [--smoke] [--json] [--rounds N] [--seconds S] [--only floor,plimsoll] [--workloads json-1k] [--portkey-dir DIR] [--soak S]
 * Needs wrk for throughput: our own generator costs more than what it measures; without wrk its rows are marked "saturated".
 * Cases run interleaved, each in its own process on the same Node, pinned to one core where the system can; ratios are medians of rounds.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { GATEWAY_NODE_FLAGS } from '../src/app/node-flags.ts';
import type { LoadJob, LoadResult } from './gateway/load-client.ts';
import {
  cpuMs,
  freePort,
  installPortkey,
  isInstalled,
  MEASURED_CORE,
  nginxConfig,
  OTHER_CORE,
  portOf,
  rssMegabytes,
  start,
  stop,
  waitForPort,
} from './gateway/processes.ts';
import { COUNTED, FIRST_CONTENT, requestBody, STREAMED_TEXT, type Workload } from './gateway/workloads.ts';

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    workloads: { type: 'string' },
    'portkey-dir': { type: 'string' },
    soak: { type: 'string', default: '0' },
  },
});
const rounds = Number(options.rounds ?? (options.smoke ? 1 : 5));
const seconds = Number(options.seconds ?? (options.smoke ? 0.5 : 2));
const KEY = 'plk_bench_key';
/** A stream of 52 events then takes a quarter of a second: enough first bytes in a round for a median. */
const PACE_MS = 5;

const directory = mkdtempSync(join(tmpdir(), 'plimsoll-bench-gateway-'));
const children: ChildProcess[] = [];

interface Case {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
}

interface Sample extends LoadResult {
  readonly cpuMicrosecondsPerRequest: number;
  /** The load generator had no time left: the rate is its own limit, not the case's. */
  readonly isSaturated: boolean;
}

function launch(core: number, args: readonly string[]): ChildProcess {
  const child = start(core, process.execPath, args);
  children.push(child);
  return child;
}

function script(name: string): string {
  return join(import.meta.dirname, 'gateway', name);
}

/** Limits, budgets and a route with a policy in all but `bare`; see `BenchStages`. */
const PLIMSOLL_CASES = [
  { name: 'plimsoll', stages: 'uncached', payloads: 'full', model: 'default' },
  { name: 'plimsoll-cached', stages: 'all', payloads: 'full', model: 'default' },
  { name: 'plimsoll-bare', stages: 'bare', payloads: 'none', model: 'bench-model' },
  { name: 'plimsoll-translated', stages: 'uncached', payloads: 'full', model: 'translated-model' },
] as const;

async function startCases(upstreamPort: number): Promise<Case[]> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const wanted = options.only?.split(',') ?? [
    'floor',
    'plimsoll',
    'plimsoll-cached',
    'plimsoll-bare',
    'plimsoll-translated',
    'portkey',
    'nginx',
  ];
  const cases: Case[] = [];
  const add = (name: string, port: number, child: ChildProcess, headers: Record<string, string> = {}, model = 'stub-model-2026'): void => {
    cases.push({ name, port, pid: child.pid ?? 0, headers: { authorization: `Bearer ${KEY}`, ...headers }, model });
  };
  if (wanted.includes('floor')) {
    const child = launch(MEASURED_CORE, [script('floor-proxy.ts'), upstream]);
    add('floor', await portOf(child), child);
  }
  for (const { name, stages, payloads, model } of PLIMSOLL_CASES) {
    if (!wanted.includes(name)) continue;
    const child = launch(MEASURED_CORE, [
      ...GATEWAY_NODE_FLAGS,
      script('plimsoll-proxy.ts'),
      upstream,
      join(directory, name),
      KEY,
      payloads,
      stages,
    ]);
    add(name, await portOf(child), child, {}, model);
  }
  if (wanted.includes('portkey')) {
    const entry = installPortkey(options['portkey-dir'] ?? join(directory, 'portkey'));
    if (entry === null) console.error('portkey: could not be installed, left out');
    else {
      const port = await freePort();
      const child = launch(MEASURED_CORE, [entry, `--port=${port}`, '--headless']);
      child.stdout?.resume();
      await waitForPort(port);
      add('portkey', port, child, { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` });
    }
  }
  if (wanted.includes('nginx')) {
    if (!isInstalled('nginx')) console.error('nginx: not installed, left out');
    else {
      const port = await freePort();
      const child = start(MEASURED_CORE, 'nginx', ['-c', nginxConfig(directory, port, upstreamPort), '-p', directory]);
      children.push(child);
      await waitForPort(port);
      add('nginx', port, child);
    }
  }
  return cases;
}

interface OwnGenerator {
  readonly pid: number;
  run(job: LoadJob): Promise<LoadResult>;
}

function loadClient(): OwnGenerator {
  const child = launch(OTHER_CORE, [script('load-client.ts')]);
  if (child.stdout === null || child.stdin === null) throw new Error('the load client has no pipes');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const input = child.stdin;
  return {
    pid: child.pid ?? 0,
    async run(job) {
      input.write(`${JSON.stringify(job)}\n`);
      const { value } = await lines.next();
      return JSON.parse(value as string) as LoadResult;
    },
  };
}

const hasWrk = isInstalled('wrk');
/** Share of its core above which a generator measures itself. */
const SATURATED_SHARE = 0.9;
/** Time to first token is cheap to measure and noisy. */
const TTFT_ROUNDS = Math.max(options.smoke ? 1 : 5, rounds);
/** The first contact with a process: its code is compiled while it runs. */
const FIRST_WARM_UP_SECONDS = options.smoke ? 1 : 4;

function milliseconds(text: string, unit: string): number {
  return Number(text) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1);
}

/** wrk costs a third of our own generator; it cannot see the first byte of a stream. */
function runWrk(job: LoadJob): LoadResult {
  const lua = join(directory, 'load.lua');
  const headers = Object.entries({ 'content-type': 'application/json', ...job.headers }).map(
    ([name, value]) => `wrk.headers["${name}"]=${JSON.stringify(value)}`,
  );
  // No two requests are equal: a cache has nothing for them.
  const [before = '', after = ''] = job.body.split(COUNTED);
  const count = `local count = ${Date.now() % 1e8}00000\nrequest = function() count = count + 1 return wrk.format(nil, nil, nil, ${JSON.stringify(before)}..string.format("%.0f", count)..${JSON.stringify(after)}) end`;
  writeFileSync(lua, `wrk.method="POST"\n${headers.join('\n')}\n${count}\n`);
  const args = [
    '-c',
    String(OTHER_CORE),
    'wrk',
    '-t1',
    `-c${job.connections}`,
    `-d${job.seconds}s`,
    '--latency',
    '-s',
    lua,
    `http://127.0.0.1:${job.port}${job.path}`,
  ];
  const text = execFileSync('taskset', args, { encoding: 'utf8' });
  const quantile = (share: string): number => {
    const match = new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s)`, 'm').exec(text);
    return match === null ? 0 : milliseconds(match[1] ?? '0', match[2] ?? 'ms');
  };
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    errors: Number(bad?.[1] ?? 0) + (socketErrors === null ? 0 : socketErrors.slice(1).reduce((sum, count) => sum + Number(count), 0)),
    p50Ms: quantile('50'),
    p99Ms: quantile('99'),
    wrongAnswers: 0,
    ttftP50Ms: 0,
    ttftP99Ms: 0,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function chosenWorkloads(): Workload[] {
  const all: Workload[] = [];
  for (const connections of [1, 32, 256]) {
    all.push({ name: 'json-1k', connections, isStream: false, promptBytes: 1024 });
    all.push({ name: 'json-32k', connections, isStream: false, promptBytes: 32 * 1024 });
    all.push({ name: 'stream-50', connections, isStream: true, promptBytes: 1024 });
  }
  const wanted = options.workloads?.split(',') ?? null;
  return all
    .filter(({ connections }) => !options.smoke || connections === 32)
    .filter(({ name, connections }) => wanted === null || wanted.includes(name) || wanted.includes(`${name}/${connections}`))
    .sort((a, b) => a.name.localeCompare(b.name) || a.connections - b.connections);
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

function ratio(own: readonly Sample[] | undefined, other: readonly Sample[] | undefined, of: (sample: Sample) => number): number | null {
  if (own === undefined || other === undefined) return null;
  return round(median(own.map((sample, index) => of(sample) / (of(other[index] ?? sample) || 1))));
}

async function measure(): Promise<void> {
  const stub = launch(OTHER_CORE, [script('stub-upstream.ts')]);
  const upstreamPort = await portOf(stub);
  const cases = await startCases(upstreamPort);
  launch(OTHER_CORE, [script('journal-eraser.ts'), directory]);
  const own = loadClient();
  console.error(
    hasWrk
      ? 'load generator: wrk (first bytes of streams: our own)'
      : 'load generator: our own; install wrk for rates that can be compared: rows in which it ran out of CPU are marked "saturated"',
  );
  let isFirst = true;
  for (const workload of chosenWorkloads()) {
    const samples = new Map<string, Sample[]>();
    for (let index = -1; index < rounds; index++) {
      for (const entry of cases) {
        if (entry.name === 'plimsoll-translated' && !workload.isStream) continue;
        const before = cpuMs(entry.pid);
        const ownBefore = cpuMs(own.pid);
        // wrk takes whole seconds only.
        const job = jobFor(entry, workload, index >= 0 ? seconds : isFirst ? FIRST_WARM_UP_SECONDS : Math.min(1, seconds));
        const result = hasWrk && Number.isInteger(job.seconds) ? runWrk(job) : await own.run(job);
        const isSaturated = cpuMs(own.pid) - ownBefore > SATURATED_SHARE * job.seconds * 1000;
        if (result.errors > 0) console.error(`${entry.name} ${workload.name} c=${workload.connections}: ${result.errors} errors`);
        if (index < 0) continue;
        const sample = {
          ...result,
          isSaturated,
          cpuMicrosecondsPerRequest: ((cpuMs(entry.pid) - before) * 1000) / Math.max(1, result.requests),
        };
        samples.set(entry.name, [...(samples.get(entry.name) ?? []), sample]);
      }
    }
    isFirst = false;
    for (const entry of cases) {
      const taken = samples.get(entry.name);
      if (taken === undefined) continue;
      const of = (pick: (sample: Sample) => number, digits = 2): number => round(median(taken.map(pick)), digits);
      print({
        name: `${entry.name} ${workload.name} c=${workload.connections}`,
        requestsPerSecond: of((sample) => sample.requestsPerSecond, 0),
        p50Ms: of((sample) => sample.p50Ms, 3),
        p99Ms: of((sample) => sample.p99Ms, 3),
        cpuMicroseconds: of((sample) => sample.cpuMicrosecondsPerRequest, 0),
        leastCpuMicroseconds: round(Math.min(...taken.map((sample) => sample.cpuMicrosecondsPerRequest)), 0),
        rssMegabytes: round(rssMegabytes(entry.pid), 0),
        ...(taken.some((sample) => sample.isSaturated) ? { saturated: 'the generator was the limit' } : {}),
        ratios: Object.fromEntries(
          ['floor', 'portkey', 'nginx']
            .filter((other) => other !== entry.name && samples.has(other))
            .map((other) => [other, ratio(taken, samples.get(other), (sample) => sample.requestsPerSecond)]),
        ),
      });
    }
  }

  await measureFirstTokens(cases, { name: 'direct', port: upstreamPort, pid: stub.pid ?? 0, headers: {}, model: 'stub-model-2026' }, own);
  await measurePacedStreams(cases, own);
  if (Number(options.soak) > 0) await soak(cases, Number(options.soak));
}

function jobFor(entry: Case, workload: Pick<Workload, 'connections' | 'isStream' | 'promptBytes'>, forSeconds: number, pace = 0): LoadJob {
  return {
    port: entry.port,
    path: '/v1/chat/completions',
    headers: entry.headers,
    body: requestBody(workload, entry.model, pace),
    connections: workload.connections,
    seconds: forSeconds,
  };
}

async function measureFirstTokens(cases: readonly Case[], direct: Case, own: OwnGenerator): Promise<void> {
  const paced: Workload = { name: 'paced', connections: 1, isStream: true, promptBytes: 1024 };
  const ttft = new Map<string, number[]>();
  for (let index = -1; index < TTFT_ROUNDS; index++) {
    for (const entry of [direct, ...cases.filter(({ name }) => name !== 'plimsoll-translated')]) {
      const result = await own.run({ ...jobFor(entry, paced, 1.5, PACE_MS), firstContent: FIRST_CONTENT });
      if (index >= 0) ttft.set(entry.name, [...(ttft.get(entry.name) ?? []), result.ttftP50Ms]);
    }
  }
  /** Median over rounds of the difference to another case in the same round. */
  const added = (times: readonly number[], other: string): number | null => {
    const others = ttft.get(other);
    return others === undefined ? null : round(median(times.map((time, index) => time - (others[index] ?? time))), 3);
  };
  for (const [name, times] of ttft) {
    const measures = { ttftP50Ms: round(median(times), 3), addedToDirectMs: added(times, 'direct'), addedToFloorMs: added(times, 'floor') };
    print({ name: `${name} paced-ttft c=1`, ...measures, ratios: {} });
  }
}

/** Many streams at a walking pace: what each costs, and whether every event arrives once and in order. */
async function measurePacedStreams(cases: readonly Case[], own: OwnGenerator): Promise<void> {
  const workload: Workload = { name: 'paced', connections: 256, isStream: true, promptBytes: 1024 };
  const samples = new Map<string, { cpuMicroseconds: number; result: LoadResult }[]>();
  for (let index = -1; index < Math.min(rounds, 5); index++) {
    for (const entry of cases) {
      if (entry.name === 'plimsoll-translated') continue;
      const before = cpuMs(entry.pid);
      const job = {
        ...jobFor(entry, workload, options.smoke ? 1 : 3, PACE_MS * 2),
        expectedText: STREAMED_TEXT,
        firstContent: FIRST_CONTENT,
      };
      const result = await own.run(job);
      const cpuMicroseconds = ((cpuMs(entry.pid) - before) * 1000) / Math.max(1, result.requests);
      // A round in which no stream came to its end says nothing of what one costs.
      if (index >= 0 && result.requests > 0) samples.set(entry.name, [...(samples.get(entry.name) ?? []), { cpuMicroseconds, result }]);
    }
  }
  for (const [name, taken] of samples) {
    const floor = samples.get('floor');
    print({
      name: `${name} paced c=256`,
      streams: taken.reduce((sum, { result }) => sum + result.requests, 0),
      wrongStreams: taken.reduce((sum, { result }) => sum + result.wrongAnswers + result.errors, 0),
      ttftP50Ms: round(median(taken.map(({ result }) => result.ttftP50Ms)), 1),
      ttftP99Ms: round(median(taken.map(({ result }) => result.ttftP99Ms)), 1),
      cpuMicroseconds: round(median(taken.map((sample) => sample.cpuMicroseconds)), 0),
      ratios:
        floor === undefined || name === 'floor'
          ? {}
          : { floorCpu: round(median(taken.map((sample, index) => sample.cpuMicroseconds / (floor[index]?.cpuMicroseconds || 1)))) },
    });
  }
}

/** Memory over a long run: the growth after the first fifth, in megabytes per minute (least squares). */
async function soak(cases: readonly Case[], soakSeconds: number): Promise<void> {
  const entry = cases.find(({ name }) => name === 'plimsoll');
  if (entry === undefined) return;
  const points: { minutes: number; megabytes: number }[] = [];
  const start = Date.now();
  while (Date.now() - start < soakSeconds * 1000) {
    const isStream = points.length % 2 === 1;
    const job = jobFor(entry, { connections: 64, isStream, promptBytes: 1024 }, 5);
    if (hasWrk) runWrk(job);
    points.push({ minutes: (Date.now() - start) / 60_000, megabytes: rssMegabytes(entry.pid) });
  }
  const settled = points.slice(Math.floor(points.length / 5));
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    settled.reduce((sum, point) => sum + of(point), 0) / settled.length;
  const minutes = mean((point) => point.minutes);
  const megabytes = mean((point) => point.megabytes);
  const covariance = mean((point) => (point.minutes - minutes) * (point.megabytes - megabytes));
  const variance = mean((point) => (point.minutes - minutes) ** 2);
  print({
    name: `plimsoll soak ${soakSeconds} s c=64`,
    rssFirstMegabytes: round(settled[0]?.megabytes ?? 0, 0),
    rssLastMegabytes: round(settled.at(-1)?.megabytes ?? 0, 0),
    growthMegabytesPerMinute: round(covariance / (variance || 1)),
    ratios: {},
  });
}

interface Row {
  readonly name: string;
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly [measure: string]: unknown;
}

function print(row: Row): void {
  if (options.json) {
    console.log(JSON.stringify(row));
    return;
  }
  const { name, ratios, ...measures } = row;
  const numbers = Object.entries(measures).map(([key, value]) => `${key} ${value}`);
  const ratioText = Object.entries(ratios).map(([other, value]) => `${value}× ${other}`);
  console.log(`${name.padEnd(36)} ${[...numbers, ...ratioText].join(' · ')}`);
}

try {
  await measure();
} finally {
  await Promise.all(children.map(stop));
  rmSync(directory, { recursive: true, force: true });
}
