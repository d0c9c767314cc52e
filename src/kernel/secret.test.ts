import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from './secret.ts';

describe('Secret', () => {
  it('shows itself to nobody who does not ask', () => {
    const secret = new Secret('sk-canary');
    for (const shown of [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { depth: 9, showHidden: true }), String(secret)])
      assert.doesNotMatch(shown, /canary/);
    assert.deepEqual(Object.keys(secret), []);
    assert.equal(secret.reveal(), 'sk-canary');
  });
});
