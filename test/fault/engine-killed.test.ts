import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Status } from '../../src/app/catalogue-routes.ts';
import { ledgerOf } from '../harness/ledger.ts';
import { startLoad } from '../harness/load.ts';
import { eventually, startPlimsoll } from '../harness/plimsoll.ts';
import { startStubProvider, stubConfig } from '../harness/stub-provider.ts';
import { engineClient } from './engine-client.ts';

/** 30 in the long run. */
const KILLS = Number(process.env.PLIMSOLL_ENGINE_KILLS ?? 4);

describe('engine', { timeout: 600_000 }, () => {
  it(`killed ${KILLS} times under load: /v1 is unaffected, control stays and says so, nothing is lost or doubled`, async () => {
    const stub = await startStubProvider(() => 5);
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    try {
      const load = startLoad(plimsoll.url, plimsoll.virtualKey, 4, 20);
      const { control, 'gateway-1': gateway } = await plimsoll.pids();
      for (let kill = 0; kill < KILLS; kill++) {
        // At a random moment of an insert: the ingest writes about four batches a second.
        await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 300));
        const { engine } = await plimsoll.pids();
        assert.ok(engine);
        process.kill(engine, 'SIGKILL');
        const answer = await fetch(`${plimsoll.url}/api/v1/traces`, { headers: { authorization: `Bearer ${plimsoll.adminKey}` } });
        const body = (await answer.json()) as { code?: string; detail?: string };
        // It may be back already; what it must never be is a 500 or a hang.
        if (answer.status !== 200) {
          assert.equal(answer.status, 503);
          assert.equal(body.code, 'store_unavailable');
          assert.match(body.detail ?? '', /trace store/);
          assert.ok(Number(answer.headers.get('retry-after')) > 0);
        }
        const status = await plimsoll.api<Status>('/api/v1/status');
        if (!status.engine.ready) assert.match(status.engine.message, /trace store/);
        await eventually(
          'the engine is back',
          () => plimsoll.api<Status>('/api/v1/status'),
          (state) => state.engine.ready,
          20_000,
        );
      }
      const { complete, failed, statuses } = await load.stop();
      assert.equal(failed, 0, JSON.stringify([...statuses]));
      const after = await plimsoll.pids();
      assert.deepEqual([after.control, after['gateway-1']], [control, gateway], 'control or the gateway were restarted');
      const ledger = await ledgerOf(plimsoll, complete.length);
      assert.deepEqual(
        complete.filter((traceId) => ledger.rowsByTrace.get(traceId) !== 1),
        [],
      );
      assert.equal(ledger.rowsByCall.size, complete.length);
      assert.equal(ledger.requestsInRollup, complete.length);
    } finally {
      await plimsoll.stop();
      await stub.close();
    }
  });

  it('a query that eats memory is refused with a clear error; the engine lives and answers the next one', async () => {
    const stub = await startStubProvider();
    const plimsoll = await startPlimsoll({ config: stubConfig(stub.port) });
    const client = await engineClient(plimsoll);
    try {
      const { engine } = await plimsoll.pids();
      await assert.rejects(
        client
          .query({ query: 'SELECT number, groupArray(toString(number)) FROM numbers(100000000) GROUP BY number', format: 'JSONEachRow' })
          .then((result) => result.json()),
        (error: Error & { code?: string; type?: string }) => error.code === '241' && /memory limit/i.test(error.message),
      );
      const rows = await (await client.query({ query: 'SELECT 1 AS one', format: 'JSONEachRow' })).json<{ one: number }>();
      assert.deepEqual(rows, [{ one: 1 }]);
      assert.equal((await plimsoll.pids()).engine, engine, 'the engine was restarted');
      assert.equal((await plimsoll.api<Status>('/api/v1/status')).engine.ready, true);
    } finally {
      await client.close();
      await plimsoll.stop();
      await stub.close();
    }
  });
});
