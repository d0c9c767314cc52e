import { estimateNanoUsd } from '../../models/price-usage.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { Admission } from './admission.ts';
import { Refusal, unpriced } from './refusal.ts';
import type { TargetHold } from './reservation.ts';

/** Tries to borrow for one attempt; what is short after that is refused. */
const MAX_BORROWS = 3;

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
  if (outcome.isShort) return borrowAndReserve(outcome, () => admission.addTarget(reservation, limits, request, call.attempts), admission);
  admission.countRefusal(outcome);
  throw outcome.error();
}

async function borrowAndReserve(first: Refusal, again: () => TargetHold | Refusal, admission: Admission): Promise<TargetHold> {
  let refusal = first;
  for (let borrows = 0; refusal.isShort && borrows < MAX_BORROWS; borrows++) {
    await admission.borrow(refusal);
    const outcome = again();
    if (!(outcome instanceof Refusal)) return outcome;
    refusal = outcome;
  }
  admission.countRefusal(refusal);
  throw refusal.error();
}
