import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createKey, displayPrefix, isSameHmac, isWellFormedKey, keyHmac, newPepper } from './virtual-key.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

describe('virtual keys', () => {
  it('have the documented form, 256 random bits, and are never the same', () => {
    const keys = Array.from({ length: 200 }, () => createKey('plk', 1_700_000_000_000));
    for (const { key, prefix, id } of keys) {
      assert.match(key, /^plk_[A-Za-z0-9_-]{43}_[0-9A-Za-z]{6}$/);
      assert.equal(prefix, key.slice(4, 12));
      assert.match(id, /^018bcfe5-6800-7/);
      assert.ok(isWellFormedKey(key) && isWellFormedKey(key, 'plk') && !isWellFormedKey(key, 'pla'));
    }
    assert.equal(new Set(keys.map(({ key }) => key)).size, 200);
    assert.ok(isWellFormedKey(createKey('pla', 0).key, 'pla'));
  });

  it('have a checksum that does not change between versions', () => {
    assert.ok(isWellFormedKey(`plk_${'A'.repeat(43)}_4Ccrq4`));
  });

  it('are refused offline after any one wrong character, swap or cut', () => {
    fc.assert(
      fc.property(fc.nat({ max: 53 }), fc.constantFrom(...ALPHABET), fc.constantFrom('replace', 'swap', 'cut'), (at, character, kind) => {
        const { key } = createKey('plk', 0);
        const damaged =
          kind === 'replace'
            ? key.slice(0, at) + character + key.slice(at + 1)
            : kind === 'cut'
              ? key.slice(0, at)
              : key.slice(0, at) + key.charAt(at + 1) + key.charAt(at) + key.slice(at + 2);
        return damaged === key || !isWellFormedKey(damaged);
      }),
      { numRuns: 200 },
    );
  });

  it('show nothing of a secret of another form', () => {
    assert.equal(displayPrefix('my-own-secret-key'), '');
    assert.equal(displayPrefix('plk_short'), '');
  });

  it('are stored as HMAC-SHA-256 under the bytes of the pepper', () => {
    const pepper = newPepper();
    assert.match(pepper, /^[0-9a-f]{64}$/);
    assert.equal(keyHmac(pepper, 'plk_x'), createHmac('sha256', Buffer.from(pepper, 'hex')).update('plk_x').digest('hex'));
    assert.notEqual(keyHmac(pepper, 'plk_x'), keyHmac(newPepper(), 'plk_x'));
    assert.ok(isSameHmac('ab12', 'ab12') && !isSameHmac('ab12', 'ab13') && !isSameHmac('ab12', 'ab') && !isSameHmac('', ''));
  });
});
