import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../../src/kernel/testing.ts';
import { ledgerOf } from '../harness/ledger.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';

/** 50 in the long run (`PLIMSOLL_KILLS=50`); fewer in every run. */
const KILLS = Number(process.env.PLIMSOLL_KILLS ?? 10);
const BACK_WITHIN_MS = 3_000;

describe('kill -9 under load', () => {
  it(`gateway and control at ${KILLS} random points: every complete answer has exactly one ledger row, and both come back in under 3 s`, {
    timeout: 600_000,
  }, async () => {
    const stub = await startStubProvider(() => Math.random() * 20);
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    try {
      const load = startLoad(plimsoll.url, plimsoll.virtualKey, 8, 10);
      const backMs: { role: string; ms: number; limitMs: number }[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
        const role = kill % 2 === 0 ? 'gateway-1' : 'control';
        const pid = (await plimsoll.pids())[role];
        assert.ok(pid, `${role} does not run`);
        const killedMs = performance.now();
        process.kill(pid, 'SIGKILL');
        const ask =
          role === 'control'
            ? () => plimsoll.api<{ engine: unknown }>('/api/v1/features')
            : async () => (await fetch(`${plimsoll.url}/readyz`)).status;
        await eventually(
          `${role} is back after kill ${kill}`,
          async () => ({ pid: (await plimsoll.pids())[role], answer: await ask() }),
          (state) => state.pid !== null && state.pid !== pid && (role === 'control' || state.answer === 200),
        );
        const ms = Math.round(performance.now() - killedMs);
        backMs.push({ role, ms, limitMs: within(BACK_WITHIN_MS) });
      }
      const { complete } = await load.stop();
      assert.ok(complete.length > KILLS * 10, `only ${complete.length} answers`);
      assert.equal(new Set(complete).size, complete.length);
      const ledger = await ledgerOf(plimsoll, complete.length);
      const missing = complete.filter((traceId) => !ledger.rowsByTrace.has(traceId));
      assert.deepEqual(missing, [], `${missing.length} of ${complete.length} complete answers have no ledger row`);
      const doubled = [...ledger.rowsByCall].filter(([, rows]) => rows !== 1);
      assert.deepEqual(doubled, [], 'calls with more than one ledger row');
      // The rollup behind the dashboard counts the same calls as the ledger: nothing was replayed into it twice.
      assert.equal(ledger.requestsInRollup, ledger.rowsByCall.size);
      const slow = backMs.filter(({ ms, limitMs }) => ms >= limitMs);
      assert.deepEqual(slow, [], `back after, ms: ${backMs.map(({ role, ms }) => `${role} ${ms}`).join(', ')}`);
    } finally {
      await plimsoll.stop();
      await stub.close();
    }
  });
});
