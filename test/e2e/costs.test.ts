import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CostAnomalyList } from '../../src/costs/anomalies/model.ts';
import { FOCUS_COLUMNS } from '../../src/costs/focus/columns.ts';
import type { MonthForecast } from '../../src/costs/forecast/month.ts';
import type { BudgetList } from '../../src/costs/forecast/report.ts';
import type { Reconciliation } from '../../src/costs/invoices/reconcile.ts';
import type { CostPlan } from '../../src/costs/plan/plan.ts';
import type { CostWaste } from '../../src/costs/waste.ts';
import type { MetricSummary } from '../../src/traces/model.ts';
import { chat } from '../fault/chat.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

const CALLS = 4;

describe('costs over the command line, of real calls', { timeout: 600_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-costs-'));
  let provider: Awaited<ReturnType<typeof startStubProvider>>;
  let plimsoll: Plimsoll;
  let total: MetricSummary['total'];
  before(async () => {
    provider = await startStubProvider();
    plimsoll = await startPlimsoll({
      config: `${stubConfig(provider.port)}\nlimits:\n  - { scope: global, budgetUsd: 100, per: month }\n`,
    });
    for (let call = 0; call < CALLS; call++) assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
    const summary = () => plimsoll.api<MetricSummary>('/api/v1/metrics/summary');
    ({ total } = await eventually('the calls are counted', summary, (view) => view.total.requests === CALLS));
  });
  after(async () => {
    await plimsoll?.stop();
    await provider?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (...words: string[]) =>
    cli(['costs', ...words], {
      cwd: dirname(plimsoll.configPath),
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
    });
  const view = async <T>(...words: string[]): Promise<T> => {
    const text = await run(...words);
    assert.equal(text.exitCode, 0, text.stderr);
    assert.ok(text.stdout.length > 10);
    const json = await run(...words, '--json');
    return json.json<T>();
  };

  it('says what is too young to be judged or forecast, and why', async () => {
    const { anomalies, watch } = await view<CostAnomalyList>('anomalies');
    assert.deepEqual([anomalies.length, watch.minimumUsd], [0, 1]);
    const forecast = await view<MonthForecast>('forecast');
    assert.equal(forecast.total.spentPicoUsd, total.costPicoUsd);
    assert.deepEqual([forecast.total.forecast, /^needs two weeks/.test(forecast.total.unmeasured ?? '')], [null, true]);
    const { budgets } = await eventually(
      'the gateway has told what is used',
      () => view<BudgetList>('budgets'),
      (list) => list.budgets[0]?.usedPicoUsd === total.costPicoUsd,
    );
    assert.equal(budgets[0]?.state, 'unmeasured');
    assert.match(budgets[0]?.unmeasured ?? '', /^needs two weeks: there is one from /);
  });

  it('plans from the traces, and from a description', async () => {
    const traced = await view<CostPlan>('plan', '--last', '1d', '--growth', '0.1');
    assert.equal(traced.basis.calls, CALLS);
    assert.equal(BigInt(traced.perRequestPicoUsd), BigInt(total.costPicoUsd) / BigInt(CALLS));
    const described = await view<CostPlan>(
      'plan',
      '--requests-per-day',
      '1000',
      '--models',
      'openai/gpt-4o-mini',
      '--input-tokens',
      '1000',
    );
    assert.equal(described.basis.calls, null);
    assert.ok(BigInt(described.months[0]?.picoUsd ?? 0) > 0n);
    const wrong = await run('plan', '--requests-per-day', '1', '--models', 'nobody');
    assert.notEqual(wrong.exitCode, 0);
    assert.match(wrong.stderr, /No model "nobody"/);
  });

  it('exports FOCUS that adds up, knows waste, and reconciles an invoice', async () => {
    const waste = await view<CostWaste>('waste', '--last', '1h');
    assert.equal(waste.costPicoUsd, total.costPicoUsd);
    const csv = join(directory, 'focus.csv');
    assert.equal((await run('focus', '--from', '2020-01-01', '--grain', 'call', '--out', csv)).exitCode, 0);
    const [head = '', ...rows] = readFileSync(csv, 'utf8').trim().split('\n');
    assert.equal(head.replaceAll('"', ''), FOCUS_COLUMNS.map(({ name }) => name).join(','));
    const pico = rows.reduce((sum, row) => sum + BigInt(Math.round(Number(row.split(',')[0]) * 1e12)), 0n);
    assert.deepEqual([rows.length, pico], [CALLS, BigInt(total.costPicoUsd)]);
    const parquet = join(directory, 'focus.parquet');
    assert.equal((await run('focus', '--from', '2020-01-01', '--format', 'parquet', '--out', parquet)).exitCode, 0);
    const bytes = readFileSync(parquet);
    assert.deepEqual([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()], ['PAR1', 'PAR1']);

    const invoice = join(directory, 'invoice.csv');
    const day = new Date().toISOString().slice(0, 10);
    writeFileSync(invoice, `day,model,cost_usd\n${day},stub-1,1000\n${day},somewhere-else,5\n`);
    const imported = await run('reconcile', invoice, '--provider', 'stub', '--json');
    assert.equal(imported.exitCode, 0, imported.stderr);
    const found = imported.json<Reconciliation>();
    assert.equal(BigInt(found.total.ledgerPicoUsd), BigInt(total.costPicoUsd));
    assert.deepEqual(
      found.models.map(({ model, reason }) => [model, reason]),
      [
        ['stub-1', 'unexplained'],
        ['somewhere-else', 'not_through_here'],
      ],
    );
    const again = await run('reconcile', invoice, '--provider', 'stub');
    assert.match(again.stderr, /imported already/);
  });

  it('freezes a month that is over, and refuses one that is not', async () => {
    const before = new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 7);
    const issued = await run('statement', before, '--issue', '--json');
    assert.equal(issued.exitCode, 0, issued.stderr);
    const running = await run('statement', new Date().toISOString().slice(0, 7), '--issue');
    assert.match(running.stderr, /is not over/);
    assert.match((await run('statement', before, '--issue', '--reason', 'again')).stderr, /Nothing has changed since version 1/);
    assert.match((await run('acknowledge', 'nobody', '--reason', 'x')).stderr, /There is no cost anomaly/);
  });
});
