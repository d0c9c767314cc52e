import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonText } from './json-text.ts';

describe('JSON of a text', () => {
  it('escapes every character that needs it', () => {
    for (let code = 0; code < 0x300; code++) {
      const character = String.fromCharCode(code);
      assert.equal(JSON.parse(jsonText(`a${character}b`)), `a${character}b`, `U+${code.toString(16)}`);
    }
    assert.equal(JSON.parse(jsonText('\ud800')), '\ud800');
  });
});
