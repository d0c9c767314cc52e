import type { PlimsollError } from '../../../kernel/errors.ts';

/** Google's canonical code of an error (google.rpc.Code by name). */
function statusName(error: PlimsollError): string {
  switch (error.status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'PERMISSION_DENIED';
    case 404:
      return 'NOT_FOUND';
    case 409:
      return 'ABORTED';
    case 429:
      return 'RESOURCE_EXHAUSTED';
    case 499:
      return 'CANCELLED';
    case 502:
    case 503:
      return 'UNAVAILABLE';
    case 504:
      return 'DEADLINE_EXCEEDED';
    default:
      return error.status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL';
  }
}

/** Google's error envelope (google.rpc.Status); our code, fix and owner stand in an ErrorInfo. */
export function geminiErrorBody(error: PlimsollError, requestId: string | null): unknown {
  const { param } = error.details;
  return {
    error: {
      code: error.status,
      message: error.message,
      status: statusName(error),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: error.code.toUpperCase(),
          domain: 'plimsoll',
          metadata: {
            fix: error.fix,
            owner: error.owner,
            ...(typeof param === 'string' ? { param } : {}),
            ...(requestId === null ? {} : { traceId: requestId }),
          },
        },
      ],
    },
  };
}
