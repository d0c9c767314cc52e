import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AdmissionRequest } from './admission.ts';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { attemptWith, CALLER, mustReserve, rules, TEST_START_MS, testAdmission } from './testing.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Numbers of every counter that are not zero, to compare states. */
function state({ admission, clock }: ReturnType<typeof testAdmission>): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const [id, table] of admission.tables) {
    for (const counter of table.counters()) {
      const numbers = [counter.used(clock.monotonicMs()), counter.reserved];
      if (numbers.some((number) => number !== 0)) found[`${id} ${counter.member}`] = numbers;
    }
  }
  return found;
}

describe('admission', () => {
  it('takes of all limits or of none', async () => {
    const test = testAdmission([
      { scope: 'global', requestsPerMinute: 10, concurrency: 5 },
      { scope: 'team', name: 'support', tokensPerMinute: 1_000 },
      { scope: 'user', budgetUsd: 1, per: 'day' },
      { scope: 'feature', name: 'chat', concurrency: 2 },
    ]);
    const { admission, request } = test;
    mustReserve(admission.reserve(request({ user: 'ada', tokens: 900, nanoUsd: 600_000_000 })));
    const before = state(test);
    const attempts: Partial<AdmissionRequest>[] = [
      { user: 'ada', tokens: 101 },
      { user: 'ada', tokens: 1, nanoUsd: 400_000_001 },
      { user: 'bob', tokens: 200, nanoUsd: 1 },
    ];
    for (const overrides of attempts) {
      assert.ok(admission.reserve(request(overrides)) instanceof Refusal);
      assert.deepEqual(state(test), before);
    }
    mustReserve(admission.reserve(request({ user: 'bob', tokens: 100, nanoUsd: 1_000_000_000 })));
    const third = admission.reserve(request({ user: 'eve' }));
    assert.ok(third instanceof Refusal && third.counter.limit.id === 'feature:chat/concurrency');
  });

  it('books what was really used, exact to the pico-dollar, and gives the rest back once', () => {
    const { admission, request } = testAdmission([{ scope: 'organisation', budgetUsd: 1, per: 'month' }]);
    const counter = admission.tables.get('organisation:*/budget-per-month')?.get('default', 0, TEST_START_MS) ?? assert.fail();
    const reservation = mustReserve(admission.reserve(request({ nanoUsd: 700_000_000 })));
    assert.equal(admission.stats.outstanding, 1);
    reservation.settle([attemptWith(10, 1_999n), attemptWith(10, 123_456_789_002n)]);
    reservation.settle([attemptWith(10, 999_999_999_999n)]);
    reservation.release();
    assert.equal(counter.spentPicoUsd, 123_456_791_001n);
    assert.equal(counter.reserved, 0);
    assert.equal(admission.stats.outstanding, 0);
    // The dollar less what is spent, rounded up to a nano-dollar.
    assert.ok(admission.reserve(request({ nanoUsd: 1_000_000_000 - 123_456_791 })) instanceof Refusal);
    mustReserve(admission.reserve(request({ nanoUsd: 1_000_000_000 - 123_456_792 })));
  });

  it('books an overshoot truly, and then lets nothing more in', () => {
    const { admission, request } = testAdmission([{ scope: 'key', budgetUsd: 1, per: 'day' }]);
    mustReserve(admission.reserve(request({ nanoUsd: 1_000_000 }))).settle([attemptWith(1, 5_000_000_000_000n)]);
    const refusal = admission.reserve(request({ nanoUsd: 1 }));
    assert.ok(refusal instanceof Refusal);
    assert.match(refusal.error().message, /\$5 of \$1 per day spent/);
    assert.ok(!(admission.reserve(request({ nanoUsd: 0 })) instanceof Refusal), 'what costs nothing fits under every budget');
  });

  it('counts a call that reached no provider as nothing', () => {
    const test = testAdmission([{ scope: 'global', requestsPerMinute: 1, tokensPerMinute: 10, concurrency: 1, budgetUsd: 1 }]);
    const { admission, request } = test;
    const call = { tokens: 10, nanoUsd: 1_000_000_000 };
    mustReserve(admission.reserve(request(call))).release();
    assert.deepEqual(state(test), {});
    const neverSent = { ...attemptWith(0, 0n), usage: null, httpStatus: null };
    mustReserve(admission.reserve(request(call))).settle([neverSent]);
    assert.deepEqual(state(test), {});
    mustReserve(admission.reserve(request(call))).settle([{ ...neverSent, httpStatus: 500 }]);
    assert.ok(admission.reserve(request(call)) instanceof Refusal, 'a provider that refuses was asked');
  });

  it('counts each member of a scope on its own, and one member when it is named', () => {
    const { admission, request } = testAdmission([
      { scope: 'session', maxSteps: 1 },
      { scope: 'customer', name: 'acme', requestsPerMinute: 2 },
      { scope: 'user', feature: 'other', requestsPerMinute: 1 },
    ]);
    const ask = (overrides: Partial<AdmissionRequest>): boolean => !(admission.reserve(request(overrides)) instanceof Refusal);
    assert.ok(ask({ session: 'a' }));
    assert.ok(!ask({ session: 'a' }));
    assert.ok(ask({ session: 'b', customer: 'acme' }));
    assert.ok(ask({ customer: 'acme' }));
    assert.ok(!ask({ customer: 'acme' }));
    assert.ok(ask({ customer: 'other', user: 'ada' }));
    assert.ok(ask({ customer: 'other', user: 'ada' }), 'the limit per user is of another feature');
    const other = { ...CALLER, feature: 'other' };
    assert.ok(!(admission.reserve(request({ user: 'ada' }, other)) instanceof Refusal));
    assert.ok(admission.reserve(request({ user: 'ada' }, other)) instanceof Refusal);
  });

  it('lets alerts pass and counts them', () => {
    const { admission, request, reached } = testAdmission([
      { scope: 'feature', name: 'chat', budgetUsd: 1, per: 'day', onExceed: 'alert' },
    ]);
    for (const _ of Array.from({ length: 4 }))
      mustReserve(admission.reserve(request({ nanoUsd: 500_000_000 }))).settle([attemptWith(1, 500_000_000_000n)]);
    const place = 'feature:chat/budget-per-day chat';
    assert.deepEqual(
      reached,
      [50, 80, 100, 120, 150].map((percent) => `${place} ${percent}`),
    );
  });

  it('reports a share of a budget once per period, and again after the budget was raised', async () => {
    const limit = { scope: 'team', name: 'support', budgetUsd: 1, per: 'day', alertAtPercent: [80, 50] };
    const { admission, clock, request, reached } = testAdmission([limit]);
    const spend = (usd: number): void =>
      mustReserve(admission.reserve(request({ nanoUsd: 1 }))).settle([attemptWith(1, BigInt(usd * 1_000) * 1_000_000_000n)]);
    spend(0.5);
    spend(0.1);
    assert.deepEqual(reached.splice(0), ['team:support/budget-per-day support 50']);
    admission.adopt(rules([{ ...limit, budgetUsd: 2 }]));
    spend(0.3);
    assert.deepEqual(reached, []);
    spend(0.1);
    assert.deepEqual(reached.splice(0), ['team:support/budget-per-day support 50']);
    await clock.advance(DAY_MS);
    spend(1.7);
    assert.deepEqual(reached, ['team:support/budget-per-day support 50', 'team:support/budget-per-day support 80']);
  });

  it('keeps what was used when the configuration changes', () => {
    const { admission, request } = testAdmission([{ scope: 'global', requestsPerMinute: 2, budgetUsd: 1 }]);
    mustReserve(admission.reserve(request({ nanoUsd: 900_000_000 }))).settle([attemptWith(1, 900_000_000_000n)]);
    const old = mustReserve(admission.reserve(request({ nanoUsd: 100_000_000 })));
    assert.ok(admission.reserve(request()) instanceof Refusal);
    admission.adopt(
      rules([
        { scope: 'key', concurrency: 9 },
        { scope: 'global', requestsPerMinute: 4, budgetUsd: 2 },
      ]),
    );
    old.settle([attemptWith(1, 100_000_000_000n)]);
    assert.ok(admission.reserve(request({ nanoUsd: 1_000_000_001 })) instanceof Refusal);
    mustReserve(admission.reserve(request({ nanoUsd: 1_000_000_000 })));
    mustReserve(admission.reserve(request()));
    assert.ok(admission.reserve(request()) instanceof Refusal);
  });

  it('keeps the periods of the calendar when the clock jumps to and fro: nobody gets a second budget', async () => {
    const { admission, clock, request } = testAdmission([{ scope: 'global', budgetUsd: 1, per: 'day' }]);
    const spend = (nanoUsd: number): boolean => {
      const outcome = admission.reserve(request({ nanoUsd }));
      if (outcome instanceof Refusal) return false;
      outcome.settle([attemptWith(1, BigInt(nanoUsd) * 1000n)]);
      return true;
    };
    assert.ok(spend(1_000_000_000));
    clock.wallOffsetMs = DAY_MS;
    assert.ok(spend(400_000_000));
    const running = mustReserve(admission.reserve(request({ nanoUsd: 100_000_000 })));
    clock.wallOffsetMs = 0;
    assert.ok(!spend(1), 'yesterday is spent');
    running.settle([attemptWith(1, 100_000_000_000n)]);
    assert.ok(!spend(1));
    clock.wallOffsetMs = DAY_MS;
    assert.ok(!spend(500_000_001));
    assert.ok(spend(500_000_000));
    await clock.advance(DAY_MS);
    assert.ok(spend(1_000_000_000));
  });

  it('refuses with the scope, the limit, the spend, the reset and the owner', async () => {
    const { admission, request } = testAdmission([
      { scope: 'feature', name: 'chat', requestsPerMinute: 1 },
      { scope: 'customer', budgetUsd: 0.5, per: 'month', owner: 'sales', onExceed: 'reject' },
      { scope: 'session', maxSteps: 1, owner: 'agents' },
    ]);
    mustReserve(admission.reserve(request())).settle([attemptWith(1, null)]);
    const rate = admission.reserve(request());
    assert.ok(rate instanceof Refusal);
    const error = rate.error();
    assert.equal(error.code, 'rate_limited');
    assert.match(error.message, /The feature "chat" has used 1 of its 1 requests per minute\. It has room again at 2026-10-14T10:01:00/);
    assert.match(error.message, /Its owner is chat-team, its cost owner finance@example\.com\./);
    assert.equal(error.details.retryAfterSeconds, 61);
    assert.deepEqual(error.details.limit, {
      id: 'feature:chat/requests-per-minute',
      scope: 'feature',
      member: 'chat',
      unit: 'requests',
      period: 'minute',
      limit: 1,
      used: 1,
      reserved: 0,
      requested: 1,
      resetAt: '2026-10-14T10:01:00.001Z',
      owner: 'chat-team',
      costOwner: 'finance@example.com',
    });
    const { admission: second, request: ask } = testAdmission([{ scope: 'customer', budgetUsd: 0.5, owner: 'sales' }]);
    const budget = second.reserve(ask({ customer: 'acme', nanoUsd: 600_000_000 }));
    assert.ok(budget instanceof Refusal && budget.isHopeless);
    assert.equal(budget.error().code, 'budget_exceeded');
    assert.match(
      budget.error().message,
      /The budget of the customer "acme" is used up: \$0 of \$0\.5 per month spent, .* may cost \$0\.6\./,
    );
  });
});

