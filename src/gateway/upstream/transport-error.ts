import { PlimsollError } from '../../kernel/errors.ts';
import type { CompiledProvider } from '../compiled-snapshot.ts';
import type { UpstreamError } from './upstream-error.ts';

/** What a failed exchange means for the call. @param hasStarted content of the answer has reached the client */
export function transportError(error: UpstreamError, { name, timeouts }: CompiledProvider, hasStarted: boolean): PlimsollError {
  const { code: reason, wasSent, isStale } = error;
  const details = { provider: name, reason, wasSent, isStale };
  if (reason === 'CONNECT_TIMEOUT') {
    return new PlimsollError('provider_timeout', `"${name}" took no connection within ${timeouts.connectMs} ms.`, {
      details: { ...details, timeout: 'connect', timeoutMs: timeouts.connectMs },
      cause: error,
    });
  }
  if (hasStarted) {
    return new PlimsollError('provider_stream_cut', `"${name}" closed the connection in the middle of its answer (${reason}).`, {
      details,
      cause: error,
    });
  }
  if (reason === 'MALFORMED_ANSWER') {
    return new PlimsollError('provider_bad_response', `"${name}" sent something that is no HTTP answer. ${error.message}`, {
      details,
      cause: error,
    });
  }
  return new PlimsollError('provider_unavailable', `"${name}" could not be reached or closed the connection (${reason}).`, {
    details,
    cause: error,
  });
}
