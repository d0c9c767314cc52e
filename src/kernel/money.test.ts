import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatUsd, picoUsdFromDecimal, picoUsdPerToken } from './money.ts';

describe('money', () => {
  it('reads decimals exactly and refuses what is finer than a pico-dollar', () => {
    assert.equal(picoUsdFromDecimal('2.5'), 2_500_000_000_000n);
    assert.equal(picoUsdFromDecimal('1e-7'), 100_000n);
    assert.equal(picoUsdFromDecimal('-0.000000000001'), -1n);
    assert.equal(picoUsdFromDecimal('.5'), 500_000_000_000n);
    for (const wrong of ['', '.', 'abc', '1.2.3', '0x10', 'NaN', 'Infinity', '1e', '1e9999', '0.0000000000001'])
      assert.throws(() => picoUsdFromDecimal(wrong), /decimal|finer/, wrong);
  });

  it('turns the usual quote into pico-dollars a token', () => {
    assert.equal(picoUsdPerToken(2.5), 2_500_000n);
    assert.equal(picoUsdPerToken(0.01875), 18_750n);
    assert.equal(picoUsdPerToken(0), 0n);
    assert.throws(() => picoUsdPerToken(0.0000001), /finer/);
  });

  it('prints what it reads back, for every amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (pico) => assert.equal(picoUsdFromDecimal(formatUsd(pico)), pico)),
    );
    assert.equal(formatUsd(1_092_500_000n), '0.0010925');
    assert.equal(formatUsd(0n), '0');
    assert.equal(formatUsd(-3_000_000_000_000n), '-3');
  });
});