/** A naive account of everything, to compare with. */
interface Naive {
  readonly atMs: number;
  readonly user: string;
  tokens: number;
  picoUsd: bigint;
  isOpen: boolean;
  isCounted: boolean;
}

const commands = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('call' as const), user: fc.constantFrom('a', 'b'), tokens: fc.nat(60), usd: fc.nat(40) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(50), share: fc.integer({ min: 0, max: 150 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat(50) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(100), fc.nat(40_000), fc.constant(MINUTE_MS)) }),
    },
  ),
  { maxLength: 120 },
);

describe('admission against a naive account', () => {
  it('lets in what fits under every limit and nothing else; nothing is left reserved at the end', async () => {
    const limits = [
      { scope: 'global', tokensPerMinute: 200, budgetUsd: 0.000_000_2, per: 'month' },
      { scope: 'user', requestsPerMinute: 5, concurrency: 3, budgetUsd: 0.000_000_12, per: 'month' },
    ];
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const test = testAdmission(limits);
        const { admission, clock, request } = test;
        const calls: { naive: Naive; reservation: Reservation; nanoUsd: number }[] = [];
        const all: Naive[] = [];
        const counted = (filter: (call: Naive) => boolean): Naive[] => all.filter((call) => call.isCounted && filter(call));
        for (const command of list) {
          if (command.kind === 'wait') {
            await clock.advance(command.ms);
            continue;
          }
          if (command.kind !== 'call') {
            const open = calls.filter(({ naive }) => naive.isOpen);
            const call = open[command.which % Math.max(1, open.length)];
            if (call === undefined) continue;
            const { naive, reservation } = call;
            naive.isOpen = false;
            if (command.kind === 'release') {
              naive.isCounted = false;
              reservation.release();
            } else {
              naive.tokens = Math.round((naive.tokens * command.share) / 100);
              naive.picoUsd = (naive.picoUsd * BigInt(command.share)) / 100n + 1n;
              reservation.settle([attemptWith(naive.tokens, naive.picoUsd)]);
            }
            continue;
          }
          const nowMs = clock.monotonicMs();
          const { user, tokens, usd: nanoUsd } = command;
          // Windows are as good as their steps: leave out the moments in between.
          const inWindow = (call: Naive): boolean => call.atMs > nowMs - MINUTE_MS;
          const nearBorder = counted((call) => call.atMs <= nowMs - MINUTE_MS && call.atMs > nowMs - MINUTE_MS - 2).length > 0;
          const money = (filter: (call: Naive) => boolean): bigint => counted(filter).reduce((sum, call) => sum + call.picoUsd, 0n);
          const nano = (pico: bigint): number => Number((pico + 999n) / 1000n);
          const fits =
            counted(inWindow).reduce((sum, call) => sum + call.tokens, 0) + tokens <= 200 &&
            counted((call) => call.user === user && inWindow(call)).length + 1 <= 5 &&
            counted((call) => call.user === user && call.isOpen).length + 1 <= 3 &&
            (nanoUsd === 0 || (nano(money(() => true)) + nanoUsd <= 200 && nano(money((call) => call.user === user)) + nanoUsd <= 120));
          const before = state(test);
          const outcome = admission.reserve(request({ user, tokens, nanoUsd }));
          const isIn = !(outcome instanceof Refusal);
          if (!nearBorder) assert.equal(isIn, fits);
          if (isIn) {
            const naive = { atMs: nowMs, user, tokens, picoUsd: BigInt(nanoUsd) * 1000n, isOpen: true, isCounted: true };
            all.push(naive);
            calls.push({ naive, reservation: outcome as Reservation, nanoUsd });
          } else assert.deepEqual(state(test), before);
        }
        for (const { naive, reservation } of calls) if (naive.isOpen) reservation.release();
        assert.equal(admission.stats.outstanding, 0);
        for (const table of admission.tables.values())
          for (const counter of table.counters()) assert.equal(counter.reserved, 0, counter.limit.id);
      }),
      { numRuns: 300 },
    );
  });
});
