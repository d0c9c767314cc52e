/**
 * How fast do the views of Costs answer over a month?
 * `npm run bench -- costs [--calls 2000000] [--rounds 10] [--dir /tmp/bench-costs] [--smoke] [--json]`
 * With --dir the data stays and is used again.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CostPeriod } from '../src/costs/cost-queries.ts';
import { startEngine } from '../src/stores/chdb/engine.ts';
import { ClickHouseConnection } from '../src/stores/clickhouse/client.ts';
import { type ClickHouseStores, openClickHouse } from '../src/stores/clickhouse/open.ts';
import { percentile } from './store/corpus.ts';
import { fillLedger } from './store/ledger.ts';
import { reporter } from './store/report.ts';

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string' },
    rounds: { type: 'string' },
    dir: { type: 'string' },
    smoke: { type: 'boolean' },
    json: { type: 'boolean' },
  },
});
const report = reporter(flags.json === true);
const calls = Number(flags.calls ?? (flags.smoke ? 20_000 : 2_000_000));
const rounds = Number(flags.rounds ?? (flags.smoke ? 2 : 10));
const DAYS = 60;
const DAY_MS = 86_400_000;
const SCOPE = { organisationId: 'default', environment: 'production' };

async function measure(name: string, goalMs: number | null, work: (round: number) => Promise<unknown>): Promise<void> {
  await work(0);
  const milliseconds: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const startedMs = performance.now();
    await work(round);
    milliseconds.push(performance.now() - startedMs);
  }
  report(name, { p50Ms: percentile(milliseconds, 0.5), p95Ms: percentile(milliseconds, 0.95), ...(goalMs === null ? {} : { goalMs }) });
}

/** What each view of the page asks, in the order in which it asks. */
async function measureViews({ costs }: ClickHouseStores, endMs: number): Promise<void> {
  for (const days of [1, 30]) {
    // Another range each time, that begins and ends within an hour.
    const period = (round: number, back = 0): CostPeriod => {
      const to = endMs - round * 61_777 - back * days * DAY_MS;
      return { from: to - days * DAY_MS, to };
    };
    const goalMs = days === 30 ? 150 : null;
    await measure(`what changed, ${days} days against the ${days} before`, goalMs, async (round) => {
      const both = [period(round), period(round, 1)];
      await Promise.all(both.map((of) => costs.priceIds(SCOPE, of)));
      await Promise.all(both.flatMap((of) => [costs.usedAtPrices(SCOPE, of, []), costs.totals(SCOPE, of)]));
    });
    await measure(`unit economics by feature, ${days} days`, goalMs, (round) => costs.economics(SCOPE, period(round), 'feature', null));
    await measure(`unit economics by model, ${days} days`, goalMs, (round) => costs.economics(SCOPE, period(round), 'model', null));
    await measure(`unit economics by user, ${days} days`, null, (round) => costs.economics(SCOPE, period(round), 'user', null));
    await measure(`waste and savings, ${days} days`, goalMs, async (round) => {
      const of = period(round);
      await costs.priceIds(SCOPE, of);
      await Promise.all([costs.usedAtPrices(SCOPE, of, []), costs.waste(SCOPE, of), costs.savings(SCOPE, of)]);
    });
  }
}

const directory = flags.dir ?? mkdtempSync(join(tmpdir(), 'plimsoll-bench-costs-'));
mkdirSync(directory, { recursive: true });
const token = randomUUID();
const engine = await startEngine({ dataDir: join(directory, 'engine'), token, port: 0 });
const options = { url: `http://127.0.0.1:${engine.port}`, token, database: 'plimsoll' };
const stores = openClickHouse(options);
const connection = new ClickHouseConnection(options, 'plimsoll');
try {
  const startedMs = performance.now();
  await stores.migrate();
  report('migrate', { ms: performance.now() - startedMs, load: loadavg()[0] ?? 0 });
  const notePath = join(directory, 'note.json');
  if (!existsSync(notePath)) {
    const endMs = Date.now();
    const filledMs = performance.now();
    // Two months, of which the views compare one with the other.
    await fillLedger(connection, 2 * calls, endMs, DAYS, false);
    report('filled by the engine', { calls: 2 * calls, seconds: (performance.now() - filledMs) / 1000 });
    // Merges of so many inserts at once would be measured with the questions.
    for (const table of ['ledger', 'cost_calls_1h', 'cost_attempts_1h'])
      await connection.command(`OPTIMIZE TABLE ${table}`).catch(() => undefined);
    writeFileSync(notePath, JSON.stringify({ endMs }));
  }
  const { endMs } = JSON.parse(readFileSync(notePath, 'utf8')) as { endMs: number }; // written above
  await measureViews(stores, endMs);
  const sizes = await connection.read<{ table: string; rows: string; bytes: string }>(
    `SELECT table, toString(sum(rows)) AS rows, toString(sum(bytes_on_disk)) AS bytes FROM system.parts
     WHERE active AND database = currentDatabase() AND (table = 'ledger' OR table LIKE 'cost_%') GROUP BY table ORDER BY table`,
    {},
  );
  for (const { table, rows, bytes } of sizes) report(table, { rows: Number(rows), megabytes: Number(bytes) / 1e6 });
} finally {
  await connection.close();
  await stores.close();
  await engine.close();
  if (flags.dir === undefined) rmSync(directory, { recursive: true, force: true });
}
