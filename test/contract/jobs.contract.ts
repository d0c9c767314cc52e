import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { FakeClock } from '../../src/kernel/clock.ts';
import type { PlimsollError } from '../../src/kernel/errors.ts';
import { DEFAULT_RETRY, type JobDraft } from '../../src/kernel/jobs/job.ts';
import { createJobRunner, type JobHandler, type JobRunner, type JobRunnerOptions } from '../../src/kernel/jobs/runner.ts';
import { DEFAULT_SCOPE, type Scope } from '../../src/kernel/scope.ts';
import { type ControlStore, openControlStore } from '../../src/stores/sql/control-store.ts';
import type { TestDriver } from './control-store-drivers.ts';

const SCOPE = DEFAULT_SCOPE;
const OTHER: Scope = { organisationId: 'default', environment: 'staging' };
const START_MS = Date.UTC(2026, 0, 5, 12);
const LEASE_MS = 30_000;

function draft(changes: Partial<JobDraft> = {}): JobDraft {
  return {
    key: 'k',
    name: 'work',
    timing: { kind: 'at', runAtMs: START_MS },
    nextRunAtMs: START_MS,
    payload: null,
    retry: DEFAULT_RETRY,
    ...changes,
  };
}

function claimAt(nowMs: number, owner = 'one') {
  return { owner, names: ['work'], nowMs, leaseUntilMs: nowMs + LEASE_MS };
}

const DONE = { status: 'succeeded', error: null, nextRunAtMs: null, failedAttempts: 0 } as const;

