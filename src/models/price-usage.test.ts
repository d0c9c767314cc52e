import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { MeteredUnits } from './metered-units.ts';
import type { Price, TokenPrices } from './price.ts';
import { compilePrice, estimateNanoUsd, priceCompiled, priceMetered, priceUsage } from './price-usage.ts';
import { inputTokens, NO_USAGE, type Usage, type UsageClass } from './usage.ts';

const CLASSES = Object.keys(NO_USAGE) as UsageClass[];

function price(perToken: TokenPrices, extra: Partial<Price> = {}): Price {
  return { priceId: 'test', perToken, perRequest: null, tiers: [], ...extra };
}

/** The definition, in bigint only. */
function reference(usage: Usage, row: Price): bigint | null {
  const reached = row.tiers
    .filter((tier) => inputTokens(usage) > tier.aboveInputTokens)
    .sort((a, b) => b.aboveInputTokens - a.aboveInputTokens)[0];
  const perToken = (reached ?? row).perToken;
  let total = BigInt(row.perRequest ?? '0');
  for (const name of CLASSES) {
    if (usage[name] === 0) continue;
    const rate = perToken[name] ?? (name === 'reasoningTokens' ? perToken.outputTextTokens : undefined);
    if (rate === undefined) return null;
    total += BigInt(usage[name]) * BigInt(rate);
  }
  return total;
}

const anyRate = fc.oneof(fc.bigInt(0n, 100_000_000n), fc.bigInt(0n, 1n << 70n)).map(String);
const anyPerToken = fc.record(Object.fromEntries(CLASSES.map((name) => [name, anyRate])), {
  requiredKeys: [],
}) as fc.Arbitrary<TokenPrices>;
const anyUsage = fc.record(
  Object.fromEntries(CLASSES.map((name) => [name, fc.oneof(fc.constant(0), fc.nat(2_000_000), fc.nat(Number.MAX_SAFE_INTEGER))])),
) as unknown as fc.Arbitrary<Usage>;
const anyPrice: fc.Arbitrary<Price> = fc.record({
  priceId: fc.constant('any'),
  perToken: anyPerToken,
  perRequest: fc.option(anyRate),
  tiers: fc.uniqueArray(fc.record({ aboveInputTokens: fc.nat(3_000_000), perToken: anyPerToken }), {
    maxLength: 3,
    selector: (tier) => tier.aboveInputTokens,
  }),
});

describe('priceUsage', () => {
  it('adds up the classes exactly', () => {
    const row = price({ inputUncachedTokens: '2500000', cacheReadTokens: '1250000', outputTextTokens: '10000000' }, { perRequest: '7' });
    const usage = { ...NO_USAGE, inputUncachedTokens: 1000, cacheReadTokens: 500, outputTextTokens: 100 };
    assert.deepEqual(priceUsage(usage, row), { costPicoUsd: 4_125_000_007n, costStatus: 'priced', priceId: 'test' });
  });

  it('leaves a call unpriced when a class with tokens has no price, and only then', () => {
    const row = price({ inputUncachedTokens: '1', outputTextTokens: '1' });
    assert.deepEqual(priceUsage({ ...NO_USAGE, cacheWrite1hTokens: 1 }, row), { costPicoUsd: null, costStatus: 'unpriced', priceId: null });
    assert.equal(priceUsage(NO_USAGE, row).costPicoUsd, 0n);
    assert.equal(priceUsage(NO_USAGE, null).costStatus, 'unpriced');
  });

  it('prices reasoning as output text, unless it has its own price', () => {
    const usage = { ...NO_USAGE, reasoningTokens: 10 };
    assert.equal(priceUsage(usage, price({ outputTextTokens: '3' })).costPicoUsd, 30n);
    assert.equal(priceUsage(usage, price({ outputTextTokens: '3', reasoningTokens: '5' })).costPicoUsd, 50n);
  });

  it('applies the last tier reached to the whole call, counted over all input classes', () => {
    const row = price(
      { inputUncachedTokens: '1', cacheReadTokens: '1' },
      { tiers: [{ aboveInputTokens: 200, perToken: { inputUncachedTokens: '2', cacheReadTokens: '3' } }] },
    );
    assert.equal(priceUsage({ ...NO_USAGE, inputUncachedTokens: 100, cacheReadTokens: 100 }, row).costPicoUsd, 200n);
    assert.equal(priceUsage({ ...NO_USAGE, inputUncachedTokens: 101, cacheReadTokens: 100 }, row).costPicoUsd, 502n);
  });

  it('equals the definition in bigint for any price and usage, past safe integers too', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, (row, usage) => {
        const expected = reference(usage, row);
        const actual = priceCompiled(usage, compilePrice(row));
        assert.equal(actual.costPicoUsd, expected);
        assert.equal(actual.costStatus, expected === null ? 'unpriced' : 'priced');
      }),
      { numRuns: 200 },
    );
  });
});

describe('what is sold by the piece', () => {
  const cost = (row: Price | null, usage: Usage | null, units: MeteredUnits) => {
    const priced = priceMetered(usage, units, row === null ? null : compilePrice(row));
    return [priced.costStatus, priced.costPicoUsd];
  };
  const tokens = { ...NO_USAGE, inputUncachedTokens: 10, outputTextTokens: 2 };
  const byToken = price({ inputUncachedTokens: '5', outputTextTokens: '7' });
  const byPiece = price({}, { perUnit: { characters: '3', images: '100' } });

  it('is unpriced, never free, when no price is known or none fits', () => {
    assert.deepEqual(cost(null, tokens, { images: 1 }), ['unpriced', null]);
    assert.deepEqual(cost(byToken, null, {}), ['unpriced', null]);
    assert.deepEqual(cost(byToken, null, { characters: 9 }), ['unpriced', null]);
    assert.deepEqual(cost(byPiece, null, { seconds: 9 }), ['unpriced', null]);
    assert.deepEqual(cost(byPiece, tokens, {}), ['unpriced', null]);
    assert.deepEqual(cost(price({ outputTextTokens: '7' }), tokens, {}), ['unpriced', null]);
  });

  it('costs its tokens, its pieces, and its request', () => {
    assert.deepEqual(cost(byToken, tokens, { characters: 9 }), ['priced', 64n]);
    assert.deepEqual(cost(byPiece, null, { characters: 9, images: 2 }), ['priced', 227n]);
    assert.deepEqual(cost(byPiece, tokens, { images: 2 }), ['priced', 200n]);
    assert.deepEqual(cost({ ...byToken, perUnit: { images: '100' } }, tokens, { images: 2 }), ['priced', 264n]);
    assert.deepEqual(cost(price({}, { perRequest: '50' }), null, {}), ['priced', 50n]);
    assert.deepEqual(cost(price({}, { perRequest: '0' }), null, {}), ['priced', 0n]);
    assert.deepEqual(cost({ ...byToken, perRequest: '50' }, tokens, {}), ['priced', 114n]);
    assert.deepEqual(cost({ ...byPiece, perRequest: '50' }, null, { images: 1 }), ['priced', 150n]);
  });

  it('needs a price for image tokens, which cost more than others', () => {
    assert.deepEqual(cost(byToken, tokens, { inputImageTokens: 4 }), ['unpriced', null]);
    assert.deepEqual(cost({ ...byToken, perUnit: { inputImageTokens: '9' } }, tokens, { inputImageTokens: 4 }), ['priced', 100n]);
  });

  it('estimates a call without output by its input alone', () => {
    assert.equal(estimateNanoUsd(1000, 0, compilePrice(price({ inputUncachedTokens: '20000' }))), 20_000);
  });
});
