import { PlimsollError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { SecretReference, SnapshotProvider } from './snapshot.ts';

/** Shorter values are too likely to be part of an ordinary word. */
const SHORTEST_REDACTED = 6;

/** What a provider lets us in with. Prints as `[secret]`; a message that repeats a value is cleaned by `redact`. */
export class Credentials {
  readonly apiKey: Secret | null;
  readonly #others: ReadonlyMap<string, Secret>;

  constructor(apiKey: Secret | null, others: ReadonlyMap<string, Secret> = new Map()) {
    this.apiKey = apiKey;
    this.#others = others;
  }

  /** A secret besides the key, by the adapter's name for it. */
  secret(name: string): Secret | null {
    return this.#others.get(name) ?? null;
  }

  /** Text without any of the values, e.g. an error in which a provider repeats the key that it refuses. @param token a short-lived one in use */
  redact(text: string, token: Secret | null = null): string {
    let clean = text;
    for (const secret of [this.apiKey, token, ...this.#others.values()]) {
      const value = secret?.reveal() ?? '';
      if (value.length >= SHORTEST_REDACTED) clean = clean.replaceAll(value, '[secret]');
    }
    return clean;
  }

  /** The same error without secrets in its message. */
  redactError(error: PlimsollError, token: Secret | null = null): PlimsollError {
    const message = this.redact(error.message, token);
    // The cause may hold the text as well, so that it does not go along.
    return message === error.message ? error : new PlimsollError(error.code, message, { details: error.details });
  }
}

export const NO_CREDENTIALS = new Credentials(null);

export interface ResolvedCredentials {
  readonly credentials: Credentials;
  /** Name of an environment variable that should hold a secret and does not; null when all are there. */
  readonly missingSecret: string | null;
}

/** Secrets that a provider of the snapshot names, from this process's environment. */
export function resolveCredentials(
  provider: Pick<SnapshotProvider, 'apiKey' | 'secrets'>,
  resolveSecret: (reference: SecretReference) => string | null,
): ResolvedCredentials {
  let missingSecret: string | null = null;
  const resolve = (reference: SecretReference): Secret | null => {
    const value = reference === null ? null : resolveSecret(reference);
    if (value === null && reference !== null && 'env' in reference) missingSecret ??= reference.env;
    return value === null ? null : new Secret(value);
  };
  const apiKey = resolve(provider.apiKey);
  const others = new Map<string, Secret>();
  for (const [name, reference] of Object.entries(provider.secrets ?? {})) {
    const secret = resolve(reference);
    if (secret !== null) others.set(name, secret);
  }
  return { credentials: new Credentials(apiKey, others), missingSecret };
}
