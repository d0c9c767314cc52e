import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { MetricSummary } from '../../src/traces/model.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';

/** A call costs 10 × 1 + 5 × 2 µ$ = 20 µ$; what it may cost is more. */
const BUDGET_USD = 0.02;
const BUDGET_PICO = 20_000_000_000n;
const MAX_STEPS = 40;

const LIMITS = `limits:
  - { scope: feature, name: load, budgetUsd: ${BUDGET_USD}, per: month }
  - { scope: session, maxSteps: ${MAX_STEPS} }
`;

const call = async (plimsoll: Plimsoll, headers: Record<string, string> = {}): Promise<Response> => {
  const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'default', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await answer.arrayBuffer();
  return answer;
};

/** What is left of the budget by the gateway's own account, pico-dollars. */
async function remaining(plimsoll: Plimsoll): Promise<bigint> {
  const answer = await call(plimsoll);
  const usd = answer.headers.get('x-plimsoll-budget-remaining-usd') ?? assert.fail('no budget in the answer');
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
}

describe('limits of a gateway that is killed', () => {
  it('a budget is not overspent however often, and the books are the ledger to the pico-dollar', { timeout: 600_000 }, async () => {
    const stub = await startStubProvider(() => Math.random() * 10);
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port, LIMITS) });
    try {
      const load = startLoad(plimsoll.url, plimsoll.virtualKey, 16, 20);
      for (let kill = 0; kill < 4; kill++) {
        await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 300));
        const pid = (await plimsoll.pids())['gateway-1'];
        assert.ok(pid);
        process.kill(pid, 'SIGKILL');
        await eventually(
          'the gateway is back',
          async () => ({ pid: (await plimsoll.pids())['gateway-1'], status: (await fetch(`${plimsoll.url}/readyz`)).status }),
          (state) => state.pid !== pid && state.status === 200,
        );
      }
      await eventually(
        'the budget is used up',
        () => call(plimsoll),
        ({ status }) => status === 429,
        60_000,
      );
      await load.stop();
      assert.ok((load.result.statuses.get('429') ?? 0) > 0);

      const left = await remaining(plimsoll);
      const spent = await eventually(
        'all of it is in the ledger',
        async () => BigInt((await plimsoll.api<MetricSummary>('/api/v1/metrics/summary')).total.costPicoUsd ?? '0'),
        (pico) => pico === BUDGET_PICO - left,
        30_000,
      );
      assert.ok(spent <= BUDGET_PICO && spent > (BUDGET_PICO * 8n) / 10n, `${spent} of ${BUDGET_PICO}`);
      assert.match(await (await fetch(`${plimsoll.url}/metrics`)).text(), /^plimsoll_reservations_outstanding 0$/m);
    } finally {
      await plimsoll.stop();
      await stub.close();
    }
  });

  it('an orderly restart and a kill leave counts of requests and steps as they were', { timeout: 600_000 }, async () => {
    const stub = await startStubProvider();
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port, LIMITS) });
    try {
      const run = { 'x-plimsoll-session': 'run-1' };
      for (let step = 0; step < MAX_STEPS; step++) {
        assert.equal((await call(plimsoll, run)).status, 200, `step ${step}`);
        if (step % 15 !== 7) continue;
        const pid = (await plimsoll.pids())['gateway-1'] ?? 0;
        process.kill(pid, step === 7 ? 'SIGKILL' : 'SIGTERM');
        await eventually(
          'the gateway is back',
          async () => ({ pid: (await plimsoll.pids())['gateway-1'], status: (await fetch(`${plimsoll.url}/readyz`)).status }),
          (state) => state.pid !== null && state.pid !== pid && state.status === 200,
        );
      }
      assert.equal((await call(plimsoll, run)).status, 422);
      // A changed configuration keeps what was counted too.
      writeFileSync(plimsoll.configPath, stubConfig(stub.port, LIMITS.replace(`maxSteps: ${MAX_STEPS}`, `maxSteps: ${MAX_STEPS + 1}`)));
      await eventually(
        'one step more is allowed',
        () => call(plimsoll, run),
        ({ status }) => status === 200,
      );
      assert.equal((await call(plimsoll, run)).status, 422);
    } finally {
      await plimsoll.stop();
      await stub.close();
    }
  });
});
