import type { IncomingHttpHeaders } from 'node:http';

/** Headers in which SDKs send a bare key: LangSmith and others, Phoenix, Weave, Google's. */
const KEY_HEADERS = ['x-api-key', 'api_key', 'api-key', 'wandb-api-key', 'x-goog-api-key'] as const;

function basic(value: string): string[] {
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // Langfuse sends public:secret, others a key in either place.
  return colon < 0 ? [text] : [text.slice(colon + 1), text.slice(0, colon)];
}

/**
 * What may be the key, in the order in which it is to be tried. SDKs differ in where they put it: `Bearer <key>`, `Basic user:<key>` or
 * `Basic <key>:`, `authorization: <key>` alone (Opik, Logfire), or a header of their own.
 */
export function candidateKeys(headers: IncomingHttpHeaders): string[] {
  const { authorization } = headers;
  const candidates: string[] = [];
  if (authorization !== undefined) {
    const [, scheme = '', rest = ''] = /^([A-Za-z]+)\s+(.+)$/.exec(authorization) ?? [];
    if (scheme.toLowerCase() === 'bearer') candidates.push(rest.trim());
    else if (scheme.toLowerCase() === 'basic') candidates.push(...basic(rest.trim()));
    else candidates.push(authorization.trim());
  }
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') candidates.push(value.trim());
  }
  return candidates.filter((candidate) => candidate !== '' && candidate.length <= 512);
}
