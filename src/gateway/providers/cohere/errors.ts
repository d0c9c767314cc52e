import type { ErrorCode } from '../../../kernel/errors.ts';
import { isObject } from '../../hub/json.ts';
import type { ClassifiedError } from '../../provider.ts';

const MAX_MESSAGE_CHARACTERS = 500;
const TOO_LONG = /too many tokens|token limit|context (length|window)|exceeds? the (maximum|model)/i;

function codeOf(status: number, said: string): ErrorCode {
  if (status === 401 || status === 402 || status === 403) return 'provider_auth_failed';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status === 429) return 'provider_rate_limited';
  // 498: an invalid token, 499: the request was cancelled there.
  if (status === 498) return 'provider_auth_failed';
  if (status >= 500 || status === 499) return 'provider_unavailable';
  if (status < 400) return 'provider_bad_response';
  return TOO_LONG.test(said) ? 'context_length_exceeded' : 'provider_rejected';
}

/** `{ message }` of Cohere; the status decides. @see https://docs.cohere.com/reference/errors */
export function classifyCohereError(status: number, body: string): ClassifiedError {
  let said = '';
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed))
      for (const text of [parsed.message, parsed.detail, parsed.error]) if (said === '' && typeof text === 'string') said = text;
  } catch {
    // Not JSON: a proxy's error page. Its status says enough.
  }
  const reason = said === '' ? 'no reason given' : said.slice(0, MAX_MESSAGE_CHARACTERS);
  return { code: codeOf(status, said), message: `Cohere answered with status ${status}: ${reason}` };
}
