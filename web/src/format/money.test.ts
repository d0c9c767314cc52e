import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { costPerRequest, costSumText, costText, exactUsd, formatUsd, multiplyPico } from './money.ts';

const SUM = { requests: 10, costPicoUsd: '2500000000000', unpricedRequests: 0, estimatedCostRequests: 0 };

describe('money', () => {
  it('prints every pico-dollar amount exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (pico) => {
        const [dollars = '', fraction = ''] = exactUsd(pico.toString()).replace('-', '').split('.');
        const back = BigInt(dollars) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
        assert.equal(back, pico < 0n ? -pico : pico);
      }),
      { numRuns: 200 },
    );
  });

  it('chooses decimals by size and keeps small amounts visible', () => {
    assert.equal(formatUsd('0'), '$0');
    assert.equal(formatUsd('1'), '$0.000000000001');
    assert.equal(formatUsd('2130000000'), '$0.00213');
    assert.equal(formatUsd('500000000000'), '$0.50');
    assert.equal(formatUsd('999900000000'), '$1.00');
    assert.equal(formatUsd('12345678900000'), '$12.35');
    assert.equal(formatUsd('-12345678900000'), '−$12.35');
    assert.equal(formatUsd('12345678900000000'), '$12,346');
  });

  it('tells unpriced, estimated and free apart', () => {
    assert.equal(costText(null, null).text, 'unpriced');
    assert.equal(costText('5', 'unpriced').text, 'unpriced');
    assert.match(costText('2130000000', 'estimated_tokens').text, /^≈ \$0\.00213$/);
    assert.equal(costText('0', 'cached_zero').text, '$0');
    assert.equal(costText('0', 'priced').text, '$0');
  });

  it('says what a sum leaves out', () => {
    assert.equal(costSumText({ ...SUM, unpricedRequests: 10, costPicoUsd: '0' }).text, 'unpriced');
    assert.equal(costSumText({ ...SUM, requests: 0, costPicoUsd: '0' }).text, '$0');
    assert.equal(costSumText({ ...SUM, unpricedRequests: 3 }).note, '+ 3 unpriced');
    assert.equal(costSumText({ ...SUM, unpricedRequests: 3 }).text, '≥ $2.50');
    assert.equal(costSumText({ ...SUM, unpricedRequests: 3, costPicoUsd: '0' }).text, 'unpriced');
    assert.equal(costSumText({ ...SUM, estimatedCostRequests: 1 }).text, '≈ $2.50');
  });

  it('divides only by priced calls', () => {
    assert.equal(costPerRequest({ ...SUM, unpricedRequests: 5 }), '500000000000');
    assert.equal(costPerRequest({ ...SUM, unpricedRequests: 10 }), null);
    assert.equal(multiplyPico(1_000_000, '2500000'), '2500000000000');
  });
});
