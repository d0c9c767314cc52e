import { type WireFailure, wireFailure } from './chat-request.ts';
import { type Fault, findFault } from './faults.ts';
import type { WireDialect } from './wire.ts';

/** A failure in the words of a dialect, with its own status where it differs from the usual one. */
export function dialectFailure(
  { statuses }: WireDialect,
  usualStatus: number,
  reason: WireFailure['reason'],
  message: string,
  options: Parameters<typeof wireFailure>[3] = {},
): WireFailure {
  return wireFailure(statuses[reason] ?? usualStatus, reason, message, options);
}

export function unknownModelFailure(dialect: WireDialect, model: string): WireFailure {
  return dialectFailure(dialect, 404, 'unknown_model', dialect.words.unknownModel(model), { parameter: 'model' });
}

export function badKeyFailure(dialect: WireDialect): WireFailure {
  return dialectFailure(dialect, 401, 'bad_key', dialect.words.badKey);
}

export function contextFailure(dialect: WireDialect, inputTokens: number, contextTokens: number): WireFailure {
  return dialectFailure(dialect, 400, 'context_length', dialect.words.contextTooLong(inputTokens, contextTokens), {
    parameter: 'messages',
  });
}

export function serverFailure(dialect: WireDialect): WireFailure {
  return wireFailure(500, 'server_error', dialect.words.serverError);
}

function statusFailure(dialect: WireDialect, model: string, status: number, retryAfter: Fault['retryAfter']): WireFailure {
  const { words } = dialect;
  switch (status) {
    case 401:
      return wireFailure(401, 'bad_key', words.badKey);
    case 404:
      return wireFailure(404, 'unknown_model', words.unknownModel(model), { parameter: 'model' });
    case 413:
      return wireFailure(413, 'too_large', 'Request exceeds the maximum size');
    case 429:
      return wireFailure(429, 'rate_limited', `Rate limit reached for ${model} on requests per minute. Please try again later.`, {
        retryAfter,
      });
    case 503:
    case 529:
      return wireFailure(status, 'overloaded', words.overloaded, { retryAfter });
    default:
      return status < 500
        ? wireFailure(status, 'invalid', 'The request was rejected by the provider.', { retryAfter })
        : wireFailure(status, 'server_error', words.serverError, { retryAfter });
  }
}

/** What the provider says for the faults that answer with an error; null when the faults let it answer. */
export function failureOfFaults(faults: readonly Fault[], dialect: WireDialect, model: string, contextTokens: number): WireFailure | null {
  if (faults.length === 0) return null;
  if (findFault(faults, 'key_revoked')) return badKeyFailure(dialect);
  if (findFault(faults, 'context_length')) return contextFailure(dialect, contextTokens + 12_345, contextTokens);
  const filter = findFault(faults, 'content_filter');
  if (filter && !filter.isOnOutput) return dialectFailure(dialect, 400, 'content_filter', dialect.words.filtered, { parameter: 'prompt' });
  const error = findFault(faults, 'error');
  return error === null || error.value === null ? null : statusFailure(dialect, model, error.value, error.retryAfter);
}

/** The header that says when to try again, in the form that was asked for. */
export function retryAfterHeaders(retryAfter: Fault['retryAfter'], nowMs: number): Readonly<Record<string, string>> {
  switch (retryAfter?.form) {
    case undefined:
      return {};
    case 'seconds':
      return { 'retry-after': `${retryAfter?.amount}` };
    case 'ms':
      return { 'retry-after-ms': `${retryAfter?.amount}` };
    case 'date':
      return { 'retry-after': new Date(nowMs + (retryAfter?.amount ?? 0) * 1_000).toUTCString() };
  }
}