/** A promise and the hand that settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

export function jobsContract(driver: TestDriver): void {
  describe(`JobStore contract: ${driver.kind}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });
    const open = async (count = 1): Promise<ControlStore[]> => {
      const database = await driver.create();
      cleanups.push(() => database.remove());
      const stores: ControlStore[] = [];
      for (let i = 0; i < count; i++) stores.push(await openControlStore(database.location));
      cleanups.push(async () => void (await Promise.all(stores.map((store) => store.close()))));
      return stores;
    };
    const openJobs = async () => {
      const [store] = await open();
      assert.ok(store);
      return store.jobs;
    };

    it('keeps one job per key and scope; the same again changes nothing, another timing does', async () => {
      const jobs = await openJobs();
      const first = await jobs.put(SCOPE, draft({ payload: { a: [1, 'ü'] } }), START_MS);
      assert.deepEqual(
        await jobs.put(SCOPE, draft({ payload: { a: [1, 'ü'] }, nextRunAtMs: START_MS + 99 }), START_MS + 5),
        first,
        'a missed time stays due',
      );
      const changed = await jobs.put(
        SCOPE,
        draft({ timing: { kind: 'at', runAtMs: START_MS + 7 }, nextRunAtMs: START_MS + 7 }),
        START_MS + 5,
      );
      assert.equal(changed.id, first.id);
      assert.equal(changed.nextRunAtMs, START_MS + 7);
      await jobs.put(OTHER, draft(), START_MS);
      assert.equal((await jobs.list(SCOPE, { afterKey: null, limit: 10 })).length, 1);
      const raced = await Promise.all(Array.from({ length: 20 }, () => jobs.put(SCOPE, draft({ key: 'race' }), START_MS)));
      assert.equal(new Set(raced.map(({ id }) => id)).size, 1);
    });

    it('hands a due job to exactly one of 20 claims, the longest due first', async () => {
      const [one, two] = await open(2);
      assert.ok(one && two);
      await one.jobs.put(SCOPE, draft({ key: 'late', nextRunAtMs: START_MS - 1 }), START_MS);
      await one.jobs.put(SCOPE, draft({ key: 'later', nextRunAtMs: START_MS }), START_MS);
      await one.jobs.put(SCOPE, draft({ key: 'not yet', nextRunAtMs: START_MS + 1 }), START_MS);
      await one.jobs.put(SCOPE, draft({ key: 'not mine', name: 'other' }), START_MS);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two).jobs.claim(SCOPE, claimAt(START_MS, `owner ${i}`))),
      );
      const held = claims.filter((claim) => claim !== null);
      assert.deepEqual(held.map(({ job }) => job.key).sort(), ['late', 'later']);
      assert.equal(await one.jobs.claim(OTHER, claimAt(START_MS)), null);
      assert.equal(await one.jobs.claim(SCOPE, { ...claimAt(START_MS + 9), names: [] }), null);
      assert.equal((await one.jobs.claim(SCOPE, claimAt(START_MS + 1)))?.job.key, 'not yet');
    });

    it('orders claims by due time', async () => {
      const jobs = await openJobs();
      for (const late of [3, 9, 1, 7]) await jobs.put(SCOPE, draft({ key: `${late}`, nextRunAtMs: START_MS - late }), START_MS);
      const order: string[] = [];
      for (let claim = await jobs.claim(SCOPE, claimAt(START_MS)); claim; claim = await jobs.claim(SCOPE, claimAt(START_MS)))
        order.push(claim.job.key);
      assert.deepEqual(order, ['9', '7', '3', '1']);
    });

    it('lets only the holder of the lease extend it and report', async () => {
      const jobs = await openJobs();
      await jobs.put(SCOPE, draft(), START_MS);
      const first = await jobs.claim(SCOPE, claimAt(START_MS));
      assert.ok(first);
      assert.equal(await jobs.extend(SCOPE, first.run.id, START_MS + 2 * LEASE_MS), true);
      assert.equal(await jobs.claim(SCOPE, claimAt(START_MS + LEASE_MS, 'two')), null, 'the extended lease holds');
      assert.equal(await jobs.nextDueMs(SCOPE, ['work']), START_MS + 2 * LEASE_MS);
      const second = await jobs.claim(SCOPE, claimAt(START_MS + 2 * LEASE_MS, 'two'));
      assert.ok(second);
      assert.equal(second.run.attempt, 2, 'the run that vanished counts');
      assert.equal(await jobs.extend(SCOPE, first.run.id, START_MS + 9 * LEASE_MS), false);
      assert.equal(await jobs.finish(SCOPE, first.run.id, { ...DONE, finishedAtMs: START_MS }), false);
      assert.equal(await jobs.release(SCOPE, first.run.id, START_MS), false);
      assert.equal(await jobs.finish(SCOPE, second.run.id, { ...DONE, finishedAtMs: START_MS + 70_000 }), true);
      assert.equal(await jobs.finish(SCOPE, second.run.id, { ...DONE, finishedAtMs: START_MS }), false);
      const runs = await jobs.runs(SCOPE, { jobId: first.job.id, beforeRunId: null, limit: 10 });
      assert.deepEqual(
        runs.map(({ status, owner }) => [status, owner]),
        [
          ['succeeded', 'two'],
          ['abandoned', 'one'],
        ],
      );
      assert.equal((await jobs.get(SCOPE, 'k'))?.state, 'done');
      assert.equal(await jobs.nextDueMs(SCOPE, ['work']), null);
    });

    it('keeps a new time that was set while the job ran', async () => {
      const jobs = await openJobs();
      await jobs.put(SCOPE, draft(), START_MS);
      const claim = await jobs.claim(SCOPE, claimAt(START_MS));
      assert.ok(claim);
      const newTime = START_MS + 500_000;
      await jobs.put(SCOPE, draft({ timing: { kind: 'at', runAtMs: newTime }, nextRunAtMs: newTime }), START_MS);
      assert.equal(await jobs.claim(SCOPE, claimAt(START_MS + LEASE_MS)), null, 'also when its lease lapses, the new time counts');
      assert.equal(await jobs.finish(SCOPE, claim.run.id, { ...DONE, finishedAtMs: START_MS + 10 }), true);
      const job = await jobs.get(SCOPE, 'k');
      assert.deepEqual([job?.state, job?.nextRunAtMs], ['waiting', newTime]);
    });

    it('removes a job with its history, and a run that is going on loses its lease', async () => {
      const jobs = await openJobs();
      const { id } = await jobs.put(SCOPE, draft(), START_MS);
      const claim = await jobs.claim(SCOPE, claimAt(START_MS));
      assert.equal(await jobs.remove(OTHER, 'k'), false);
      assert.equal(await jobs.remove(SCOPE, 'k'), true);
      assert.equal(await jobs.remove(SCOPE, 'k'), false);
      assert.equal(await jobs.extend(SCOPE, claim?.run.id ?? '', START_MS), false);
      assert.deepEqual(await jobs.runs(SCOPE, { jobId: id, beforeRunId: null, limit: 10 }), []);
    });

    it('prunes old runs, keeps the newest of a living job, and drops ended jobs', async () => {
      const jobs = await openJobs();
      const { id } = await jobs.put(SCOPE, draft({ key: 'cron', timing: { kind: 'cron', cron: '* * * * *', timeZone: 'UTC' } }), START_MS);
      for (let i = 0; i < 3; i++) {
        const atMs = START_MS + i * 60_000;
        const claim = await jobs.claim(SCOPE, claimAt(atMs));
        assert.ok(claim);
        await jobs.finish(SCOPE, claim.run.id, { ...DONE, finishedAtMs: atMs + 1, nextRunAtMs: atMs + 60_000 });
      }
      await jobs.put(SCOPE, draft({ key: 'once' }), START_MS);
      const once = await jobs.claim(SCOPE, claimAt(START_MS));
      assert.equal(once?.job.key, 'once');
      await jobs.finish(SCOPE, once?.run.id ?? '', { ...DONE, finishedAtMs: START_MS + 1 });
      const paged = await jobs.runs(SCOPE, { jobId: id, beforeRunId: null, limit: 2 });
      assert.deepEqual(
        paged.map(({ scheduledForMs }) => scheduledForMs),
        [START_MS + 120_000, START_MS + 60_000],
      );
      assert.equal((await jobs.runs(SCOPE, { jobId: id, beforeRunId: paged.at(-1)?.id ?? null, limit: 2 })).length, 1);
      assert.equal(await jobs.prune(OTHER, START_MS + 999_999_999), 0);
      assert.equal(await jobs.prune(SCOPE, START_MS + 60_000), 2);
      assert.equal(await jobs.get(SCOPE, 'once'), null);
      assert.equal(await jobs.prune(SCOPE, START_MS + 999_999_999), 1);
      assert.equal((await jobs.runs(SCOPE, { jobId: id, beforeRunId: null, limit: 9 })).length, 1, 'the newest stays');
    });
  });

  describe(`Job runner: ${driver.kind}`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });
    const setUp = async () => {
      const database = await driver.create();
      cleanups.push(() => database.remove());
      const store = await openControlStore(database.location);
      cleanups.push(() => store.close());
      const errors: unknown[] = [];
      const runner = (clock: FakeClock, handlers: Record<string, JobHandler>, more: Partial<JobRunnerOptions> = {}): JobRunner =>
        createJobRunner({
          store: store.jobs,
          scope: SCOPE,
          clock,
          handlers,
          onError: (thrown) => errors.push(thrown),
          leaseMs: LEASE_MS,
          ...more,
        });
      return { store, runner, errors, clock: new FakeClock(START_MS) };
    };

    it('runs a timer once at its time, with its payload', async () => {
      const { store, runner, clock } = await setUp();
      const seen: unknown[] = [];
      const jobs = runner(clock, {
        work: async ({ payload, scheduledForMs, attempt }) => void seen.push([payload, scheduledForMs, attempt]),
      });
      await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS + 1000 }, payload: { a: 1 } });
      await jobs.runDue();
      assert.deepEqual(seen, []);
      await clock.advance(1000);
      await jobs.runDue();
      await jobs.runDue();
      assert.deepEqual(seen, [[{ a: 1 }, START_MS + 1000, 1]]);
      await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS + 1000 }, payload: { a: 1 } });
      await jobs.runDue();
      assert.equal(seen.length, 1, 'scheduling what has run already does not run it again');
      assert.equal((await store.jobs.get(SCOPE, 'work'))?.state, 'done');
    });

    it('follows the clock of Berlin over both changes of the year', async () => {
      const { runner } = await setUp();
      const daily = async (fromIso: string, days: number): Promise<string[]> => {
        const clock = new FakeClock(Date.parse(fromIso));
        const times: string[] = [];
        const jobs = runner(clock, { [fromIso]: async () => void times.push(new Date(clock.nowMs()).toISOString()) });
        await jobs.schedule({ name: fromIso, timing: { kind: 'cron', cron: '30 2 * * *', timeZone: 'Europe/Berlin' } });
        for (let quarter = 0; quarter < days * 96; quarter++) {
          await clock.advance(15 * 60_000);
          if (clock.nowMs() % 86_400_000 < 6 * 3_600_000) await jobs.runDue();
        }
        return times;
      };
      assert.deepEqual(
        await daily('2026-03-28T00:00:00Z', 3),
        ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
        '02:30 does not exist on the 29th: it runs at 03:00',
      );
      assert.deepEqual(
        await daily('2026-10-24T00:00:00Z', 3),
        ['2026-10-24T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
        '02:30 comes twice on the 25th: it runs once',
      );
    });

    it('makes one run of all the times that were missed', async () => {
      const { runner, clock } = await setUp();
      const times: number[] = [];
      const handlers = { work: async ({ scheduledForMs }: { scheduledForMs: number }) => void times.push(scheduledForMs) };
      await runner(clock, handlers).schedule({ name: 'work', timing: { kind: 'cron', cron: '0 * * * *', timeZone: 'UTC' } });
      await clock.advance(10.5 * 3_600_000);
      const restarted = runner(clock, handlers);
      await restarted.schedule({ name: 'work', timing: { kind: 'cron', cron: '0 * * * *', timeZone: 'UTC' } });
      await restarted.runDue();
      assert.deepEqual(times, [START_MS + 3_600_000], 'run once, for the first missed time');
      await clock.advance(30 * 60_000);
      await restarted.runDue();
      assert.deepEqual(times.at(-1), START_MS + 11 * 3_600_000);
    });

    it('retries with growing waits, then gives a timer up and takes a cron job to its next time', async () => {
      const { store, runner, clock, errors } = await setUp();
      const times: number[] = [];
      const jobs = runner(clock, {
        work: async () => {
          times.push(clock.nowMs() - START_MS);
          throw new Error('broken');
        },
      });
      const retry = { maxAttempts: 4, firstMs: 1000, maxMs: 3000 };
      await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS }, retry });
      for (let second = 0; second <= 20; second++) {
        await jobs.runDue();
        await clock.advance(1000);
      }
      assert.deepEqual(times, [0, 1000, 3000, 6000]);
      const job = await store.jobs.get(SCOPE, 'work');
      assert.deepEqual([job?.state, job?.failedAttempts, errors.length], ['failed', 4, 4]);
      const runs = await store.jobs.runs(SCOPE, { jobId: job?.id ?? '', beforeRunId: null, limit: 9 });
      assert.deepEqual(
        runs.map(({ status, attempt, error }) => [status, attempt, error]),
        [4, 3, 2, 1].map((attempt) => ['failed', attempt, 'broken']),
      );
      times.length = 0;
      await jobs.schedule({
        name: 'work',
        key: 'cron',
        timing: { kind: 'cron', cron: '* * * * *', timeZone: 'UTC' },
        retry: { ...retry, maxAttempts: 2 },
      });
      for (let second = 0; second <= 80; second++) {
        await jobs.runDue();
        await clock.advance(1000);
      }
      assert.deepEqual(times, [60_000, 61_000], 'two attempts, then nothing until the next minute');
      await clock.advance(20_000);
      await jobs.runDue();
      assert.deepEqual((await store.jobs.get(SCOPE, 'cron'))?.failedAttempts, 1, 'the next minute counts from the start');
    });

    it('runs again after a restart in the middle of a run, when the lease has run out', async () => {
      const { store, runner, clock } = await setUp();
      const started = gate();
      const never = gate();
      const dead = runner(
        clock,
        {
          work: async () => {
            started.open();
            await never.opened;
          },
        },
        { leaseMs: LEASE_MS },
      );
      await dead.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS } });
      const stuck = dead.runDue();
      await started.opened;
      // The process is killed: its heartbeat stops with it. A clock of its own that never moves stands for that.
      const laterClock = new FakeClock(START_MS + LEASE_MS - 1);
      const attempts: number[] = [];
      const restarted = runner(laterClock, { work: async ({ attempt }) => void attempts.push(attempt) });
      await restarted.runDue();
      assert.deepEqual(attempts, [], 'the lease still holds');
      await laterClock.advance(1);
      await restarted.runDue();
      assert.deepEqual(attempts, [2]);
      const job = await store.jobs.get(SCOPE, 'work');
      const statuses = async () =>
        (await store.jobs.runs(SCOPE, { jobId: job?.id ?? '', beforeRunId: null, limit: 9 })).map(({ status }) => status);
      assert.deepEqual(await statuses(), ['succeeded', 'abandoned']);
      never.open();
      await stuck;
      assert.deepEqual(await statuses(), ['succeeded', 'abandoned'], 'the outcome of the one that lost its lease is not kept');
    });

    it('tells a run that its lease is lost, and holds the lease of a long run by heartbeat', async () => {
      const { store, runner, clock } = await setUp();
      const started = gate();
      const finish = gate();
      let signal: AbortSignal | null = null;
      const jobs = runner(clock, {
        work: async (context) => {
          signal = context.signal;
          started.open();
          await finish.opened;
        },
      });
      const { key } = await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS } });
      const running = jobs.runDue();
      await started.opened;
      const held = () => (signal as AbortSignal | null)?.aborted === false;
      for (let beat = 0; beat < 12; beat++) {
        await clock.advance(LEASE_MS / 3);
        // The heartbeat's write is real I/O on PostgreSQL: wait until it is seen, at most two seconds.
        const wanted = clock.nowMs() + LEASE_MS;
        for (let turn = 0; turn < 200 && (await store.jobs.nextDueMs(SCOPE, ['work'])) !== wanted; turn++)
          await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(await store.jobs.nextDueMs(SCOPE, ['work']), wanted);
        assert.equal(await store.jobs.claim(SCOPE, claimAt(clock.nowMs(), 'rival')), null);
      }
      assert.ok(held(), 'four leases long, still held');
      const lost = new Promise((resolve) => (signal as AbortSignal | null)?.addEventListener('abort', resolve));
      await store.jobs.remove(SCOPE, key);
      await clock.advance(LEASE_MS / 3);
      await lost;
      finish.open();
      await running;
    });

    it('never runs a job twice at once when two runners race', async () => {
      const { runner, clock, errors } = await setUp();
      const going = new Set<unknown>();
      const ran: unknown[] = [];
      const handlers = {
        work: async ({ payload }: { payload: unknown }) => {
          assert.ok(!going.has(payload), 'twice at once');
          going.add(payload);
          for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
          going.delete(payload);
          ran.push(payload);
        },
      };
      const [one, two] = [runner(clock, handlers), runner(clock, handlers)];
      for (let i = 0; i < 10; i++) await one.schedule({ name: 'work', key: `${i}`, timing: { kind: 'at', runAtMs: START_MS }, payload: i });
      await Promise.all([one.runDue(), two.runDue(), one.runDue(), two.runDue()]);
      assert.deepEqual(
        [...ran].sort(),
        Array.from({ length: 10 }, (_, i) => i),
        'each once',
      );
      assert.deepEqual(errors, []);
    });

    it('gives back what its stop cut short, without counting it as a failure', async () => {
      const { store, runner, clock } = await setUp();
      const started = gate();
      const jobs = runner(clock, {
        work: async ({ signal }) => {
          started.open();
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      });
      await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS } });
      const running = jobs.runDue();
      await started.opened;
      await jobs.stop();
      await running;
      const job = await store.jobs.get(SCOPE, 'work');
      assert.deepEqual([job?.state, job?.failedAttempts, job?.nextRunAtMs], ['waiting', 0, START_MS]);
      const attempts: number[] = [];
      await runner(clock, { work: async ({ attempt }) => void attempts.push(attempt) }).runDue();
      assert.deepEqual(attempts, [1]);
    });

    it('gives up a job that takes its process down again and again', async () => {
      const { store, runner, clock } = await setUp();
      const jobs = runner(clock, { work: async () => assert.fail('must not run again') });
      await jobs.schedule({ name: 'work', timing: { kind: 'at', runAtMs: START_MS }, retry: { maxAttempts: 2, firstMs: 1, maxMs: 1 } });
      for (let crash = 0; crash < 2; crash++) {
        assert.ok(await store.jobs.claim(SCOPE, claimAt(clock.nowMs(), `crash ${crash}`)));
        await clock.advance(LEASE_MS);
      }
      await jobs.runDue();
      assert.equal((await store.jobs.get(SCOPE, 'work'))?.state, 'failed');
    });

    it('schedules inside a transaction: nothing runs when it rolls back', async () => {
      const { store, runner, clock } = await setUp();
      let ran = 0;
      const jobs = runner(clock, { work: async () => void ran++ });
      const timing = { kind: 'at', runAtMs: START_MS } as const;
      await assert.rejects(
        store.transaction(async (tx) => {
          await jobs.schedule({ name: 'work', timing }, tx.jobs);
          throw new Error('no');
        }),
      );
      await jobs.runDue();
      assert.equal(ran, 0);
      await store.transaction((tx) => jobs.schedule({ name: 'work', timing }, tx.jobs));
      await jobs.runDue();
      assert.equal(ran, 1);
    });

    it('refuses an unknown handler and a schedule that is none', async () => {
      const { runner, clock } = await setUp();
      const jobs = runner(clock, { work: async () => {} });
      const invalid = (thrown: PlimsollError) => thrown.code === 'invalid_argument';
      await assert.rejects(jobs.schedule({ name: 'wrok', timing: { kind: 'at', runAtMs: 0 } }), invalid);
      for (const [cron, timeZone] of [
        ['nonsense', 'UTC'],
        ['* * * * *', 'Mars/Olympus'],
        ['61 * * * *', 'UTC'],
        ['0 0 30 2 *', 'UTC'],
      ] as const) {
        await assert.rejects(jobs.schedule({ name: 'work', timing: { kind: 'cron', cron, timeZone } }), invalid, cron);
      }
    });
  });
}
