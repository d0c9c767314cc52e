/**
 * What does a call to a provider cost with our own HTTP client, and what with undici's dispatch?
 * node bench/upstream-client.ts [--smoke] [--json] [--rounds N] [--workloads json-1k/32,stream-53/32]
 * Both run in processes of their own on one core, round by round against the same stub on the other core. CPU counts, not the rate: that is the
 * stub's too. "Least" is the round that a busy neighbour spoilt least; the ratio is the median of the ratios within each round.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DispatchJob, DispatchResult } from './gateway/dispatch-client.ts';
import { MEASURED_CORE, OTHER_CORE, portOf, start, stop } from './gateway/processes.ts';

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    workloads: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.smoke ? 3 : 15));
const WARM_UP_ROUNDS = 2;
const scale = options.smoke ? 0.2 : 1;

interface NamedJob extends DispatchJob {
  readonly name: string;
}

const JOBS: readonly NamedJob[] = [
  { name: 'json-1k/1', isStream: false, connections: 1, requests: 2500 },
  { name: 'json-1k/32', isStream: false, connections: 32, requests: 6000 },
  { name: 'json-1k/256', isStream: false, connections: 256, requests: 6000 },
  { name: 'stream-53/32', isStream: true, connections: 32, requests: 2500 },
  { name: 'stream-53/256', isStream: true, connections: 256, requests: 2500 },
];

function script(name: string): string {
  return join(import.meta.dirname, 'gateway', name);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

async function run(child: ChildProcess, job: DispatchJob): Promise<DispatchResult> {
  child.send({ ...job, requests: Math.ceil(job.requests * scale) });
  const [result] = (await once(child, 'message')) as [DispatchResult];
  return result;
}

function print(row: Record<string, unknown> & { name: string; ratios: { undici: number } }): void {
  if (options.json) console.log(JSON.stringify(row));
  else {
    const { name, ratios, ...measures } = row;
    const numbers = Object.entries(measures).map(([key, value]) => `${key} ${value}`);
    console.log(`${name.padEnd(20)} ${numbers.join(' · ')} · ${ratios.undici}× undici`);
  }
}

const stub = start(OTHER_CORE, process.execPath, [script('stub-upstream.ts')]);
const origin = `http://127.0.0.1:${await portOf(stub)}`;
const own = start(MEASURED_CORE, process.execPath, [script('dispatch-client.ts'), 'own', origin]);
const undici = start(MEASURED_CORE, process.execPath, [script('dispatch-client.ts'), 'undici', origin]);

try {
  const wanted = options.workloads?.split(',') ?? null;
  for (const job of JOBS.filter(({ name }) => wanted === null || wanted.includes(name))) {
    const ownCpu: number[] = [];
    const undiciCpu: number[] = [];
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      const ownResult = await run(own, job);
      const undiciResult = await run(undici, job);
      if (ownResult.bodyBytes !== undiciResult.bodyBytes) throw new Error(`${job.name}: the two clients read different answers`);
      if (round < 0) continue;
      ownCpu.push(ownResult.cpuMicrosecondsPerRequest);
      undiciCpu.push(undiciResult.cpuMicrosecondsPerRequest);
    }
    const ratio = median(ownCpu.map((cpu, index) => cpu / (undiciCpu[index] ?? cpu)));
    print({
      name: job.name,
      cpuMicroseconds: Number(median(ownCpu).toFixed(1)),
      leastCpuMicroseconds: Number(Math.min(...ownCpu).toFixed(1)),
      undiciCpuMicroseconds: Number(median(undiciCpu).toFixed(1)),
      undiciLeastCpuMicroseconds: Number(Math.min(...undiciCpu).toFixed(1)),
      ratios: { undici: Number(ratio.toFixed(2)) },
    });
  }
} finally {
  await Promise.all([stub, own, undici].map(stop));
}
