import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_USAGE } from '../../../src/models/usage.ts';
import { formatUsd } from '../format/money.ts';
import { PRICE_ATTRIBUTE, perMillion, totalTokens, usageLines } from './usage-lines.ts';

const USAGE = { ...NO_USAGE, inputUncachedTokens: 100, cacheReadTokens: 900, outputTextTokens: 50, reasoningTokens: 10 };

describe('token classes of a span', () => {
  it('are priced one by one when the span carries its prices', () => {
    const lines = usageLines({
      usage: USAGE,
      attributes: { [PRICE_ATTRIBUTE]: { inputUncachedTokens: '250000', cacheReadTokens: '25000', outputTextTokens: 5 } },
    });
    assert.deepEqual(
      lines.map((line) => [line.label, line.tokens, line.costPicoUsd]),
      [
        ['Input', 100, '25000000'],
        ['Input, read from cache', 900, '22500000'],
        ['Output text', 50, null],
        ['Reasoning', 10, null],
      ],
    );
    assert.equal(formatUsd(perMillion('250000')), '$0.25');
  });

  it('are without price otherwise, and absent when the usage is not known', () => {
    assert.deepEqual(
      usageLines({ usage: USAGE, attributes: {} }).map((line) => line.costPicoUsd),
      [null, null, null, null],
    );
    assert.deepEqual(usageLines({ usage: null, attributes: {} }), []);
  });

  it('add up to input and output', () => {
    assert.deepEqual(totalTokens(USAGE), { input: 1000, output: 60 });
  });
});
