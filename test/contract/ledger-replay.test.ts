import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startEngine } from '../../src/stores/chdb/engine.ts';
import { openClickHouse } from '../../src/stores/clickhouse/open.ts';
import { batchOf, sampleCall, samplePayload } from './ledger-sample-calls.ts';

const ROUNDS = 6;
const CALLS = 300;
const NOW = Date.UTC(2026, 5, 30, 23, 59, 0);
const scope = { organisationId: 'default', environment: 'production' };

/** The same file is the engine process: nothing but the engine may share the process that is killed. */
const engineDirectory = process.env.PLIMSOLL_TEST_ENGINE_DIR;
if (engineDirectory !== undefined) {
  const engine = await startEngine({ dataDir: engineDirectory, token: process.env.PLIMSOLL_TEST_ENGINE_TOKEN ?? '', port: 0 });
  process.send?.({ port: engine.port });
} else {
  describe('a batch whose engine is killed', () => {
    it(`is there exactly once after its replay, in rows, rollups and ledger (${ROUNDS} kills)`, { timeout: 600_000 }, async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-kill-'));
      const token = randomUUID();
      let child: ChildProcess | null = null;
      async function start() {
        child = fork(import.meta.filename, {
          execArgv: [],
          env: { ...process.env, NODE_TEST_CONTEXT: undefined, PLIMSOLL_TEST_ENGINE_DIR: dataDir, PLIMSOLL_TEST_ENGINE_TOKEN: token },
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        });
        const [ready] = (await once(child, 'message')) as [{ port: number }]; // sent above
        const stores = openClickHouse({ url: `http://127.0.0.1:${ready.port}`, token, database: 'plimsoll' });
        await stores.migrate();
        return stores;
      }
      async function kill() {
        if (child === null || child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      // Half of the calls are in June and half in July: two partitions.
      const batch = (round: number) =>
        batchOf(
          `round-${round}`,
          Array.from({ length: CALLS }, (_, place) => {
            const call = sampleCall(`kill-${round}-${place}`, NOW + (place * 120_000) / CALLS, scope);
            return {
              call: { ...call, startedAtMs: Math.trunc(call.startedAtMs) },
              payload: samplePayload(call, `q ${place}`, 'a'.repeat(2000)),
            };
          }),
        );
      try {
        let stores = await start();
        const startedMs = performance.now();
        await stores.insertBatch(batch(0));
        const oneInsertMs = performance.now() - startedMs;
        let cut = 0;
        for (let round = 1; round <= ROUNDS; round++) {
          const inserting = stores.insertBatch(batch(round)).then(
            () => true,
            () => false,
          );
          await Promise.race([inserting, new Promise((resolve) => setTimeout(resolve, (oneInsertMs * round) / (ROUNDS + 1)))]);
          await kill();
          if (!(await inserting)) cut++;
          await stores.close();
          stores = await start();
          await stores.insertBatch(batch(round));
          const calls = (round + 1) * CALLS;
          const counts = await stores.ledger.ledgerCounts(scope, NOW - 1, NOW + 300_000);
          assert.deepEqual([counts.rows, counts.calls], [calls, calls], `ledger after round ${round}`);
          assert.equal(
            (await stores.traces.summary(scope, NOW - 1, NOW + 300_000, 'user')).total.requests,
            calls,
            `spans after round ${round}`,
          );
          assert.equal(
            (await stores.traces.summary(scope, NOW - 60_000, NOW + 300_000, 'feature')).total.requests,
            calls,
            `rollups after round ${round}`,
          );
          const page = await stores.traces.listTraces(scope, { limit: 200 }, NOW);
          assert.ok(
            page.traces.every((trace) => trace.spanCount === 7 && trace.inputPreview !== ''),
            `index and texts after round ${round}`,
          );
        }
        assert.ok(cut > 0, 'at least one kill must hit an insert');
        await stores.close();
      } finally {
        await kill();
        rmSync(dataDir, { recursive: true, force: true });
      }
    });
  });
}
