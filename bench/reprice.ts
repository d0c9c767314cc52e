/**
 * How long does a repricing of millions of calls take, with how much memory, and is it the same after kill -9 in its middle?
 * `npm run bench -- reprice [--calls 2000000] [--kill] [--smoke] [--json]`
 * Prices of every call change. With --kill the process that does it is killed twice, with the engine that it holds, and goes on.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { PriceAttempt } from '../src/costs/repricing/reprice-call.ts';
import { newRun, type RepricingProgress, runRepricing } from '../src/costs/repricing/run.ts';
import { compilePrice } from '../src/models/price-usage.ts';
import { startEngine } from '../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../src/stores/clickhouse/client.ts';
import { openClickHouse } from '../src/stores/clickhouse/open.ts';
import { rssMegabytes } from './gateway/processes.ts';
import { fillLedger } from './store/ledger.ts';
import { reporter } from './store/report.ts';

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string' },
    kill: { type: 'boolean' },
    smoke: { type: 'boolean' },
    json: { type: 'boolean' },
    work: { type: 'string' },
  },
});
const report = reporter(flags.json === true);
const calls = Number(flags.calls ?? (flags.smoke ? 20_000 : 2_000_000));
const SCOPE = { organisationId: 'default', environment: 'production' };
const DAYS = 30;

/** Half a price for everything. */
const prices = Array.from({ length: 8 }, (_, model) =>
  compilePrice({
    priceId: `right:${model}`,
    perToken: { inputUncachedTokens: `${500 + 50 * model}`, outputTextTokens: `${2000 + 50 * model}` },
    perRequest: null,
    tiers: [],
  }),
);
const priceAttempt: PriceAttempt = ({ model }) => ({ kind: 'price', price: prices[Number(model.slice('alias-'.length))] ?? null });

/** Engine and run in one process, so that both die together. What is saved is a file that is replaced whole. */
async function work(directory: string): Promise<void> {
  const token = randomUUID();
  const engine = await startEngine({ dataDir: join(directory, 'engine'), token, port: 0 });
  const options = { url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' };
  const stores = openClickHouse(options);
  const connection = new ClickHouseConnection(options, 'plimsoll');
  await stores.migrate();
  const path = join(directory, 'progress.json');
  if (!existsSync(path)) {
    const endMs = Date.now();
    await fillLedger(connection, calls, endMs, DAYS, true);
    const run = { id: 'bench', from: 0, to: endMs + 1, feature: null, isDryRun: false, requestedBy: 'bench', requestedAtMs: endMs };
    writeFileSync(path, JSON.stringify(newRun(run)));
    process.send?.({ filled: true });
  }
  const start = JSON.parse(readFileSync(path, 'utf8')) as RepricingProgress; // written here and below
  const end = await runRepricing(SCOPE, start, {
    ledger: stores.corrections,
    priceAttempt,
    signal: new AbortController().signal,
    save: async (progress) => {
      writeFileSync(`${path}.new`, JSON.stringify(progress));
      renameSync(`${path}.new`, path);
      process.send?.({ batch: progress.batch, calls: progress.report.total.calls });
    },
  });
  const whole = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const [ledger, totals, used] = [
    await stores.ledger.ledgerCounts(SCOPE, whole.from, whole.to),
    await stores.costs.totals(SCOPE, whole),
    await stores.costs.usedAtPrices(SCOPE, whole, []),
  ];
  const [spans] = await connection.read<{ cost: string }>(
    "SELECT toString(sum(toInt128(ifNull(cost_pico_usd, 0)))) AS cost FROM spans WHERE kind = 'gateway'",
    {},
  );
  const [hours] = await connection.read<{ cost: string }>('SELECT toString(sum(cost_pico_usd)) AS cost FROM rollup_1h', {});
  process.send?.({
    done: {
      report: end.report.total,
      sums: [ledger.costPicoUsd, totals.costPicoUsd, used.reduce((sum, row) => sum + row.costPicoUsd, 0n), spans?.cost, hours?.cost].map(
        String,
      ),
      rows: [ledger.rows, ledger.calls],
    },
  });
  await connection.close();
  await stores.close();
  await engine.close();
  process.disconnect?.();
}

interface Message {
  readonly filled?: boolean;
  readonly batch?: number;
  readonly calls?: number;
  readonly done?: { readonly report: Record<string, string | number>; readonly sums: string[]; readonly rows: number[] };
}

async function runBench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-bench-reprice-'));
  try {
    let done: Message['done'];
    let peakMegabytes = 0;
    let kills = flags.kill ? 2 : 0;
    let workedMs = 0;
    while (done === undefined) {
      const child: ChildProcess = fork(import.meta.filename, ['--work', directory, '--calls', `${calls}`], {
        env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
      });
      let startedMs = performance.now();
      let isDoomed = false;
      child.on('message', (message: Message) => {
        if (message.filled) {
          report('filled', { calls, seconds: (performance.now() - startedMs) / 1000, load: loadavg()[0] ?? 0 });
          startedMs = performance.now();
        }
        if (message.calls !== undefined && message.calls > 0 && kills > 0 && !isDoomed && message.calls > calls / (kills + 2)) {
          kills--;
          isDoomed = true;
          // At an odd moment of the batch that follows.
          void sleep(700).then(() => child.kill('SIGKILL'));
        }
        if (message.done !== undefined) done = message.done;
      });
      const watch = setInterval(() => {
        peakMegabytes = Math.max(peakMegabytes, rssMegabytes(child.pid ?? 0));
      }, 200);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      clearInterval(watch);
      workedMs += performance.now() - startedMs;
      if (signal !== null) report('killed', { afterSeconds: workedMs / 1000 });
      else if (code !== 0) throw new Error(`The run ended with ${code}.`);
    }
    const [ledger, ...others] = done.sums;
    report('repriced', {
      calls,
      seconds: workedMs / 1000,
      callsPerSecond: (calls * 1000) / workedMs,
      peakMegabytes,
      changedCalls: done.report.changedCalls ?? 0,
      isOneStory: String(others.every((sum) => sum === ledger) && done.report.afterPicoUsd === ledger && done.rows[0] === done.rows[1]),
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (flags.work !== undefined) await work(flags.work);
else await runBench();
