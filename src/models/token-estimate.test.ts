import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { estimateTokens, estimateTokensFromCharacters } from './token-estimate.ts';

describe('token estimate', () => {
  it('takes four characters of English for a token, rounded up', () => {
    assert.equal(estimateTokensFromCharacters(0), 0);
    assert.equal(estimateTokensFromCharacters(1), 1);
    assert.equal(estimateTokensFromCharacters(4), 1);
    assert.equal(estimateTokensFromCharacters(5), 2);
    assert.equal(estimateTokens('The quick brown fox jumps over the lazy dog.'), 11);
  });

  it('counts dense scripts for more than English', () => {
    assert.equal(estimateTokens('日本語'), 3);
    assert.equal(estimateTokens('привет'), 3);
    assert.equal(estimateTokens('안녕하세요'), 5);
  });

  it('never falls below the estimate by length, and grows with the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (first, second) => {
        assert.ok(estimateTokens(first) >= estimateTokensFromCharacters(first.length));
        assert.ok(estimateTokens(first + second) >= estimateTokens(first));
        assert.ok(estimateTokens(first + second) <= estimateTokens(first) + estimateTokens(second));
      }),
    );
  });
});
