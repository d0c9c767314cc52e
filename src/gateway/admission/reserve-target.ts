import { PlimsollError } from '../../kernel/errors.ts';
import { estimateNanoUsd } from '../../models/price-usage.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { Admission } from './admission.ts';
import { borrowFor } from './borrow.ts';
import { Refusal, unpriced } from './refusal.ts';
import type { Reservation, TargetHold } from './reservation.ts';

/**
 * Takes of the limits of a target's model and provider, before it is asked.
 * @returns what the attempt holds until it is over; null when nothing limits it; a promise only where a shared limit has to be borrowed from
 * @throws PlimsollError `rate_limited`, `budget_exceeded`, with `details.limit`: another target may have room
 */
export function reserveTarget(call: Call, target: CompiledTarget, admission: Admission): TargetHold | null | Promise<TargetHold> {
  const { reservation, limits, estimate, attempts } = call;
  if (reservation === null || limits === null) return null;
  if (target.price === null && reservation.unpricedRule !== null) throw unpriced(target.model, reservation.unpricedRule.id);
  if (limits.byTarget.length === 0 && !reservation.hasBudget) return null;
  const inputTokens = estimate?.inputTokens ?? 0;
  const outputTokens = estimate?.outputTokens ?? 0;
  const nanoUsd = target.price === null ? 0 : (estimateNanoUsd(inputTokens, outputTokens, target.price) ?? 0);
  const request = { model: target.model, provider: target.provider.name, tokens: inputTokens + outputTokens, nanoUsd };
  const outcome = admission.addTarget(reservation, limits, request, attempts);
  if (!(outcome instanceof Refusal)) return outcome;
  if (outcome.isShort)
    return borrowAndReserve(outcome, () => admission.addTarget(reservation, limits, request, call.attempts), reservation, admission);
  admission.countRefusal(outcome);
  throw outcome.error();
}

async function borrowAndReserve(
  refusal: Refusal,
  again: () => TargetHold | Refusal,
  reservation: Reservation,
  admission: Admission,
): Promise<TargetHold> {
  const attempt = (): TargetHold | Refusal => {
    // What is taken for a call that is over, nobody gives back.
    if (!reservation.isOpen) throw new PlimsollError('client_closed', 'The call ended before there was room for this attempt.');
    return again();
  };
  const outcome = await borrowFor(refusal, attempt, admission);
  if (!(outcome instanceof Refusal)) return outcome;
  admission.countRefusal(outcome);
  throw outcome.error();
}
