import type { Credentials } from '../../credentials.ts';

/** `authorization: Bearer …`; nothing where the provider needs no key. */
export function bearer({ apiKey }: Credentials): Record<string, string> {
  return apiKey === null ? {} : { authorization: `Bearer ${apiKey.reveal()}` };
}
