import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TeamUse } from '../cost-queries.ts';
import { allocate } from './allocate.ts';
import { type SharedRule, SPLITS, sharedCostsConfig, sharedRules } from './config.ts';
import { feeOf } from './fees.ts';
import { splitExactly } from './split.ts';

const weights = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 6 }), weight: fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(0n, 10n ** 24n)) }),
  { selector: ({ name }) => name, maxLength: 12 },
);
const amount = fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt(0n, 10n ** 30n));
const sorted = (values: readonly bigint[]) => values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

describe('exact split', () => {
  it('adds up, and no part is a whole unit from its exact share', () => {
    fc.assert(
      fc.property(amount, weights, (whole, of) => {
        const parts = splitExactly(whole, of);
        const sum = of.reduce((total, { weight }) => total + weight, 0n);
        if (sum === 0n) return assert.equal(parts, null);
        assert.ok(parts !== null);
        assert.equal(
          [...parts.values()].reduce((total, part) => total + part, 0n),
          whole,
        );
        for (const { name, weight } of of) {
          const off: bigint = (parts.get(name) ?? 0n) * sum - whole * weight;
          assert.ok(off < sum && off > -sum, name);
          if (weight === 0n) assert.equal(parts.get(name), 0n);
        }
      }),
    );
  });

  it('does not look at the order, and a name decides only between equal weights', () => {
    fc.assert(
      fc.property(amount, weights, fc.infiniteStream(fc.nat()), (whole, of, keys) => {
        const parts = splitExactly(whole, of);
        const shuffled = of
          .map((weight) => ({ weight, key: keys.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ weight }) => weight);
        assert.deepEqual(new Map([...(splitExactly(whole, shuffled) ?? [])].sort()), new Map([...(parts ?? [])].sort()));
        const renamed = of.map(({ weight }, place) => ({ name: `${(place * 7919) % 104_729}`, weight }));
        const others = splitExactly(whole, renamed);
        for (const { weight } of of) {
          const same = (list: typeof of, from: typeof parts) =>
            sorted(list.filter((each) => each.weight === weight).map(({ name }) => from?.get(name) ?? 0n));
          assert.deepEqual(same(renamed, others), same(of, parts));
        }
      }),
    );
  });
});

describe('monthly fees', () => {
  it('are whole in a whole month, and add up over periods that touch', () => {
    assert.equal(feeOf(1_000_003n, { from: Date.UTC(2026, 1, 1), to: Date.UTC(2026, 2, 1) }), 1_000_003n);
    assert.equal(feeOf(700n, { from: Date.UTC(2026, 0, 1), to: Date.UTC(2027, 0, 1) }), 12n * 700n);
    const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 5, 1) });
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 20n), at, at, at, (fee, x, y, z) => {
        const [a = 0, b = 0, c = 0] = [x, y, z].sort((left, right) => left - right);
        assert.equal(feeOf(fee, { from: a, to: b }) + feeOf(fee, { from: b, to: c }), feeOf(fee, { from: a, to: c }));
      }),
    );
  });
});

const TEAMS = ['alpha', 'beta', 'gamma', null];
const rule = (name: string): fc.Arbitrary<SharedRule> =>
  fc
    .record({
      split: fc.constantFrom(...SPLITS),
      isFee: fc.boolean(),
      teams: fc.constantFrom(null, ['alpha', 'delta']),
      fee: fc.bigInt(0n, 10n ** 18n),
    })
    .map(({ split, isFee, teams, fee }) => ({
      name,
      calls: isFee ? null : { features: ['x'], keys: [], withoutTeam: false },
      monthlyPicoUsd: isFee ? fee : null,
      split,
      teams: split === 'fixed' ? null : teams,
      perMille: new Map(
        split === 'fixed'
          ? ([
              ['alpha', 333],
              ['beta', 667],
            ] as const)
          : [],
      ),
    }));
const use = fc.record({
  team: fc.constantFrom(...TEAMS),
  rule: fc.constantFrom(null, null, 'one', 'two'),
  calls: fc.nat(1_000),
  unpricedCalls: fc.nat(3),
  costPicoUsd: fc.bigInt(0n, 10n ** 22n),
});
const period = { from: Date.UTC(2026, 1, 1), to: Date.UTC(2026, 2, 1) };

