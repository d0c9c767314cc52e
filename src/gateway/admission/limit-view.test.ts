import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LimitConfig } from '../limits-config.ts';
import { rulesOf } from './config-rules.ts';
import { type LimitState, LimitsReport, type MemberState } from './limit-state.ts';
import { LimitList, limitViews, matchesQuery } from './limit-view.ts';

const RULES = rulesOf(
  [
    { scope: 'team', name: 'support', budgetUsd: 10, per: 'day', owner: 'ada' },
    { scope: 'user', requestsPerMinute: 5 },
    { scope: 'global', concurrency: 8, maxInputTokens: 4_000 },
  ].map((limit) => LimitConfig.parse(limit)),
  {},
);
const BUDGET = 'team:support/budget-per-day';
const DOLLAR = 10n ** 12n;

function state(id: string, top: Partial<MemberState>[], changes: Partial<LimitState> = {}): LimitsReport {
  const members = top.map((member) => ({ id: 'x', member: 'x', used: '0', reserved: '0', waiting: 0, resetAtMs: null, ...member }));
  const limit = { id, scope: 'team', unit: 'nano_usd', period: 'day', capacity: '1', refused: 1, members: members.length, top: members };
  return LimitsReport.parse({ limits: [{ ...limit, ...changes }] });
}

const find = (views: ReturnType<typeof limitViews>, id: string) => views.filter((view) => view.id === id);

describe('limits over all gateways', () => {
  it('adds up what each worker has counted: spent, held, left, shares passed and refusals', () => {
    const day = Date.UTC(2026, 0, 2);
    const views = limitViews(RULES, [
      state(BUDGET, [{ id: 'support', member: 'support', used: `${6n * DOLLAR + 1n}`, reserved: `${DOLLAR}`, resetAtMs: day }]),
      state(BUDGET, [{ id: 'support', member: 'support', used: `${2n * DOLLAR}`, reserved: '0', waiting: 2, resetAtMs: day - 1 }]),
    ]);
    const [budget, ...more] = find(views, BUDGET);
    assert.equal(more.length, 0);
    assert.deepEqual(
      [budget?.used, budget?.reserved, budget?.remaining, budget?.capacity, budget?.waiting, budget?.refused, budget?.resetAt],
      [`${8n * DOLLAR + 1n}`, `${DOLLAR}`, `${DOLLAR - 1n}`, `${10n * DOLLAR}`, 2, 2, day],
    );
    assert.deepEqual([budget?.state, budget?.passedPercent, budget?.owner, budget?.timeZone], ['near', [50, 80], 'ada', 'UTC']);
  });

  it('counts what is in flight once: a window holds it already, concurrency is nothing else', () => {
    const window = { scope: 'user', unit: 'requests', period: 'minute' } as const;
    const views = limitViews(RULES, [
      {
        limits: [
          ...state('user:*/requests-per-minute', [{ id: 'u1', member: 'u1', used: '5', reserved: '2' }], window).limits,
          // A call that takes longer than the window is in flight and not in the window.
          ...state('global/concurrency', [{ id: '', member: '', used: '3', reserved: '3' }], { scope: 'global', unit: 'concurrency' })
            .limits,
        ],
      },
    ]);
    const [user] = find(views, 'user:*/requests-per-minute');
    assert.deepEqual([user?.name, user?.used, user?.reserved, user?.remaining, user?.state], ['u1', '3', '2', '0', 'exceeded']);
    const [global] = find(views, 'global/concurrency');
    assert.deepEqual([global?.name, global?.used, global?.reserved, global?.remaining], [null, '0', '3', '5']);
  });

  it('is not measured while no gateway has said anything, and never 0 then', () => {
    for (const view of limitViews(RULES, [])) {
      assert.deepEqual([view.used, view.reserved, view.remaining, view.refused], [null, null, null, null]);
      assert.equal(view.state, view.kind === 'request' ? 'cap' : 'unmeasured');
    }
    const unused = find(limitViews(RULES, [state(BUDGET, [])]), BUDGET);
    assert.deepEqual([unused[0]?.used, unused[0]?.state, unused[0]?.resetAt], ['0', 'unused', null]);
  });

  it('says that a sum may be too low where a worker has more members than it reported', () => {
    const id = 'user:*/requests-per-minute';
    const shape = { scope: 'user', unit: 'requests', period: 'minute' } as const;
    const cut = state(id, [{ id: 'u1', member: 'u1', used: '4' }], { ...shape, members: 9 });
    const whole = state(id, [{ id: 'u2', member: 'u2', used: '1' }], shape);
    const views = find(limitViews(RULES, [cut, whole]), id);
    assert.deepEqual(
      views.map(({ name, isLowerBound }) => [name, isLowerBound]),
      [
        ['u1', false],
        ['u2', true],
      ],
    );
  });

  it('puts the exceeded ones first, and never gives more or less than was used in all', () => {
    const use = fc.record({ used: fc.bigInt(0n, 20n * DOLLAR), reserved: fc.bigInt(0n, 20n * DOLLAR) });
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 5 }), (uses) => {
        const reports = uses.map(({ used, reserved }) =>
          state(BUDGET, [{ id: 'support', member: 'support', used: `${used}`, reserved: `${reserved}` }]),
        );
        const views = limitViews(RULES, reports);
        LimitList.parse({ gateways: [], configured: 3, total: views.length, limits: views });
        const [budget] = find(views, BUDGET);
        const sum = uses.reduce((total, { used, reserved }) => total + used + reserved, 0n);
        assert.equal(BigInt(budget?.used ?? -1) + BigInt(budget?.reserved ?? -1), sum);
        const left = 10n * DOLLAR - sum;
        assert.equal(budget?.remaining, `${left > 0n ? left : 0n}`);
        assert.equal(budget?.state === 'exceeded', left <= 0n);
        if (left <= 0n) assert.equal(views[0], budget);
      }),
    );
  });

  it('is found by scope, and by a part of any name', () => {
    const views = limitViews(RULES, []);
    const ids = (query: Parameters<typeof matchesQuery>[1]) => views.filter((view) => matchesQuery(view, query)).map(({ id }) => id);
    assert.deepEqual(ids({ scope: 'team' }), [BUDGET]);
    assert.deepEqual(ids({ q: 'SUPP' }), [BUDGET]);
    assert.deepEqual(ids({ q: 'ada' }), [BUDGET]);
    assert.deepEqual(ids({ q: 'input' }), ['global/input-tokens-per-request']);
    assert.deepEqual(ids({ scope: 'user', q: 'ada' }), []);
  });
});
