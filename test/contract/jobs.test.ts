import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../../src/kernel/clock.ts';
import { createJobRunner } from '../../src/kernel/jobs/runner.ts';
import { DEFAULT_SCOPE } from '../../src/kernel/scope.ts';
import { openControlStore } from '../../src/stores/sql/control-store.ts';
import { POSTGRES_SKIP, TEST_DRIVERS } from './control-store-drivers.ts';
import { jobsContract } from './jobs.contract.ts';

for (const driver of TEST_DRIVERS) jobsContract(driver);
describe('JobStore contract: postgres', { skip: POSTGRES_SKIP }, () => {});

describe('Job runner on its timer', () => {
  it('wakes for what falls due, also when it was scheduled inside a transaction and while others run', async () => {
    const [driver] = TEST_DRIVERS;
    assert.ok(driver);
    const database = await driver.create();
    const store = await openControlStore(database.location);
    const clock = new FakeClock(Date.UTC(2026, 0, 1));
    const startMs = clock.nowMs();
    const ran: [unknown, number][] = [];
    const errors: unknown[] = [];
    const runner = createJobRunner({
      store: store.jobs,
      scope: DEFAULT_SCOPE,
      clock,
      onError: (thrown) => errors.push(thrown),
      handlers: { work: async ({ payload }) => void ran.push([payload, clock.nowMs() - startMs]) },
    });
    runner.start();
    await runner.schedule({ name: 'work', key: 'a', timing: { kind: 'at', runAtMs: startMs + 700 }, payload: 'a' });
    await store.transaction(async (tx) => {
      await runner.schedule({ name: 'work', key: 'b', timing: { kind: 'at', runAtMs: startMs + 1 }, payload: 'b' }, tx.jobs);
      await clock.advance(2);
    });
    for (let step = 0; step < 700; step++) {
      await clock.advance(10);
      // SQLite answers within microtasks: after one turn of the event loop whatever the step woke is done.
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(errors, []);
    assert.deepEqual(ran.map(([name]) => name).sort(), ['a', 'b']);
    const ofA = ran.find(([name]) => name === 'a')?.[1] ?? 0;
    const ofB = ran.find(([name]) => name === 'b')?.[1] ?? 0;
    assert.ok(ofA >= 700 && ofA <= 720, `a ran at ${ofA} ms`);
    assert.ok(ofB <= 5_100, `b was seen at the next poll at the latest: ${ofB} ms`);
    await runner.stop();
    await store.close();
    await database.remove();
  });
});
