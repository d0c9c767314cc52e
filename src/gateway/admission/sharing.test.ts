import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LeaseAuthority } from './lease-authority.ts';
import { LeaseBroker } from './lease-broker.ts';
import type { LeaseReport, LeaseSource } from './lease-source.ts';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { attemptWith, JumpingClock, mustReserve, TEST_START_MS, type TestAdmission, testAdmission } from './testing.ts';

interface Gateway extends TestAdmission {
  readonly broker: LeaseBroker;
  readonly states: boolean[];
}

interface Cluster {
  readonly clock: JumpingClock;
  readonly gateways: Gateway[];
  /** Exchanges so far. */
  readonly exchanges: { count: number };
  isAway: boolean;
  /** Moves the clock until the work is done. */
  finish<T>(work: Promise<T>): Promise<T>;
}

/** Some gateways on one clock that borrow from one authority, an exchange taking a millisecond each way. */
function cluster(size: number, limits: readonly Record<string, unknown>[], replicas: number | null = null): Cluster {
  const authority = new LeaseAuthority(3_000);
  const listeners = new Map<string, (keys: readonly string[]) => void>();
  const clock = new JumpingClock(TEST_START_MS);
  const made: Cluster = {
    clock,
    gateways: [],
    exchanges: { count: 0 },
    isAway: false,
    async finish(work) {
      let isDone = false;
      void work
        .catch(() => {})
        .finally(() => {
          isDone = true;
        });
      for (let turns = 0; !isDone && turns < 20_000; turns++) await clock.advance(1);
      return work;
    },
  };
  for (let index = 0; index < size; index++) {
    const writer = `gateway-${index + 1}`;
    const source: LeaseSource = {
      leaseMs: 3_000,
      async exchange(reports: readonly LeaseReport[], isComplete: boolean) {
        made.exchanges.count++;
        await clock.sleep(1);
        if (made.isAway) throw new Error('away');
        const { answers, recalls } = authority.exchange({ writer, incarnation: writer }, reports, isComplete, clock.monotonicMs());
        for (const [name, keys] of recalls) clock.setTimer(1, () => listeners.get(name)?.(keys));
        await clock.sleep(1);
        return { answers, sourceId: 'one', settlingMs: 0 };
      },
      onRecall: (listener) => void listeners.set(writer, listener),
      close: async () => {},
    };
    const test = testAdmission(limits, TEST_START_MS, clock);
    const states: boolean[] = [];
    const broker = new LeaseBroker({
      source,
      clock,
      active: test.admission.activeCounters,
      counters: () => test.admission.counters(),
      onReached: (counter) => test.admission.reportReached(counter),
      onState: (isReachable) => void states.push(isReachable),
    });
    test.admission.share({ borrow: (shortages) => broker.obtain(shortages), isReachable: () => broker.isReachable, replicas });
    made.gateways.push({ ...test, broker, states });
  }
  return made;
}

/** As stages/admit.ts does. */
async function enter(
  { admission, request }: Gateway,
  overrides: Parameters<TestAdmission['request']>[0] = {},
): Promise<Reservation | Refusal> {
  let outcome = admission.reserve(request(overrides));
  for (let borrows = 0; outcome instanceof Refusal && outcome.isShort && borrows < 5; borrows++) {
    await admission.borrow(outcome);
    outcome = admission.reserve(request(overrides));
  }
  return outcome;
}

const close = (made: Cluster): Promise<unknown> => made.finish(Promise.all(made.gateways.map(({ broker }) => broker.close())));

