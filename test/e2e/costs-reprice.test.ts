import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CostEconomics } from '../../src/costs/economics.ts';
import type { RepricingRun } from '../../src/costs/repricing/run.ts';
import type { CostVariance } from '../../src/costs/variance/report.ts';
import type { MetricSummary } from '../../src/traces/model.ts';
import { chat } from '../fault/chat.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { cli } from './cli-run.ts';

const CALLS = 5;

describe('a wrong price is corrected after the fact', { timeout: 600_000 }, () => {
  let provider: Awaited<ReturnType<typeof startStubProvider>>;
  let plimsoll: Plimsoll;
  let right = '';
  before(async () => {
    provider = await startStubProvider();
    right = stubConfig(provider.port);
    // Planted: a decimal point too far to the right.
    plimsoll = await startPlimsoll({ config: right.replace('inputPerMillionUsd: 1,', 'inputPerMillionUsd: 10,') });
  });
  after(async () => {
    await plimsoll.stop();
    await provider.close();
  });

  const summary = () => plimsoll.api<MetricSummary>('/api/v1/metrics/summary');
  const reprice = async (...words: string[]) => {
    const result = await cli(['costs', 'reprice', '--from', '2020-01-01', ...words], {
      cwd: dirname(plimsoll.configPath),
      variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY },
    });
    assert.equal(result.exitCode, 0, result.stderr);
    return result;
  };

  it('costs reprice --dry-run tells it, costs reprice does it, and again finds nothing', async () => {
    for (let call = 0; call < CALLS; call++) assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
    const wrong = await eventually('the calls are counted', summary, ({ total }) => total.requests === CALLS);
    const { inputTokens, outputTokens } = wrong.total;
    assert.equal(wrong.total.costPicoUsd, String(inputTokens * 10_000_000 + outputTokens * 2_000_000));
    const difference = String(-inputTokens * 9_000_000);

    writeFileSync(plimsoll.configPath, right);
    const dry = await eventually(
      'the right price is in force',
      async () => (await reprice('--dry-run', '--json')).json<RepricingRun>().report,
      ({ total }) => total.changedCalls === CALLS,
    );
    assert.equal(dry.total.differencePicoUsd, difference);
    assert.equal((await summary()).total.costPicoUsd, wrong.total.costPicoUsd);

    const done = await reprice();
    assert.match(done.stdout, /stub\/stub-1/);
    assert.match(done.stdout, /5 calls corrected in ledger, traces and rollups/);
    const corrected = await summary();
    assert.equal(corrected.total.costPicoUsd, String(inputTokens * 1_000_000 + outputTokens * 2_000_000));
    assert.deepEqual({ ...corrected.total, costPicoUsd: '' }, { ...wrong.total, costPicoUsd: '' });

    const view = async <T>(...words: string[]) => {
      const variables = { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY };
      const result = await cli(['costs', ...words, '--json'], { cwd: dirname(plimsoll.configPath), variables });
      assert.equal(result.exitCode, 0, result.stderr);
      return result.json<T>();
    };
    const variance = await view<CostVariance>('variance', '--last', '1h');
    assert.equal(variance.total.afterPicoUsd, corrected.total.costPicoUsd);
    assert.equal(variance.total.effects.volume, corrected.total.costPicoUsd, 'without calls before, everything is volume');
    const units = await view<CostEconomics>('units', '--by', 'model');
    assert.deepEqual(
      units.groups.map(({ key, calls, perCallPicoUsd }) => [key, calls, perCallPicoUsd]),
      [['stub-1', CALLS, String(BigInt(corrected.total.costPicoUsd) / BigInt(CALLS))]],
    );
    assert.equal(units.unallocated.user.ratio, 1);

    const again = (await reprice('--json')).json<RepricingRun>();
    assert.equal(again.report.total.changedCalls, 0);
    assert.deepEqual((await summary()).total, corrected.total);
  });
});