describe('allocation', () => {
  it('adds up to ledger and fees in every direction, whatever the rules and their order', () => {
    fc.assert(
      fc.property(rule('one'), rule('two'), fc.array(use, { maxLength: 20 }), (one, two, drawn) => {
        // A rule of fees takes no calls.
        const uses = drawn.map(
          (each): TeamUse => ({ ...each, rule: [one, two].find(({ name, calls }) => name === each.rule && calls !== null)?.name ?? null }),
        );
        const found = allocate([one, two], uses, period);
        const sum = (values: readonly string[]) => values.reduce((total, value) => total + BigInt(value), 0n);
        assert.equal(sum(found.teams.map(({ totalPicoUsd }) => totalPicoUsd)), BigInt(found.totalPicoUsd));
        assert.equal(
          BigInt(found.ledgerPicoUsd),
          uses.reduce((total, { costPicoUsd }) => total + costPicoUsd, 0n),
        );
        assert.equal(
          sum(found.teams.map(({ ownPicoUsd }) => ownPicoUsd)),
          uses.filter((each) => each.rule === null).reduce((total, { costPicoUsd }) => total + costPicoUsd, 0n),
        );
        for (const { rule: name, picoUsd } of found.shared)
          assert.equal(
            sum(found.teams.flatMap(({ shares }) => shares.filter((share) => share.rule === name).map((share) => share.picoUsd))),
            BigInt(picoUsd),
            name,
          );
        for (const { ownPicoUsd, sharedPicoUsd, totalPicoUsd, shares } of found.teams) {
          assert.equal(BigInt(ownPicoUsd) + BigInt(sharedPicoUsd), BigInt(totalPicoUsd));
          assert.equal(sum(shares.map(({ picoUsd }) => picoUsd)), BigInt(sharedPicoUsd));
        }
        const turned = allocate([two, one], uses.toReversed(), period);
        const totals = ({ teams }: typeof found) => new Map(teams.map(({ team, totalPicoUsd }) => [team, totalPicoUsd]));
        assert.deepEqual(totals(turned), totals(found));
      }),
    );
  });

  it('splits by its rule', () => {
    const own = (team: string, calls: number, costPicoUsd: bigint): TeamUse => ({ team, rule: null, calls, unpricedCalls: 0, costPicoUsd });
    const uses: TeamUse[] = [
      own('a', 1, 300n),
      own('b', 3, 100n),
      { team: 'a', rule: 'pool', calls: 2, unpricedCalls: 1, costPicoUsd: 1001n },
    ];
    const shares = (config: Record<string, unknown>) => {
      const rules = sharedRules(sharedCostsConfig.parse([{ name: 'pool', features: ['judge'], ...config }]));
      return Object.fromEntries(allocate(rules, uses, period).teams.map(({ team, sharedPicoUsd }) => [team, sharedPicoUsd]));
    };
    assert.deepEqual(shares({ split: 'even' }), { a: '501', b: '500' });
    assert.deepEqual(shares({ split: 'spend' }), { a: '751', b: '250' });
    assert.deepEqual(shares({ split: 'requests' }), { a: '250', b: '751' });
    assert.deepEqual(shares({ split: 'fixed', perMille: { a: 0, c: 1000 } }), { a: '0', b: '0', c: '1001' });
    assert.deepEqual(shares({ split: 'spend', teams: ['nobody'] }), { a: '0', b: '0', null: '1001' }, 'what nobody can bear is said');
  });

  it('refuses rules that say two things or nothing', () => {
    const refused = (...rules: Record<string, unknown>[]) => sharedCostsConfig.safeParse(rules).error?.issues[0]?.message ?? '';
    assert.match(refused({ name: 'a', split: 'even' }), /one of the two/);
    assert.match(refused({ name: 'a', split: 'even', features: ['x'], monthlyUsd: 1 }), /one of the two/);
    assert.match(refused({ name: 'a', split: 'fixed', features: ['x'] }), /only with it/);
    assert.match(refused({ name: 'a', split: 'fixed', features: ['x'], perMille: { a: 999 } }), /add up to 999/);
    assert.match(refused({ name: 'a', split: 'even', features: ['x'] }, { name: 'a', split: 'even', keys: ['y'] }), /twice/);
    assert.deepEqual(sharedCostsConfig.parse(undefined), []);
  });
});
