import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PlimsollError } from '../kernel/errors.ts';
import { keysConfig } from './config.ts';
import { staticKeys } from './static-keys.ts';
import { createKey, keyHmac, newPepper } from './virtual-key.ts';

const locate = (index: number) => `plimsoll.yaml:${10 + index}`;

describe('keys in plimsoll.yaml', () => {
  it('become static keys without their secrets', () => {
    const pepper = newPepper();
    const { key, prefix } = createKey('plk', 0);
    const config = keysConfig.parse([
      { name: 'dev', key, feature: 'f', models: ['m'], expiresAt: '2027-01-31T18:00:00+01:00' },
      { name: 'own', key: 'a text of our own', expiresAt: '2027-01-31' },
    ]);
    const [dev, own] = staticKeys(config, pepper, locate);
    assert.deepEqual(dev, {
      id: 'config:dev',
      name: 'dev',
      prefix,
      hmac: keyHmac(pepper, key),
      feature: 'f',
      team: null,
      models: ['m'],
      expiresAtMs: Date.UTC(2027, 0, 31, 17),
      location: 'plimsoll.yaml:10',
    });
    assert.deepEqual([own?.prefix, own?.expiresAtMs, own?.location], ['', Date.UTC(2027, 0, 31), 'plimsoll.yaml:11']);
    assert.deepEqual(keysConfig.parse(undefined), []);
  });

  it('are refused with their line when they hold a typo or an admin key', () => {
    const { key } = createKey('plk', 0);
    const typo = `${key.slice(0, 20)}${key.charAt(20) === 'x' ? 'y' : 'x'}${key.slice(21)}`;
    for (const wrong of [typo, createKey('pla', 0).key]) {
      assert.throws(
        () => staticKeys(keysConfig.parse([{ name: 'dev', key: wrong }]), newPepper(), locate),
        (thrown: PlimsollError) =>
          thrown.code === 'config_invalid' && thrown.message.startsWith('plimsoll.yaml:10: ') && !thrown.message.includes(wrong),
      );
    }
  });

  it('take no unknown field and no malformed date', () => {
    for (const changes of [{ colour: 'red' }, { expiresAt: 'tomorrow' }, { models: [] }, { name: '' }]) {
      assert.equal(keysConfig.safeParse([{ name: 'dev', key: 'a text of our own', ...changes }]).success, false, JSON.stringify(changes));
    }
  });
});
