import { type StaticKey, type StaticKeyCatalogue, staticKeys } from '../identity/static-keys.ts';
import { invalid, locateIssue } from '../kernel/config/load.ts';
import { resolveSecretText } from '../kernel/config/secret.ts';
import type { Config } from './config.ts';

const MIN_KEY_CHARACTERS = 16;
const MAX_KEY_CHARACTERS = 512;

/** Static keys of a configuration with their secrets resolved and hashed. @throws PlimsollError `config_invalid` */
export function resolveStaticKeys(
  config: Config,
  text: string,
  path: string,
  pepperHex: string,
  variables: Readonly<Record<string, string | undefined>>,
): StaticKey[] {
  const resolved = config.keys.map((entry, index) => {
    const key = resolveSecretText(entry.key, variables);
    if (key.length < MIN_KEY_CHARACTERS || key.length > MAX_KEY_CHARACTERS) {
      throw invalid(path, [
        locateIssue(
          text,
          ['keys', index, 'key'],
          `the secret has ${key.length} characters; use ${MIN_KEY_CHARACTERS} to ${MAX_KEY_CHARACTERS} ("plimsoll keys create" makes good ones)`,
        ),
      ]);
    }
    return { ...entry, key };
  });
  return staticKeys(resolved, pepperHex, (index) => `${path}:${locateIssue(text, ['keys', index], '').line ?? 1}`);
}

/** Follows reloads: what is listed belongs to the configuration in force. */
export class ReloadingStaticKeys implements StaticKeyCatalogue {
  #keys: readonly StaticKey[] = [];
  replace(keys: readonly StaticKey[]): void {
    this.#keys = keys;
  }
  list(): readonly StaticKey[] {
    return this.#keys;
  }
}
