import type { ErrorCode } from '../../../kernel/errors.ts';
import { isObject } from '../../hub/json.ts';
import type { ClassifiedError } from '../../provider.ts';

const MAX_MESSAGE_CHARACTERS = 500;

/** google.rpc.Code by name. */
const CODE_BY_STATUS: Readonly<Record<string, ErrorCode>> = {
  INVALID_ARGUMENT: 'provider_rejected',
  FAILED_PRECONDITION: 'provider_rejected',
  OUT_OF_RANGE: 'provider_rejected',
  NOT_FOUND: 'provider_rejected',
  UNIMPLEMENTED: 'provider_rejected',
  UNAUTHENTICATED: 'provider_auth_failed',
  PERMISSION_DENIED: 'provider_auth_failed',
  RESOURCE_EXHAUSTED: 'provider_rate_limited',
  DEADLINE_EXCEEDED: 'provider_timeout',
  CANCELLED: 'provider_unavailable',
  ABORTED: 'provider_unavailable',
  INTERNAL: 'provider_unavailable',
  UNAVAILABLE: 'provider_unavailable',
  UNKNOWN: 'provider_unavailable',
};

function codeByHttp(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'provider_auth_failed';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status === 429) return 'provider_rate_limited';
  if (status >= 500) return 'provider_unavailable';
  return status >= 400 ? 'provider_rejected' : 'provider_bad_response';
}

const TOO_LONG = /(input )?token count.{0,40}exceeds|exceeds the maximum number of (input )?tokens|input context is too long/i;
const BAD_KEY = /API[_ ]key (not valid|expired|not found)|API_KEY_INVALID/i;

/** `error` of an answer or of an event of a stream. @param status HTTP status, null inside a stream */
export function classifyErrorObject(error: unknown, status: number | null): ClassifiedError {
  const { status: name, message } = isObject(error) ? error : {};
  const said = typeof message === 'string' && message !== '' ? message : 'no reason given';
  let code: ErrorCode = status === null ? 'provider_unavailable' : codeByHttp(status);
  if (typeof name === 'string' && Object.hasOwn(CODE_BY_STATUS, name)) code = CODE_BY_STATUS[name] ?? code;
  if (code === 'provider_rejected' && TOO_LONG.test(said)) code = 'context_length_exceeded';
  if (code === 'provider_rejected' && BAD_KEY.test(said)) code = 'provider_auth_failed';
  const where = status === null ? 'in the middle of its answer' : `with status ${status}`;
  return { code, message: `Google answered ${where}: ${said.slice(0, MAX_MESSAGE_CHARACTERS)}` };
}

/** The `error` member of a body, which some endpoints wrap into a list of one; null when there is none. */
export function errorOf(body: unknown): unknown {
  const object = Array.isArray(body) ? body[0] : body;
  return isObject(object) && object.error !== undefined ? object.error : null;
}

export function classifyGeminiError(status: number, body: string): ClassifiedError {
  let error: unknown = null;
  try {
    error = errorOf(JSON.parse(body));
  } catch {
    // Not JSON: a proxy's error page. Its status says enough.
  }
  return classifyErrorObject(error, status);
}
