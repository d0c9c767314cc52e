import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { priceFromConfig } from './catalogue.ts';
import { compiledAtServiceTier, compilePrice, priceCompiled } from './price-usage.ts';
import { serviceTier, serviceTierOfUsage } from './service-tier.ts';
import { NO_USAGE } from './usage.ts';

describe('service tiers', () => {
  it('have one spelling; the one of the list price has none', () => {
    for (const standard of ['default', 'standard', 'on_demand', 'ON_DEMAND', 'auto', '', null, undefined, 7, {}, 'x'.repeat(65)])
      assert.equal(serviceTier(standard), null, String(standard));
    assert.equal(serviceTier('FLEX'), 'flex');
    assert.equal(serviceTier('ON_DEMAND_PRIORITY'), 'priority');
    assert.equal(serviceTier('PROVISIONED_THROUGHPUT'), 'provisioned_throughput');
    assert.equal(serviceTier('constructor'), 'constructor');
    assert.equal(serviceTierOfUsage({ input_tokens: 1, service_tier: 'batch' }), 'batch');
    assert.equal(serviceTierOfUsage({ trafficType: 'ON_DEMAND' }), null);
    assert.equal(serviceTierOfUsage('{"service_tier":"batch"}'), null);
  });

  it('are priced by what the price says of them, and by nothing else', () => {
    const price = compilePrice(
      priceFromConfig('m', {
        inputPerMillionUsd: 2,
        outputPerMillionUsd: 8,
        serviceTiers: { flex: { inputPerMillionUsd: 1, outputPerMillionUsd: 4 } },
      }),
    );
    const usage = { ...NO_USAGE, inputUncachedTokens: 100, cacheReadTokens: 10, outputTextTokens: 20 };
    assert.equal(priceCompiled(usage, compiledAtServiceTier(price, null)).costPicoUsd, 110n * 2_000_000n + 20n * 8_000_000n);
    const flex = priceCompiled(usage, compiledAtServiceTier(price, 'flex'));
    assert.equal(flex.costPicoUsd, 110n * 1_000_000n + 20n * 4_000_000n);
    assert.match(flex.priceId ?? '', /^config:m@[0-9a-f]+#flex$/);
    for (const tier of ['priority', 'constructor', '__proto__'])
      assert.equal(priceCompiled(usage, compiledAtServiceTier(price, tier)).costStatus, 'unpriced');
  });
});
