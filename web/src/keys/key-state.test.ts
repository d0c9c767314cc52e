import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyState, newKeyOf } from './key-state.ts';

const NOW = 1000;

describe('virtual keys', () => {
  it('are active until they expire or are revoked, grace included', () => {
    assert.equal(keyState({ expiresAt: null, revokedAt: null }, NOW).word, 'Active');
    assert.equal(keyState({ expiresAt: 1000, revokedAt: null }, NOW).word, 'Expired');
    assert.equal(keyState({ expiresAt: null, revokedAt: 900 }, NOW).isUsable, false);
    assert.deepEqual(keyState({ expiresAt: null, revokedAt: 1100 }, NOW), { state: 'warning', word: 'Being replaced', isUsable: true });
  });

  it('are created without what was left empty', () => {
    assert.deepEqual(newKeyOf({ name: ' ci ', feature: '', team: ' ', models: '', expiresAt: null }), { name: 'ci' });
    assert.deepEqual(newKeyOf({ name: 'ci', feature: 'a', team: 't', models: 'x, y\nz', expiresAt: 5 }), {
      name: 'ci',
      feature: 'a',
      team: 't',
      models: ['x', 'y', 'z'],
      expiresAt: 5,
    });
  });
});
