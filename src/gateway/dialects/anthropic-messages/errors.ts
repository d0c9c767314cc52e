import type { PlimsollError } from '../../../kernel/errors.ts';

/** Anthropic's type of an error; its SDKs choose their class by the HTTP status and show the type. */
function errorType(error: PlimsollError): string {
  switch (error.code) {
    case 'provider_timeout':
      return 'timeout_error';
    case 'provider_unavailable':
    case 'journal_full':
    case 'not_ready':
      return 'overloaded_error';
    default:
  }
  switch (error.status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    default:
      return error.status < 500 ? 'invalid_request_error' : 'api_error';
  }
}

/** Anthropic's error envelope, with our code, fix and owner beside its own members. */
export function anthropicErrorBody(error: PlimsollError, requestId: string | null): unknown {
  return {
    type: 'error',
    error: { type: errorType(error), message: error.message, code: error.code, fix: error.fix, owner: error.owner },
    request_id: requestId,
  };
}

export function anthropicErrorEvent(error: PlimsollError): string {
  return `event: error\ndata: ${JSON.stringify(anthropicErrorBody(error, null))}\n\n`;
}
