import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Price, perTokenAt } from './price.ts';
import { priceUsage } from './price-usage.ts';
import { inputTokens, NO_USAGE, type Usage, type UsageClass } from './usage.ts';

const CLASSES = Object.keys(NO_USAGE) as UsageClass[];
const tokens = fc.integer({ min: 0, max: 300_000 });
const usage: fc.Arbitrary<Usage> = fc.record(
  Object.fromEntries(CLASSES.map((name) => [name, tokens])) as Record<UsageClass, fc.Arbitrary<number>>,
);
const rates = fc.record(Object.fromEntries(CLASSES.map((name) => [name, fc.bigInt({ min: 0n, max: 100_000_000n }).map(String)])), {
  requiredKeys: ['inputUncachedTokens', 'outputTextTokens'],
});
const price: fc.Arbitrary<Price> = fc.record({
  priceId: fc.constant('test'),
  perToken: rates,
  perRequest: fc.option(fc.bigInt({ min: 0n, max: 10n ** 9n }).map(String)),
  tiers: fc.uniqueArray(fc.record({ aboveInputTokens: fc.integer({ min: 1, max: 500_000 }), perToken: rates }), {
    maxLength: 3,
    selector: (tier) => tier.aboveInputTokens,
  }),
});

describe('perTokenAt', () => {
  it('explains exactly what was charged: the classes add up to the cost', () => {
    fc.assert(
      fc.property(usage, price, (used, of) => {
        const charged = priceUsage(used, of).costPicoUsd;
        const perToken = perTokenAt(of, inputTokens(used));
        const isPriced = CLASSES.every((name) => used[name] === 0 || perToken[name] !== undefined);
        assert.equal(charged !== null, isPriced);
        if (charged === null) return;
        const sum = CLASSES.reduce((total, name) => total + BigInt(used[name]) * BigInt(perToken[name] ?? 0), BigInt(of.perRequest ?? 0));
        assert.equal(sum, charged);
      }),
    );
  });
});
