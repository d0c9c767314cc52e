import { PlimsollError } from '../kernel/errors.ts';
import type { KeysConfig } from './config.ts';
import { displayPrefix, isWellFormedKey, keyHmac } from './virtual-key.ts';

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
 * @param config entries whose `key` is the secret itself: `${NAME}` is resolved
 * @param locate place of the n-th entry, e.g. `plimsoll.yaml:42`
 * @throws PlimsollError `config_invalid` when a key is an admin key, or begins with `plk_` and its checksum is wrong (a typo)
 */
export function staticKeys(config: KeysConfig, pepperHex: string, locate: (index: number) => string): StaticKey[] {
  return config.map((entry, index) => {
    const location = locate(index);
    const secret = entry.key;
    const problem = problemOf(secret);
    if (problem !== null) {
      throw new PlimsollError('config_invalid', `${location}: the secret of keys[${index}] ("${entry.name}") ${problem}`, {
        details: { name: entry.name, location },
      });
    }
    return {
      id: `config:${entry.name}`,
      name: entry.name,
      prefix: displayPrefix(secret),
      hmac: keyHmac(pepperHex, secret),
      feature: entry.feature ?? null,
      team: entry.team ?? null,
      models: entry.models ?? null,
      expiresAtMs: entry.expiresAt === undefined ? null : Date.parse(entry.expiresAt),
      location,
    };
  });
}

function problemOf(secret: string): string | null {
  if (secret.startsWith('pla_')) return 'is an admin key (pla_…); the gateway takes virtual keys (plk_…).';
  if (secret.startsWith('plk_'))
    return isWellFormedKey(secret, 'plk') ? null : 'begins with plk_ but its checksum is wrong: a character is missing or changed.';
  return null;
}
