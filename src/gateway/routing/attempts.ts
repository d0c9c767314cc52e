import type { PlimsollError } from '../../kernel/errors.ts';
import type { AttemptRole } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { UpstreamAttempt } from '../upstream-attempt.ts';
import type { FailureFacts } from './after-failure.ts';
import { retryAfterMs } from './backoff.ts';
import type { Race } from './race.ts';

/** Why a target did not answer. */
export interface Failure extends FailureFacts {
  readonly target: CompiledTarget;
  readonly error: PlimsollError;
  /** Content of it has reached the client. */
  readonly hasStarted: boolean;
  /** The provider's own word for when to come back. */
  readonly retryAfter: string | null;
}

/** One try at one target, with what it teaches of the target's health. @returns null when it answered */
export async function attemptOnce(
  call: Call,
  target: CompiledTarget,
  context: GatewayContext,
  role: AttemptRole | undefined,
  race: Race | null = null,
): Promise<Failure | null> {
  const { clock, routing } = context;
  const attempt = new UpstreamAttempt(call, target, context, race, role);
  race?.enter(attempt, target);
  const isTrial = target.health.begin(clock.monotonicMs());
  const error = await attempt.run();
  race?.leave(attempt);
  const recorded = attempt.recorded;
  const isStream = call.body?.isStream ?? false;
  const nowMs = clock.nowMs();
  const askedMs = error === null ? null : retryAfterMs(attempt.headers, nowMs);
  // An attempt that lost a race took at least this long: that is known of it too.
  const hasLost = error?.code === 'superseded';
  routing.health.observe(target.health, {
    error,
    isTrial,
    isStream,
    latencyMs:
      recorded === null ? null : hasLost ? recorded.durationMs : error === null ? (isStream ? recorded.ttftMs : recorded.durationMs) : null,
    nowMs,
    monotonicMs: clock.monotonicMs(),
    retryAfterMs: askedMs,
  });
  if (error === null) return null;
  const { 'retry-after': retryAfter } = attempt.headers;
  return {
    target,
    error,
    code: error.code,
    mayHaveRun: attempt.mayHaveRun,
    retryAfterMs: askedMs,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
    hasStarted: attempt.hasStarted,
  };
}