describe('limits that several gateways keep together', () => {
  it('a rate is reached exactly, wherever the calls come, and never passed in any window', async () => {
    const made = cluster(3, [{ scope: 'global', requestsPerMinute: 200 }]);
    const admittedAtMs: number[] = [];
    for (let turn = 0; turn < 900; turn++) {
      const gateway = made.gateways[turn % 7 === 0 ? 0 : turn % 3] as Gateway;
      const outcome = await made.finish(enter(gateway));
      if (!(outcome instanceof Refusal)) {
        admittedAtMs.push(made.clock.monotonicMs());
        outcome.settle([attemptWith(1, 0n)]);
      }
      await made.clock.advance(150);
    }
    const firstMs = admittedAtMs[0] ?? 0;
    assert.equal(admittedAtMs.filter((atMs) => atMs < firstMs + 60_000).length, 200, 'the first window is used up');
    for (const startMs of admittedAtMs) {
      const inWindow = admittedAtMs.filter((atMs) => atMs >= startMs && atMs < startMs + 60_000).length;
      assert.ok(inWindow <= 200, `${inWindow} from ${startMs}`);
    }
    assert.ok(admittedAtMs.length > 400, 'and again in the next ones');
    assert.ok(made.exchanges.count < 2_000, `${made.exchanges.count} exchanges`);
    await close(made);
  });

  it('calls of a busy gateway need hardly an exchange; one that has gone quiet keeps nothing', async () => {
    const made = cluster(2, [{ scope: 'global', requestsPerMinute: 100_000, concurrency: 1_000, budgetUsd: 100 }]);
    const gateway = made.gateways[0] as Gateway;
    let waited = 0;
    for (let call = 0; call < 4_000; call++) {
      let outcome = gateway.admission.reserve(gateway.request({ nanoUsd: 1_000 }));
      if (outcome instanceof Refusal) {
        waited++;
        outcome = await made.finish(enter(gateway, { nanoUsd: 1_000 }));
      }
      mustReserve(outcome).settle([attemptWith(1, 1_000_000n)]);
      if (call % 4 === 0) await made.clock.advance(1);
    }
    assert.ok(waited < 25, `${waited} of 4000 calls had to ask`);
    assert.ok(made.exchanges.count < 60, `${made.exchanges.count} exchanges`);
    await made.clock.advance(2_000);
    for (const { lease } of gateway.admission.counters()) assert.equal(lease?.spare, 0);
    assert.equal(gateway.admission.activeCounters.size, 0);
    const before = made.exchanges.count;
    await made.clock.advance(10_000);
    assert.ok(made.exchanges.count - before <= 2 * 11, 'a word a second to find out whether the source is still the same');
    await close(made);
  });

  it('what one gateway holds spare goes to the one that needs it; budgets are used up to the last nano-dollar', async () => {
    const made = cluster(3, [{ scope: 'team', budgetUsd: 0.001, per: 'day' }]);
    let spent = 0;
    const order = [0, 1, 2, 1, 0, 2, 2, 1];
    for (let turn = 0; turn < 400; turn++) {
      const gateway = made.gateways[order[turn % order.length] as number] as Gateway;
      const nanoUsd = 5_000 + (turn % 3) * 1_000;
      const outcome = await made.finish(enter(gateway, { nanoUsd }));
      if (outcome instanceof Refusal) continue;
      outcome.settle([attemptWith(1, BigInt(nanoUsd) * 1000n)]);
      spent += nanoUsd;
    }
    assert.ok(spent <= 1_000_000 && spent > 1_000_000 - 5_000, `${spent} of 1000000`);
    const last = await made.finish(enter(made.gateways[0] as Gateway, { nanoUsd: 1_000_000 - spent }));
    assert.ok(!(last instanceof Refusal), 'the last of it, wherever it was held');
    const over = await made.finish(enter(made.gateways[1] as Gateway, { nanoUsd: 1 }));
    assert.ok(over instanceof Refusal && !over.isShort);
    assert.equal(over.error().code, 'budget_exceeded');
    await close(made);
  });

  it('shares of a budget are reported by what all have spent', async () => {
    const made = cluster(2, [{ scope: 'team', budgetUsd: 0.0001, per: 'day', alertAtPercent: [50, 100] }]);
    for (const gateway of [...made.gateways, ...made.gateways]) {
      const outcome = await made.finish(enter(gateway, { nanoUsd: 25_000 }));
      assert.ok(!(outcome instanceof Refusal));
      outcome.settle([attemptWith(1, 25_000_000n)]);
    }
    await made.clock.advance(300);
    const place = 'team:*/budget-per-day support';
    // Whoever hears of it first reports it; the same report twice is one event.
    const reached = new Set(made.gateways.flatMap((gateway) => gateway.reached));
    assert.deepEqual([...reached].sort(), [`${place} 100`, `${place} 50`]);
    await close(made);
  });

  it('a source that is away stops what it cannot vouch for, or each goes on with its share', async () => {
    for (const replicas of [null, 2]) {
      const made = cluster(2, [{ scope: 'global', budgetUsd: 0.0001, per: 'month' }], replicas);
      const [one, two] = made.gateways as [Gateway, Gateway];
      const first = await made.finish(enter(one, { nanoUsd: 10_000 }));
      assert.ok(!(first instanceof Refusal));
      first.settle([attemptWith(1, 10_000_000n)]);
      made.isAway = true;
      const held = one.admission.reserve(one.request({ nanoUsd: 1_000 }));
      assert.ok(!(held instanceof Refusal), 'what was lent may be used');
      held.settle([attemptWith(1, 1_000_000n)]);
      await made.clock.advance(4_000);
      assert.deepEqual(one.states, [false]);
      if (replicas === null) {
        await assert.rejects(made.finish(enter(one, { nanoUsd: 1_000 })), /what this gateway shares its limits with does not answer/);
        await assert.rejects(made.finish(enter(two, { nanoUsd: 1_000 })), { code: 'not_ready' });
      } else {
        // Half of the budget each, what it has spent before included.
        let spent = 11_000;
        for (let call = 0; call < 100; call++) {
          const outcome = await made.finish(enter(one, { nanoUsd: 1_000 }));
          if (outcome instanceof Refusal) break;
          outcome.settle([attemptWith(1, 1_000_000n)]);
          spent += 1_000;
        }
        assert.equal(spent, 50_000);
      }
      made.isAway = false;
      await made.clock.advance(300);
      assert.deepEqual(one.states, [false, true]);
      assert.ok(!((await made.finish(enter(two, { nanoUsd: 1_000 }))) instanceof Refusal));
      await close(made);
    }
  });

  it('whatever gateways do and in whatever order, no limit is passed and nothing stays held', async () => {
    const step = fc.record({
      gateway: fc.nat(2),
      kind: fc.constantFrom('call', 'call', 'call', 'settle', 'release', 'wait'),
      user: fc.constantFrom('ada', 'bob'),
      nanoUsd: fc.integer({ min: 1, max: 40 }),
      share: fc.integer({ min: 0, max: 100 }),
      waitMs: fc.oneof(fc.nat(50), fc.nat(2_000)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const made = cluster(3, [
          { scope: 'global', concurrency: 6, budgetUsd: 0.000001, per: 'month' },
          { scope: 'user', budgetUsd: 0.000001, concurrency: 4, per: 'month' },
        ]);
        const open: { reservation: Reservation; nanoUsd: number; user: string }[] = [];
        const spent = { ada: 0, bob: 0 };
        for (const { gateway, kind, user, nanoUsd, share, waitMs } of steps) {
          if (kind === 'wait') await made.clock.advance(waitMs);
          else if (kind === 'call') {
            const outcome = await made.finish(enter(made.gateways[gateway] as Gateway, { user, nanoUsd: nanoUsd * 10 }));
            if (!(outcome instanceof Refusal)) open.push({ reservation: outcome, nanoUsd: nanoUsd * 10, user });
          } else {
            const call = open.shift();
            if (call === undefined) continue;
            const used = Math.floor((call.nanoUsd * share) / 100);
            if (kind === 'release') call.reservation.release();
            else {
              call.reservation.settle([attemptWith(1, BigInt(used) * 1000n)]);
              spent[call.user as 'ada' | 'bob'] += used;
            }
          }
          const held = (name: string): number => open.filter((call) => call.user === name).reduce((sum, call) => sum + call.nanoUsd, 0);
          assert.ok(open.length <= 6);
          assert.ok(spent.ada + spent.bob + held('ada') + held('bob') <= 1_000);
          for (const name of ['ada', 'bob'] as const) {
            assert.ok(open.filter((call) => call.user === name).length <= 4);
            assert.ok(spent[name] + held(name) <= 1_000);
          }
        }
        for (const { reservation } of open) reservation.release();
        await made.clock.advance(1_500);
        for (const { admission } of made.gateways) {
          assert.equal(admission.stats.outstanding, 0);
          for (const counter of admission.counters()) assert.equal(counter.reserved, 0);
        }
        const all = await made.finish(enter(made.gateways[0] as Gateway, { user: null, nanoUsd: 1_000 - spent.ada - spent.bob }));
        assert.ok(!(all instanceof Refusal), 'all that is left can be had in one place');
        await close(made);
      }),
      { numRuns: 40 },
    );
  });
});
