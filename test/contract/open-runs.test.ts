import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openControlStore } from '../../src/stores/sql/control-store.ts';
import type { OpenRun } from '../../src/traces/sdk/open-runs.ts';
import { POSTGRES_SKIP, TEST_DRIVERS, type TestDriver } from './control-store-drivers.ts';

const SCOPE = { organisationId: 'o', environment: 'e' };
const OTHER = { organisationId: 'o', environment: 'other' };
const NO_FORGOTTEN = { forget: [] };
const run = (key: string, dueAtMs: number, over: Partial<OpenRun> = {}): OpenRun => ({
  key,
  state: 'waiting',
  dueAtMs,
  held: {
    part: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), scope: 's', attributes: { text: '\u0000 and "quotes" 🚢', __proto__: 'x' } },
    sender: { organisationId: 'o', environment: 'e', keyId: 'k', team: null, feature: null, features: { f: 'full' }, maxPayloadBytes: 1 },
  },
  ...over,
});

function openRunsContract(driver: TestDriver): void {
  describe(`OpenRunStore contract: ${driver.kind}`, () => {
    it('keeps what it is given, replaces, forgets, and tells what is due in its order', async () => {
      const database = await driver.create();
      const store = await openControlStore(database.location);
      try {
        const { openRuns } = store;
        assert.equal(await openRuns.nextDueMs(SCOPE), null);
        await openRuns.apply(SCOPE, { put: [], forget: [] });
        await openRuns.apply(SCOPE, { put: [run('b', 20), run('a', 20), run('c', 10)], ...NO_FORGOTTEN });
        await openRuns.apply(OTHER, { put: [run('a', 5)], ...NO_FORGOTTEN });
        assert.deepEqual(await openRuns.find(SCOPE, ['a', 'missing']), [run('a', 20)]);
        assert.equal(await openRuns.nextDueMs(SCOPE), 10);
        assert.deepEqual(
          (await openRuns.due(SCOPE, 20, 2)).map(({ key }) => key),
          ['c', 'a'],
        );
        assert.deepEqual(await openRuns.due(SCOPE, 9, 10), []);
        const done = run('a', 30, { state: 'done', held: null });
        await openRuns.apply(SCOPE, { put: [done], forget: ['b', 'missing'] });
        assert.deepEqual(await openRuns.due(SCOPE, 100, 10), [run('c', 10), done]);
        assert.deepEqual(await openRuns.find(OTHER, ['a']), [run('a', 5)]);
      } finally {
        await store.close();
        await database.remove();
      }
    });

    it('takes and finds as many as one batch may bring', async () => {
      const database = await driver.create();
      const store = await openControlStore(database.location);
      try {
        const many = Array.from({ length: 10_000 }, (_, index) => run(`run-${index}`, index, { state: 'done', held: null }));
        await store.openRuns.apply(SCOPE, { put: many, ...NO_FORGOTTEN });
        const keys = many.map(({ key }) => key);
        assert.equal((await store.openRuns.find(SCOPE, keys)).length, many.length);
        await store.openRuns.apply(SCOPE, { put: [], forget: keys });
        assert.equal(await store.openRuns.nextDueMs(SCOPE), null);
      } finally {
        await store.close();
        await database.remove();
      }
    });

    it('moves with the cursor of the ingest, or not at all', async () => {
      const database = await driver.create();
      const store = await openControlStore(database.location);
      try {
        await assert.rejects(
          store.transaction(async (tx) => {
            await tx.openRuns.apply(SCOPE, { put: [run('a', 1)], ...NO_FORGOTTEN });
            // Nothing was begun.
            await tx.cursors.commit(SCOPE, 'traces', 'w');
          }),
        );
        assert.deepEqual(await store.openRuns.find(SCOPE, ['a']), []);
      } finally {
        await store.close();
        await database.remove();
      }
    });
  });
}

for (const driver of TEST_DRIVERS) openRunsContract(driver);
describe('OpenRunStore contract: postgres', { skip: POSTGRES_SKIP }, () => {});
