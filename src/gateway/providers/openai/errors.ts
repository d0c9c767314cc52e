import type { ClassifiedError } from '../../provider.ts';

const MAX_MESSAGE_CHARACTERS = 1000;

interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** Reads `{ error: { message, type, code } }` and the looser forms that compatible servers send; empty strings where nothing is said. */
function readError(body: string): OpenAiError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) {
      const outer = parsed as Record<string, unknown>; // read field by field
      const error = outer.error ?? outer;
      if (typeof error === 'string') return { message: error, type: '', code: '' };
      if (typeof error === 'object' && error !== null) {
        const inner = error as Record<string, unknown>; // read field by field
        return {
          message: textOf(inner.message) || textOf(inner.detail) || textOf(outer.detail),
          type: textOf(inner.type),
          code: textOf(inner.code),
        };
      }
    }
  } catch {
    // Not JSON: a proxy in between may answer in HTML or plain text, which is no message for a client.
  }
  return { message: '', type: '', code: '' };
}

/**
 * An OpenAI-dialect error answer → our closed code. The provider's message is kept, cut to a sane length.
 * @see https://platform.openai.com/docs/guides/error-codes/api-errors
 */
export function classifyOpenAiError(status: number, body: string): ClassifiedError {
  const error = readError(body);
  const message = (error.message || `The provider answered HTTP ${status}.`).slice(0, MAX_MESSAGE_CHARACTERS);
  const hint = `${error.code} ${error.type}`;
  if (status === 401 || status === 403) {
    if (/content_(policy|filter)/.test(hint)) return { code: 'content_filtered', message };
    return { code: 'provider_auth_failed', message: `The provider refused its credential (HTTP ${status}).` };
  }
  if (status === 429) return { code: 'provider_rate_limited', message };
  if (status === 408) return { code: 'provider_timeout', message };
  if (status >= 500) return { code: 'provider_unavailable', message };
  if (/context_length_exceeded|string_above_max_length/.test(hint) || /maximum context length|context window/i.test(error.message)) {
    return { code: 'context_length_exceeded', message };
  }
  if (/content_(policy|filter)/.test(hint)) return { code: 'content_filtered', message };
  return { code: 'provider_rejected', message };
}

/** Error events of a stream carry no status: their type and code stand for one. */
export function statusOfErrorEvent(body: string): number {
  const { code, type } = readError(body);
  if (/^[45]\d\d$/.test(code)) return Number(code);
  const hint = `${code} ${type}`;
  if (/rate_limit|insufficient_quota|too_many/.test(hint)) return 429;
  if (/authentication|invalid_api_key|permission/.test(hint)) return 401;
  if (/invalid_request|context_length|content_(policy|filter)/.test(hint)) return 400;
  return 500;
}
