/**
 * What does a trivial case cost in the eval runner? The same configuration, cases and stub provider for `plimsoll eval run` and, where it can be
 * installed, promptfoo: by turns, CPU time of the whole process, peak RSS, bytes stored per result. Plimsoll calls the stub as its gateway, as promptfoo
 * calls it as OpenAI: the gateway itself is measured in bench/gateway.ts.
 * node bench/eval-runner.ts [--cases 1000] [--rounds 5] [--large 100000] [--promptfoo-dir DIR] [--json] [--smoke]
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const PROMPTFOO = '0.123.1';
const BIN = join(import.meta.dirname, '..', 'bin', 'plimsoll.mjs');
const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    large: { type: 'string', default: '100000' },
    'promptfoo-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
});
const cases = options.smoke ? 200 : Number(options.cases);
const rounds = options.smoke ? 1 : Number(options.rounds);
const large = options.smoke ? 2_000 : Number(options.large);
if (!existsSync('/usr/bin/time')) {
  console.error('GNU time (/usr/bin/time) is not installed: nothing can be measured.');
  process.exit(options.smoke ? 0 : 1);
}
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-eval-'));

interface Measured {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly seconds: number;
}

function startStub(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-plimsoll-cost-usd': '0.00001',
        'x-plimsoll-trace-id': 'a'.repeat(32),
      });
      response.end(
        '{"id":"c","object":"chat.completion","created":1,"model":"stub","choices":[{"index":0,"message":{"role":"assistant","content":"The answer is 42."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}',
      );
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }),
    );
  });
}

/** Cases come from a CSV, as large sets do. */
function writeSuite(name: string, count: number): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(join(folder, `${name}.csv`), `number\n${Array.from({ length: count }, (_, index) => index).join('\n')}\n`);
  writeFileSync(
    path,
    `prompts: ['What is the answer to {{ number }}?']
providers: ['openai:chat:stub']
defaultTest: { assert: [{ type: contains, value: '42' }, { type: icontains, value: answer }] }
tests: file://${name}.csv
`,
  );
  return path;
}

/** CPU and peak memory of a process and its children, by GNU time; every exit code but a crash is a run. */
function measure(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Measured> {
  const report = join(folder, `time-${process.hrtime.bigint()}`);
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/time', ['-o', report, '-f', '%U %S %M %e', command, ...args], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = `${errors}${text}`.slice(-2_000);
    });
    child.once('close', () => {
      const [user = 0, system = 0, kilobytes = 0, seconds = 0] = (readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '')
        .split(' ')
        .map(Number);
      if (Number.isNaN(user) || seconds === 0) reject(new Error(`It did not run: ${errors}`));
      else resolve({ cpuSeconds: user + system, rssMb: kilobytes / 1024, seconds });
    });
  });
}

/** @returns its entry; null when the registry cannot be reached */
function installPromptfoo(directory: string): string | null {
  const entry = join(directory, 'node_modules', 'promptfoo', 'dist', 'src', 'entrypoint.js');
  try {
    if (!existsSync(entry)) {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'package.json'), '{"private":true}');
      const install = (...names: string[]): void => {
        execFileSync('npm', ['install', ...names, '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], {
          cwd: directory,
          stdio: 'pipe',
          timeout: 600_000,
        });
      };
      install(`promptfoo@${PROMPTFOO}`);
      const { version } = JSON.parse(readFileSync(join(directory, 'node_modules', 'libsql', 'package.json'), 'utf8')) as {
        version: string;
      };
      // Without it the minimal install does not start.
      install(`@libsql/${process.platform}-${process.arch}-gnu@${version}`);
    }
    return entry;
  } catch {
    return null;
  }
}

function bytesPerResult(pattern: string, cwd: string, results: number): number {
  return globSync(pattern, { cwd }).reduce((sum, path) => sum + statSync(join(cwd, path)).size, 0) / results;
}

