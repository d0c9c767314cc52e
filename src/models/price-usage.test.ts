import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Price, TokenPrices } from './price.ts';
import { compilePrice, priceCompiled, priceUsage } from './price-usage.ts';
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
