import type { ErrorCode } from '../../kernel/errors.ts';
import type { RetryPolicy, RoutePolicy } from './policy.ts';

/** Why a target did not answer, as far as it decides what is tried next. */
export interface FailureFacts {
  readonly code: ErrorCode;
  /** False when the provider cannot have done anything. */
  readonly mayHaveRun: boolean;
  readonly retryAfterMs: number | null;
}

export type NextStep = 'next' | 'larger_window' | 'stop';

/** Whether another target may be asked after a failure, and which. @param policy null = a control that knows no policies */
export function stepAfter({ code, mayHaveRun }: FailureFacts, policy: RoutePolicy | null, hasSideEffects: () => boolean): NextStep {
  switch (code) {
    case 'provider_rate_limited':
    case 'provider_unavailable':
    case 'provider_timeout':
    case 'provider_bad_response':
    case 'provider_stream_cut':
      return mayHaveRun && hasSideEffects() ? 'stop' : 'next';
    // Says something of this target, nothing of the request.
    case 'provider_auth_failed':
    // Limits and budgets of one model or provider: another may have room.
    case 'rate_limited':
    case 'budget_exceeded':
    // This target's dialect cannot say it; another's may.
    case 'invalid_argument':
    // The feature's rules keep its data away from this one.
    case 'target_not_allowed':
      return 'next';
    case 'context_length_exceeded':
      return 'larger_window';
    case 'content_filtered':
      return policy?.onContentFilter === 'next' ? 'next' : 'stop';
    default:
      return 'stop';
  }
}

/** Whether a target can take what was too long for another. Unknown windows are not tried: the answer would most likely be the same. */
export function hasLargerWindow(contextTokens: number | null, failedContextTokens: number | null, estimatedInputTokens: number): boolean {
  if (contextTokens === null) return false;
  return contextTokens > (failedContextTokens ?? estimatedInputTokens);
}

export interface RetryInputs {
  readonly failure: FailureFacts;
  readonly policy: RetryPolicy;
  /** Tries at this target so far. */
  readonly tries: number;
  /** Another target is left to ask. */
  readonly hasNext: boolean;
  /** Since the call came. */
  readonly elapsedMs: number;
  /** From `fullJitterMs`. */
  readonly jitterMs: number;
}

/**
 * How long to wait before the same target is tried again; null = not at all.
 * A timeout is not repeated where the request was sent (it would take as long again), and a refusal for good never.
 */
export function retryDelayMs({ failure, policy, tries, hasNext, elapsedMs, jitterMs }: RetryInputs): number | null {
  if (tries >= policy.maxAttempts) return null;
  switch (failure.code) {
    case 'provider_timeout':
      if (failure.mayHaveRun) return null;
      break;
    case 'provider_rate_limited':
    case 'provider_unavailable':
    case 'provider_bad_response':
    case 'provider_stream_cut':
      break;
    default:
      return null;
  }
  const askedMs = failure.retryAfterMs ?? 0;
  // Who says when to come back is not asked before; with another target at hand nobody waits long for this one.
  if (hasNext && askedMs > policy.maxDelayMs) return null;
  const delayMs = Math.max(jitterMs, askedMs);
  return elapsedMs + delayMs <= policy.deadlineMs ? delayMs : null;
}
