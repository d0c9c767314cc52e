import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addEffects,
  COST_CLASSES,
  costOf,
  decompose,
  EFFECT_NAMES,
  type Effects,
  NO_EFFECTS,
  type PeriodCalls,
  type SegmentUse,
} from './decompose.ts';

const amount = fc.record({ quantity: fc.bigInt(0n, 10n ** 12n), costPicoUsd: fc.bigInt(0n, 10n ** 18n) });
const use: fc.Arbitrary<SegmentUse> = fc.record({
  attempts: fc.bigInt(0n, 10n ** 6n),
  amounts: fc.record(Object.fromEntries(COST_CLASSES.map((name) => [name, amount])), { requiredKeys: [] }),
  listPrices: fc.record(Object.fromEntries(COST_CLASSES.map((name) => [name, fc.bigInt(0n, 10n ** 8n)])), { requiredKeys: [] }),
});
const period: fc.Arbitrary<PeriodCalls> = fc
  .tuple(fc.bigInt(0n, 10n ** 6n), fc.bigInt(0n, 100n))
  .map(([calls, percent]) => ({ calls, cached: (calls * percent) / 100n }));
const segment = fc.record({ key: fc.string(), isFailed: fc.boolean(), before: fc.option(use), after: fc.option(use) });

const sum = (effects: Effects) => EFFECT_NAMES.reduce((all, name) => all + effects[name], 0n);

/** A segment from prices and tokens per attempt. */
function make(attempts: number, tokens: { u: number; r: number; o: number }, prices: { u: number; r: number; o: number }): SegmentUse {
  const of = (count: number, price: number) => ({ quantity: BigInt(attempts * count), costPicoUsd: BigInt(attempts * count * price) });
  return {
    attempts: BigInt(attempts),
    amounts: {
      inputUncachedTokens: of(tokens.u, prices.u),
      cacheReadTokens: of(tokens.r, prices.r),
      outputTextTokens: of(tokens.o, prices.o),
    },
    listPrices: { inputUncachedTokens: BigInt(prices.u), cacheReadTokens: BigInt(prices.r), outputTextTokens: BigInt(prices.o) },
  };
}

const P = { u: 10, r: 1, o: 30 };
const T = { u: 80, r: 20, o: 50 };
const CALLS: PeriodCalls = { calls: 100n, cached: 0n };

/** Effects that are not 0. */
function effects(before: SegmentUse | null, after: SegmentUse | null, was = CALLS, is = CALLS): Partial<Record<keyof Effects, bigint>> {
  const [only] = decompose([{ key: 'x', before, after }], was, is);
  assert.ok(only);
  return Object.fromEntries(EFFECT_NAMES.filter((name) => only.effects[name] !== 0n).map((name) => [name, only.effects[name]]));
}

describe('decompose', () => {
  it('adds up to the last pico-dollar, for every segment and in total', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), period, period, (segments, was, is) => {
        const parts = decompose(segments, was, is);
        for (const [place, part] of parts.entries()) {
          assert.equal(part.beforePicoUsd, costOf(segments[place]?.before ?? null));
          assert.equal(part.afterPicoUsd, costOf(segments[place]?.after ?? null));
          assert.equal(sum(part.effects), part.afterPicoUsd - part.beforePicoUsd);
        }
        const total = parts.reduce((all, part) => addEffects(all, part.effects), NO_EFFECTS);
        const difference = parts.reduce((all, part) => all + part.afterPicoUsd - part.beforePicoUsd, 0n);
        assert.equal(sum(total), difference);
      }),
      { numRuns: 500 },
    );
  });

  it('finds no change where there is none, whatever was used', () => {
    fc.assert(
      fc.property(
        use.filter(({ attempts, amounts }) => attempts > 0n && Object.values(amounts).every((each) => each.quantity > 0n)),
        fc.bigInt(1n, 1000n),
        (same, calls) => assert.deepEqual(effects(same, same, { calls, cached: 0n }, { calls, cached: 0n }), {}),
      ),
    );
  });

  it('names the one cause when there is only one', () => {
    const before = make(100, T, P);
    assert.deepEqual(effects(before, make(100, T, { u: 20, r: 2, o: 60 })), { price: costOf(before) });
    assert.deepEqual(effects(before, make(300, T, P), CALLS, { calls: 300n, cached: 0n }), { volume: 2n * costOf(before) });
    // The same input, but half of it from the cache: 30 tokens a call at 1 instead of 10.
    assert.deepEqual(effects(before, make(100, { u: 50, r: 50, o: 50 }, P)), { promptCache: -100n * 30n * 9n });
    // Twice the answer.
    assert.deepEqual(effects(before, make(100, { ...T, o: 100 }, P)), { tokensPerCall: 100n * 50n * 30n });
    // Twice the question, a fifth of it from the cache as before.
    assert.deepEqual(effects(before, make(100, { u: 160, r: 40, o: 50 }, P)), { tokensPerCall: 100n * (80n * 10n + 20n) });
    // Half of the calls answered from the answer cache.
    assert.deepEqual(effects(before, make(50, T, P), CALLS, { calls: 100n, cached: 50n }), { answerCache: -costOf(before) / 2n });
    // Two attempts a call that both went well.
    assert.deepEqual(effects(before, make(200, T, P)), { mix: costOf(before) });
    assert.deepEqual(effects(null, before), { mix: costOf(before) });
    assert.deepEqual(effects(before, null), { mix: -costOf(before) });
    assert.deepEqual(effects(null, before, { calls: 0n, cached: 0n }), { volume: costOf(before) });
    assert.deepEqual(effects(before, null, CALLS, { calls: 0n, cached: 0n }), { volume: -costOf(before) });
  });

  it('calls more failed attempts retries', () => {
    const failed = { key: 'failed', isFailed: true, before: make(10, T, P), after: make(30, T, P) };
    const [part] = decompose([failed], CALLS, CALLS);
    assert.deepEqual(part?.effects, { ...NO_EFFECTS, retries: 2n * costOf(failed.before) });
  });

  it('takes a first use of the cache at the list price of before', () => {
    const before = make(100, { u: 100, r: 0, o: 50 }, P);
    const after = make(100, { u: 50, r: 50, o: 50 }, { ...P, r: 2 });
    assert.deepEqual(effects(before, after), { promptCache: -100n * 50n * 9n, price: 100n * 50n * 1n });
  });

  it('moves cost between segments without inventing any: a switch of models is mix', () => {
    const dear = make(100, T, { u: 100, r: 10, o: 300 });
    const cheap = make(100, T, P);
    const parts = decompose(
      [
        { key: 'dear', before: dear, after: null },
        { key: 'cheap', before: null, after: cheap },
      ],
      CALLS,
      CALLS,
    );
    const total = parts.reduce((all, part) => addEffects(all, part.effects), NO_EFFECTS);
    assert.deepEqual(total, { ...NO_EFFECTS, mix: costOf(cheap) - costOf(dear) });
  });
});
