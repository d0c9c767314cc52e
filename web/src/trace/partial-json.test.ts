import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePartialJson } from './partial-json.ts';

describe('cut JSON', () => {
  it('gives whole JSON unchanged', () => {
    assert.deepEqual(parsePartialJson('{"a":[1,2]}'), { value: { a: [1, 2] }, isCut: false });
  });

  it('keeps the part of a message that arrived', () => {
    assert.deepEqual(parsePartialJson('{"messages":[{"role":"user","content":"Where is my or'), {
      value: { messages: [{ role: 'user', content: 'Where is my or' }] },
      isCut: true,
    });
  });

  it('is null for plain previews', () => {
    for (const text of ['Where is my order?', '', '{oops', '[link](x)']) assert.equal(parsePartialJson(text), null, text);
  });

  it('reads every prefix of an object or list', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.nat(), (inner, at) => {
        const text = JSON.stringify({ messages: [inner], model: 'm"\\\u2028' });
        const parsed = parsePartialJson(text.slice(0, 1 + (at % text.length)));
        assert.notEqual(parsed, null);
        assert.equal(typeof parsed?.value, 'object');
      }),
      { numRuns: 200 },
    );
  });
});
