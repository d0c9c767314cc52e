import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { PlimsollError } from '../../../kernel/errors.ts';
import { contentHash } from '../../../kernel/ids.ts';
import type { Credentials } from '../../credentials.ts';
import type { TokenGrant } from '../../provider.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const ASSERTION_SECONDS = 3600;

/** The key file of a Google service account, read loosely: only what signs and where it is traded in. */
const KeyFile = z.object({
  client_email: z.string().min(3),
  private_key: z.string().includes('PRIVATE KEY'),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default(TOKEN_URI),
});

function readKeyFile(text: string): z.output<typeof KeyFile> | null {
  try {
    const parsed = KeyFile.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/**
 * An access token for a service account: a JWT signed with its key is traded for one (RFC 7523).
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
 */
export function serviceAccountGrant(credentials: Credentials): TokenGrant | null {
  const text = credentials.secret('serviceAccountJson')?.reveal();
  if (text === undefined) return null;
  const file = readKeyFile(text);
  return {
    id: `google ${contentHash(text)}`,
    url: file?.token_uri ?? TOKEN_URI,
    async form(nowMs) {
      // Nothing of the file goes into the message.
      if (file === null)
        throw new PlimsollError('provider_auth_failed', 'serviceAccountJson is not the JSON key file of a Google service account.');
      const issuedAt = Math.floor(nowMs / 1000);
      try {
        const key = await importPKCS8(file.private_key, 'RS256');
        const assertion = await new SignJWT({ scope: SCOPE })
          .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(file.private_key_id === undefined ? {} : { kid: file.private_key_id }) })
          .setIssuer(file.client_email)
          .setAudience(file.token_uri)
          .setIssuedAt(issuedAt)
          .setExpirationTime(issuedAt + ASSERTION_SECONDS)
          .sign(key);
        return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
      } catch {
        throw new PlimsollError('provider_auth_failed', 'The private key in serviceAccountJson cannot be used to sign.');
      }
    },
  };
}
