import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hashFraction, orderByCost, orderByRendezvous, orderByTwoChoices, orderByWeight } from './order.ts';

/** mulberry32: seeded, so that a failure repeats. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Target {
  readonly name: string;
  readonly weight: number;
  readonly cost: number;
}
const target = fc.record({ name: fc.uuid(), weight: fc.nat(100), cost: fc.nat(1000) });
const targets = fc.uniqueArray(target, { selector: ({ name }) => name, minLength: 1, maxLength: 12 });
const weightOf = ({ weight }: Target): number => weight;
const costOf = ({ cost }: Target): number => cost;
const names = (list: readonly Target[]): string[] => list.map(({ name }) => name);

describe('orders of targets', () => {
  it('hold every target once, whatever the strategy', () => {
    fc.assert(
      fc.property(targets, fc.nat(), (list, seed) => {
        const random = seeded(seed);
        for (const ordered of [
          orderByWeight(list, weightOf, random),
          orderByTwoChoices(list, costOf, random),
          orderByCost(list, costOf),
          orderByRendezvous(list, weightOf, ({ name }) => hashFraction(name)),
        ])
          assert.deepEqual(names(ordered).sort(), names(list).sort());
      }),
    );
  });

  it('weights: each share lies within its binomial bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 6 }), fc.nat(), (weights, seed) => {
        const list = weights.map((weight, index) => ({ name: `${index}`, weight, cost: 0 }));
        const random = seeded(seed);
        const draws = 4_000;
        const counts = new Map<string, number>();
        for (let draw = 0; draw < draws; draw++) {
          const first = orderByWeight(list, weightOf, random)[0]?.name ?? '';
          counts.set(first, (counts.get(first) ?? 0) + 1);
        }
        const sum = weights.reduce((total, weight) => total + weight, 0);
        for (const { name, weight } of list) {
          const p = weight / sum;
          // Six standard deviations: a right generator fails once in some hundred million shares.
          const bound = 6 * Math.sqrt(draws * p * (1 - p)) + 1;
          assert.ok(
            Math.abs((counts.get(name) ?? 0) - draws * p) <= bound,
            `${name}: ${counts.get(name)} of ${draws}, expected ${draws * p}`,
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  it('weight 0 is asked last only', () => {
    fc.assert(
      fc.property(targets, fc.nat(), (list, seed) => {
        const ordered = orderByWeight(list, weightOf, seeded(seed));
        const firstZero = ordered.findIndex(({ weight }) => weight === 0);
        if (firstZero >= 0) assert.ok(ordered.slice(firstZero).every(({ weight }) => weight === 0));
      }),
    );
  });

  it('two choices: the faster one of a pair always, the slowest of many never', () => {
    fc.assert(
      fc.property(targets, fc.nat(), (list, seed) => {
        const random = seeded(seed);
        const slowest = [...list].sort((a, b) => b.cost - a.cost)[0];
        const isAlone = list.filter(({ cost }) => cost === slowest?.cost).length === 1;
        for (let draw = 0; draw < 50; draw++) {
          const [first] = orderByTwoChoices(list, costOf, random);
          if (list.length > 1 && isAlone) assert.notEqual(first?.name, slowest?.name);
        }
      }),
      { numRuns: 50 },
    );
    const random = seeded(1);
    const list = Array.from({ length: 10 }, (_, index) => ({ name: `${index}`, weight: 1, cost: index }));
    let fastHalf = 0;
    for (let draw = 0; draw < 2_000; draw++) if (Number(orderByTwoChoices(list, costOf, random)[0]?.name) < 5) fastHalf++;
    // Exactly 35 of 45 pairs have a member of the faster half.
    assert.ok(Math.abs(fastHalf / 2_000 - 35 / 45) < 0.05, `${fastHalf}`);
  });

  it('cost: cheapest first, without a price last, equal ones in their order', () => {
    const list = [
      { name: 'unpriced', price: null },
      { name: 'dear', price: 9n },
      { name: 'cheap', price: 2n },
      { name: 'as cheap', price: 2n },
      { name: 'unpriced too', price: null },
    ];
    assert.deepEqual(
      orderByCost(list, ({ price }) => price).map(({ name }) => name),
      ['cheap', 'as cheap', 'dear', 'unpriced', 'unpriced too'],
    );
  });

  it('sticky: a target that is added takes keys, and moves none between the others', () => {
    const keys = Array.from({ length: 400 }, (_, index) => `session-${index}`);
    fc.assert(
      fc.property(targets, target, (list, added) => {
        fc.pre(!list.some(({ name }) => name === added.name) && list.some(({ weight }) => weight > 0));
        const firstOf = (all: readonly Target[], key: string): string =>
          orderByRendezvous(all, weightOf, ({ name }) => hashFraction(`${key}\u0000${name}`))[0]?.name ?? '';
        for (const key of keys) {
          const before = firstOf(list, key);
          assert.equal(firstOf(list, key), before);
          const after = firstOf([...list, added], key);
          assert.ok(after === before || after === added.name);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('sticky: keys spread by weight', () => {
    const list = [
      { name: 'small', weight: 1, cost: 0 },
      { name: 'large', weight: 3, cost: 0 },
    ];
    let large = 0;
    for (let key = 0; key < 8_000; key++)
      if (orderByRendezvous(list, weightOf, ({ name }) => hashFraction(`user-${key}\u0000${name}`))[0]?.name === 'large') large++;
    assert.ok(Math.abs(large / 8_000 - 0.75) < 0.03, `${large / 8_000}`);
  });
});
