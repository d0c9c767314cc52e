import type { ErrorCode } from '../../../kernel/errors.ts';
import type { ClassifiedError, ResponseHeaders } from '../../provider.ts';

const MAX_MESSAGE_CHARACTERS = 500;

const CODE_BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  invalid_request_error: 'provider_rejected',
  not_found_error: 'provider_rejected',
  request_too_large: 'provider_rejected',
  authentication_error: 'provider_auth_failed',
  permission_error: 'provider_auth_failed',
  billing_error: 'provider_auth_failed',
  rate_limit_error: 'provider_rate_limited',
  timeout_error: 'provider_timeout',
  api_error: 'provider_unavailable',
  overloaded_error: 'provider_unavailable',
};

function codeByStatus(status: number): ErrorCode {
  if (status === 401 || status === 402 || status === 403) return 'provider_auth_failed';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status === 429) return 'provider_rate_limited';
  if (status >= 500) return 'provider_unavailable';
  return status >= 400 ? 'provider_rejected' : 'provider_bad_response';
}

/** "prompt is too long: 210000 tokens > 200000 maximum" and its relatives. */
const TOO_LONG = /prompt is too long|exceeds? (the )?(model's )?(maximum )?context|context (window|limit)/i;
const NO_CREDIT = /credit balance is too low/i;

/** The error object of an answer's body or of an `error` event. @param status HTTP status, null inside a stream */
export function classifyErrorObject(error: unknown, status: number | null): ClassifiedError {
  const { type, message } = (typeof error === 'object' && error !== null ? error : {}) as { type?: unknown; message?: unknown };
  const said = typeof message === 'string' && message !== '' ? message : typeof type === 'string' ? type : 'no reason given';
  let code: ErrorCode = status === null ? 'provider_unavailable' : codeByStatus(status);
  if (typeof type === 'string' && Object.hasOwn(CODE_BY_TYPE, type)) code = CODE_BY_TYPE[type] ?? code;
  if (code === 'provider_rejected' && TOO_LONG.test(said)) code = 'context_length_exceeded';
  if (code === 'provider_rejected' && NO_CREDIT.test(said)) code = 'provider_auth_failed';
  const where = status === null ? 'in the middle of its answer' : `with status ${status}`;
  return { code, message: `Anthropic answered ${where}: ${redact(said).slice(0, MAX_MESSAGE_CHARACTERS)}` };
}

/** An answer with an error status → our closed code. The body's own error type decides; the status only when there is none. */
export function classifyAnthropicError(status: number, body: string, _headers: ResponseHeaders): ClassifiedError {
  let error: unknown = null;
  try {
    error = (JSON.parse(body) as { error?: unknown } | null)?.error ?? null;
  } catch {
    // Not JSON: a proxy's error page. Its status says enough.
  }
  return classifyErrorObject(error, status);
}

/** Keys never leave in a message, even when a server echoes one. */
function redact(text: string): string {
  return text.replaceAll(/\bsk-[A-Za-z0-9_-]{8,}/g, 'sk-…');
}
