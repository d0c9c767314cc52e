import { estimateNanoUsd } from '../../models/price-usage.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { Admission } from './admission.ts';
import { Refusal, unpriced } from './refusal.ts';
import type { TargetHold } from './reservation.ts';

/**
 * Takes of the limits of a target's model and provider, before it is asked.
 * @param beside targets that are asked for the same call at this moment: all of them may have to be paid
 * @returns what the attempt holds until it is over; null when nothing limits it
 * @throws PlimsollError `rate_limited`, `budget_exceeded`, with `details.limit`: another target may have room
 */
export function reserveTarget(
  call: Call,
  target: CompiledTarget,
  admission: Admission,
  beside: readonly CompiledTarget[] = [],
): TargetHold | null {
  const { reservation, limits, estimate, attempts } = call;
  if (reservation === null || limits === null) return null;
  if (target.price === null && reservation.unpricedRule !== null) throw unpriced(target.model, reservation.unpricedRule.id);
  if (limits.byTarget.length === 0 && attempts.length === 0 && beside.length === 0) return null;
  const inputTokens = estimate?.inputTokens ?? 0;
  const outputTokens = estimate?.outputTokens ?? 0;
  const nanoUsdAt = ({ price }: CompiledTarget): number => (price === null ? 0 : (estimateNanoUsd(inputTokens, outputTokens, price) ?? 0));
  const request = {
    model: target.model,
    provider: target.provider.name,
    tokens: inputTokens + outputTokens,
    nanoUsd: nanoUsdAt(target),
  };
  const runningNanoUsd = beside.reduce((sum, other) => sum + nanoUsdAt(other), 0);
  const outcome = admission.addTarget(reservation, limits, request, attempts, runningNanoUsd);
  if (!(outcome instanceof Refusal)) return outcome;
  admission.countRefusal(outcome);
  throw outcome.error();
}
