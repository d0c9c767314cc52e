/**
 * What do two gateway workers that keep their limits together cost per call, against one? The whole product (supervisor, control, engine, gateways) on
 * a stub provider, with a budget, a rate and a concurrency that all calls count against.
 * node bench/workers.ts [--rounds N] [--seconds S] [--connections C] [--smoke] [--json]      needs wrk
 * CPU is that of the gateway processes alone; the generator and the provider share the machine with them.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKey } from '../src/identity/virtual-key.ts';
import { cpuMs, freePort, isInstalled, OTHER_CORE, portOf, start, stop } from './gateway/processes.ts';
import { requestBody } from './gateway/workloads.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const rounds = options.smoke ? 1 : Number(options.rounds);
const seconds = options.smoke ? 1 : Number(options.seconds);
const { key: KEY } = createKey('plk', Date.now());
const directory = mkdtempSync(join(tmpdir(), 'plimsoll-bench-workers-'));
const children: ChildProcess[] = [];
const trees: ChildProcess[] = [];

/** In order: a supervisor that is killed leaves processes that still write. */
function end(tree: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (tree.exitCode !== null) resolve();
    tree.once('exit', () => resolve());
    tree.kill('SIGTERM');
  });
}

interface Tree {
  readonly workers: number;
  readonly port: number;
  readonly gateways: readonly number[];
}

function config(workers: number, upstream: string): string {
  return `version: 1
providers: { stub: { kind: openai, baseUrl: "${upstream}/v1", apiKey: "\${BENCH_PROVIDER_KEY}" } }
models: { bench-model: { provider: stub, model: stub-model-2026 } }
prices: { bench-model: { inputPerMillionUsd: 0.15, outputPerMillionUsd: 0.6 } }
routes: { default: { targets: [bench-model] } }
features: { bench: { owner: team, costOwner: finance@example.com, route: default } }
keys: [{ name: bench, key: "\${BENCH_KEY}", feature: bench, team: team }]
limits:
  - { scope: organisation, budgetUsd: 1000000, per: month }
  - { scope: key, requestsPerMinute: 100000000 }
  - { scope: feature, name: bench, concurrency: 100000 }
gateway: { workers: ${workers} }
`;
}

/** Gateway processes below a supervisor. */
function gatewaysOf(supervisor: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        const isOurs =
          parent === supervisor || Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${parent}/status`, 'utf8'))?.[1]) === supervisor;
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('plimsoll: gateway');
      } catch {
        return false; // it has ended
      }
    });
}

async function startTree(workers: number, upstream: string): Promise<Tree> {
  const home = join(directory, String(workers));
  const path = `${home}.yaml`;
  writeFileSync(path, config(workers, upstream));
  const port = await freePort();
  const child = start(OTHER_CORE, process.execPath, [join(import.meta.dirname, '..', 'bin', 'plimsoll.mjs'), 'serve'], {
    env: {
      ...process.env,
      PLIMSOLL_CONFIG: path,
      PLIMSOLL_DATA_DIR: home,
      PLIMSOLL_PORT: String(port),
      BENCH_KEY: KEY,
      BENCH_PROVIDER_KEY: 'sk-bench',
    },
  });
  // Not pinned after all: the workers are to use what there is.
  execFileSync('taskset', ['-acp', '0-1', String(child.pid)], { stdio: 'ignore' });
  child.stdout?.resume();
  trees.push(child);
  for (let tries = 0; ; tries++) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    const gateways = gatewaysOf(child.pid ?? 0);
    if (isReady && gateways.length === workers) return { workers, port, gateways };
    if (tries > 600) throw new Error(`Plimsoll with ${workers} workers did not become ready: ${gateways.length} gateways`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Sample {
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
}

function load({ port, gateways }: Tree, forSeconds: number): Sample {
  const lua = join(directory, 'load.lua');
  const body = requestBody({ isStream: false, promptBytes: 1024 }, 'default');
  writeFileSync(
    lua,
    `wrk.method="POST"\nwrk.body=${JSON.stringify(body)}\nwrk.headers["content-type"]="application/json"\nwrk.headers["authorization"]="Bearer ${KEY}"\n`,
  );
  const used = (): number => gateways.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const before = used();
  const text = execFileSync(
    'wrk',
    ['-t1', `-c${options.connections}`, `-d${forSeconds}s`, '-s', lua, `http://127.0.0.1:${port}/v1/chat/completions`],
    { encoding: 'utf8' },
  );
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  if (/Non-2xx/.test(text) || requests === 0) throw new Error(`Calls failed:\n${text}`);
  return { cpuMicroseconds: ((used() - before) * 1000) / requests, requestsPerSecond: requests / forSeconds };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

async function measure(): Promise<void> {
  const stub = start(OTHER_CORE, process.execPath, [join(import.meta.dirname, 'gateway', 'stub-upstream.ts')]);
  children.push(stub);
  const upstream = `http://127.0.0.1:${await portOf(stub)}`;
  const started = [await startTree(1, upstream), await startTree(2, upstream)];
  const samples = new Map<number, Sample[]>(started.map(({ workers }) => [workers, []]));
  for (let round = -1; round < rounds; round++) {
    for (const tree of started) {
      const sample = load(tree, seconds);
      if (round >= 0) samples.get(tree.workers)?.push(sample);
    }
  }
  const one = samples.get(1) ?? [];
  for (const [workers, taken] of samples) {
    const row = {
      name: `workers ${workers} c=${options.connections}`,
      requestsPerSecond: Math.round(median(taken.map((sample) => sample.requestsPerSecond))),
      cpuMicroseconds: Math.round(median(taken.map((sample) => sample.cpuMicroseconds))),
      ratios:
        workers === 1
          ? {}
          : {
              oneWorkerCpu: Number(
                median(taken.map((sample, index) => sample.cpuMicroseconds / (one[index]?.cpuMicroseconds ?? 1))).toFixed(2),
              ),
            },
    };
    console.log(
      options.json
        ? JSON.stringify(row)
        : `${row.name}  req/s ${row.requestsPerSecond} · CPU µs/request ${row.cpuMicroseconds}${workers === 1 ? '' : ` · ${row.ratios.oneWorkerCpu}× one worker`}`,
    );
  }
}

if (!isInstalled('wrk')) {
  console.error('wrk is not installed: nothing to measure with (apt-get install wrk)');
  process.exit(options.smoke ? 0 : 69);
}
try {
  await measure();
} finally {
  await Promise.all(trees.map(end));
  await Promise.all(children.map(stop));
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
}
