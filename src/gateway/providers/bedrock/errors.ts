import type { ErrorCode } from '../../../kernel/errors.ts';
import { isObject } from '../../hub/json.ts';
import type { ClassifiedError, ResponseHeaders } from '../../provider.ts';

const MAX_MESSAGE_CHARACTERS = 500;

/** Names without `Exception`, in small letters: in headers they are capitalised, in streams they are not. */
const CODE_BY_NAME: Readonly<Record<string, ErrorCode>> = {
  validation: 'provider_rejected',
  resourcenotfound: 'provider_rejected',
  conflict: 'provider_rejected',
  accessdenied: 'provider_auth_failed',
  unrecognizedclient: 'provider_auth_failed',
  expiredtoken: 'provider_auth_failed',
  invalidsignature: 'provider_auth_failed',
  incompletesignature: 'provider_auth_failed',
  missingauthenticationtoken: 'provider_auth_failed',
  throttling: 'provider_rate_limited',
  servicequotaexceeded: 'provider_rate_limited',
  modeltimeout: 'provider_timeout',
  modelnotready: 'provider_unavailable',
  modelerror: 'provider_unavailable',
  modelstreamerror: 'provider_unavailable',
  internalserver: 'provider_unavailable',
  serviceunavailable: 'provider_unavailable',
};

function codeByHttp(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'provider_auth_failed';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status === 429) return 'provider_rate_limited';
  if (status >= 500 || status === 424) return 'provider_unavailable';
  return status >= 400 ? 'provider_rejected' : 'provider_bad_response';
}

const TOO_LONG =
  /(input|prompt) is too long|too many (input )?tokens|maximum (context|input)|context (window|limit|length)|exceeds? the (maximum|model)/i;

/** @param name of the exception @param status HTTP status, null inside a stream */
export function classifyException(name: string, message: unknown, status: number | null): ClassifiedError {
  const key = name
    .replace(/^.*#/, '')
    .replace(/:.*$/, '')
    .replace(/Exception$/i, '')
    .toLowerCase();
  let code: ErrorCode = status === null ? 'provider_unavailable' : codeByHttp(status);
  if (Object.hasOwn(CODE_BY_NAME, key)) code = CODE_BY_NAME[key] ?? code;
  const said = typeof message === 'string' && message !== '' ? message : name === '' ? 'no reason given' : name;
  if (code === 'provider_rejected' && TOO_LONG.test(said)) code = 'context_length_exceeded';
  const where = status === null ? 'in the middle of its answer' : `with status ${status}`;
  return { code, message: `Bedrock answered ${where}: ${said.slice(0, MAX_MESSAGE_CHARACTERS)}` };
}

export function classifyBedrockError(status: number, body: string, headers: ResponseHeaders): ClassifiedError {
  let error: Readonly<Record<string, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed)) error = parsed;
  } catch {
    // Not JSON: a proxy's error page. Header and status say enough.
  }
  const named = headers['x-amzn-errortype'] ?? error.__type ?? '';
  return classifyException(typeof named === 'string' ? named : '', error.message ?? error.Message, status);
}
