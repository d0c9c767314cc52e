import { PlimsollError } from '../kernel/errors.ts';
import type { KeysConfig } from './config.ts';
import { displayPrefix, isWellFormedKey, keyHmac } from './keys.ts';

/** A virtual key from plimsoll.yaml, without its secret. */
export interface StaticKey {
  /** `config:<name>`. */
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly hmac: string;
  readonly feature: string | null;
  readonly team: string | null;
  readonly models: readonly string[] | null;
  readonly expiresAtMs: number | null;
  /** Where to change it, e.g. `plimsoll.yaml:42`. */
  readonly location: string;
}

/** What the key service and the router know of the configuration. The lead's implementation follows reloads. */
export interface StaticKeyCatalogue {
  list(): readonly StaticKey[];
}

/**
 * @param locate place of the n-th entry, e.g. `plimsoll.yaml:42`
 * @throws PlimsollError `config_invalid` when a key begins with `plk_` and its checksum is wrong (a typo), or with `pla_`
 */
export function staticKeys(config: KeysConfig, pepperHex: string, locate: (index: number) => string): StaticKey[] {
  return config.map((entry, index) => {
    const location = locate(index);
    const refuse = (why: string) => {
      throw new PlimsollError('config_invalid', `${location}: keys[${index}] ("${entry.name}") ${why}`, { details: { name: entry.name, location } });
    };
    if (entry.key.startsWith('pla_')) refuse('is an admin key (pla_…); the gateway takes virtual keys (plk_…).');
    if (entry.key.startsWith('plk_') && !isWellFormedKey(entry.key, 'plk')) refuse('begins with plk_ but its checksum is wrong: a character is missing or changed.');
    return {
      id: `config:${entry.name}`,
      name: entry.name,
      prefix: displayPrefix(entry.key),
      hmac: keyHmac(pepperHex, entry.key),
      feature: entry.feature ?? null,
      team: entry.team ?? null,
      models: entry.models ?? null,
      expiresAtMs: entry.expiresAt === undefined ? null : Date.parse(entry.expiresAt),
      location,
    };
  });
}