/** A run that did less than it was asked to would look fast. */
function assertComplete(data: string, results: number): void {
  const [path] = globSync(`${data}/evals/*/results.jsonl`, { cwd: folder });
  const lines = path === undefined ? 0 : readFileSync(join(folder, path), 'utf8').split('\n').length - 1;
  if (lines !== results) throw new Error(`${lines} results instead of ${results}`);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const stub = await startStub();
try {
  const one = writeSuite('one', 1);
  const many = writeSuite('many', cases);
  const huge = writeSuite('huge', large);
  const plimsoll = (suite: string, data: string): Promise<Measured> =>
    measure(process.execPath, [BIN, 'eval', 'run', suite, '--gateway', stub.url], {
      PLIMSOLL_VIRTUAL_KEY: 'plk_bench',
      PLIMSOLL_DATA_DIR: join(folder, data),
      PLIMSOLL_ADMIN_KEY: '',
    });
  const entry = options.smoke ? null : installPromptfoo(options['promptfoo-dir'] ?? join(tmpdir(), 'promptfoo'));
  if (entry === null) console.error(options.smoke ? 'promptfoo: left out of a smoke run' : 'promptfoo: could not be installed, left out');
  const promptfoo = (suite: string): Promise<Measured> =>
    measure(process.execPath, [entry ?? '', 'eval', '-c', suite, '--no-cache', '--no-progress-bar', '--no-table'], {
      OPENAI_API_KEY: 'x',
      OPENAI_BASE_URL: `${stub.url}/v1`,
      PROMPTFOO_CONFIG_DIR: join(folder, 'promptfoo'),
      PROMPTFOO_DISABLE_TELEMETRY: '1',
      PROMPTFOO_DISABLE_UPDATE: '1',
      PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
    });
  const taken: Record<'plimsollOne' | 'plimsollMany' | 'promptfooOne' | 'promptfooMany', Measured[]> = {
    plimsollOne: [],
    plimsollMany: [],
    promptfooOne: [],
    promptfooMany: [],
  };
  for (let round = 0; round < rounds; round++) {
    taken.plimsollOne.push(await plimsoll(one, `one-${round}`));
    if (entry !== null) taken.promptfooOne.push(await promptfoo(one));
    taken.plimsollMany.push(await plimsoll(many, `many-${round}`));
    if (entry !== null) taken.promptfooMany.push(await promptfoo(many));
  }
  const largeRun = await plimsoll(huge, 'huge');
  assertComplete('many-0', cases);
  assertComplete('huge', large);
  const perCaseMs = (start: readonly Measured[], all: readonly Measured[]): number =>
    (1000 * (median(all.map(({ cpuSeconds }) => cpuSeconds)) - median(start.map(({ cpuSeconds }) => cpuSeconds)))) / (cases - 1);
  const rows = [
    {
      name: 'plimsoll',
      startCpuSeconds: median(taken.plimsollOne.map(({ cpuSeconds }) => cpuSeconds)),
      cpuMsPerCase: perCaseMs(taken.plimsollOne, taken.plimsollMany),
      rssMb: median(taken.plimsollMany.map(({ rssMb }) => rssMb)),
      bytesPerResult: bytesPerResult('many-0/evals/*/results.jsonl', folder, cases),
      largeCases: large,
      largeRssMb: largeRun.rssMb,
      largeCpuMsPerCase: (1000 * (largeRun.cpuSeconds - median(taken.plimsollOne.map(({ cpuSeconds }) => cpuSeconds)))) / large,
    },
    ...(entry === null
      ? []
      : [
          {
            name: `promptfoo ${PROMPTFOO}`,
            startCpuSeconds: median(taken.promptfooOne.map(({ cpuSeconds }) => cpuSeconds)),
            cpuMsPerCase: perCaseMs(taken.promptfooOne, taken.promptfooMany),
            rssMb: median(taken.promptfooMany.map(({ rssMb }) => rssMb)),
            bytesPerResult: bytesPerResult('promptfoo/promptfoo.db*', folder, (cases + 1) * rounds),
          },
        ]),
  ];
  for (const row of rows) {
    if (options.json) console.log(JSON.stringify(row));
    else
      console.log(
        `${row.name.padEnd(18)} start ${row.startCpuSeconds.toFixed(2)} s CPU, ${row.cpuMsPerCase.toFixed(2)} ms CPU a case, ${row.rssMb.toFixed(0)} MB at ${cases} cases, ${row.bytesPerResult.toFixed(0)} bytes a result`,
      );
  }
  if (!options.json)
    console.log(`plimsoll at ${large} cases: ${largeRun.rssMb.toFixed(0)} MB, ${rows[0]?.largeCpuMsPerCase?.toFixed(2)} ms CPU a case`);
  const [ours, theirs] = rows;
  if (theirs !== undefined && ours !== undefined && !options.json)
    console.log(
      `ratio plimsoll / promptfoo: ${(ours.cpuMsPerCase / theirs.cpuMsPerCase).toFixed(3)} CPU a case, ${(ours.startCpuSeconds / theirs.startCpuSeconds).toFixed(3)} start`,
    );
} finally {
  stub.close();
  rmSync(folder, { recursive: true, force: true });
}
