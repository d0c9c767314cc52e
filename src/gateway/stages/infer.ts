import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { UpstreamAttempt } from '../upstream-attempt.ts';

/** Why a target did not answer. */
interface Failure {
  readonly target: string;
  readonly error: PlimsollError;
  readonly retryAfter: string | null;
}

/** What the client is told when every target failed: the last error, with all of them named. */
function summarise(failures: readonly Failure[]): PlimsollError {
  const last = failures.at(-1);
  if (last === undefined) return new PlimsollError('internal', 'A destination without targets was called');
  const message =
    failures.length === 1
      ? last.error.message
      : `All ${failures.length} targets failed: ${failures.map(({ target, error }) => `${target}: ${error.code} (${error.message})`).join('; ')}`;
  return new PlimsollError(last.error.code, message, {
    details: { ...last.error.details, retryAfter: last.retryAfter },
    cause: last.error,
  });
}

/**
 * Asks the targets in order until one answers. The next one is tried only after a failure that may pass elsewhere (`retryable`, or a limit of the
 * target's model or provider), and only while the client has not received a byte.
 * @throws PlimsollError when none answered, the answer broke off, or the client left
 */
export async function infer(call: Call, context: GatewayContext): Promise<void> {
  const failures: Failure[] = [];
  for (const target of call.destination?.targets ?? []) {
    if (call.isAbandoned) throw new PlimsollError('client_closed', 'The client closed the connection before a provider was asked.');
    const attempt = new UpstreamAttempt(call, target, context);
    const error = await attempt.run();
    if (error === null) return;
    if (attempt.hasStarted || call.isStopped || error.code === 'client_closed') throw error;
    failures.push({ target: target.model, error, retryAfter: attempt.retryAfter });
    if (!error.retryable && error.details.limit === undefined) break;
  }
  throw summarise(failures);
}
