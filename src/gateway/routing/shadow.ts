import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { startInternalCall } from '../internal-call.ts';
import { CallFacts } from './call-facts.ts';
import { expectedCostPicoUsd } from './estimate.ts';
import { hasProviderSideEffects } from './side-effects.ts';

/** A mirrored call that takes longer than this is given up: nobody waits for it. */
const SHADOW_TIMEOUT_MS = 120_000;

/**
 * Mirrors a call to the route's candidate, once the answer is with the client: it can neither delay nor change it. What it may cost is booked
 * against the day's budget before it starts and corrected afterwards; a candidate without a price is not asked, since no budget could hold it.
 * Its answer is asked for as JSON, also where the client streams: it is compared, not read along.
 */
export function mirrorCall(call: Call, context: GatewayContext): void {
  const route = call.destination?.routing ?? null;
  // Only answers of chat are compared.
  if (call.operation !== 'chat' || route?.shadow == null || call.caller === null || call.error !== null || call.attempts.length === 0)
    return;
  const { target, policy, maxPicoUsdPerDay } = route.shadow;
  const { state } = route;
  if (context.random() >= policy.ratio) return;
  const nowMs = context.clock.nowMs();
  const facts = new CallFacts(call, nowMs);
  const expected = expectedCostPicoUsd(target, facts.estimatedInputTokens, facts.maxOutputTokens());
  const isWithinBudget = expected !== null && state.shadowSpentPicoUsd(nowMs) + expected <= maxPicoUsdPerDay;
  if (!isWithinBudget || state.shadow.running >= policy.maxConcurrent || !context.journal.canAccept()) {
    state.shadow.skipped++;
    return;
  }
  let request: Record<string, unknown>;
  try {
    if (hasProviderSideEffects(call)) return;
    request = { ...call.hubRequest(), model: target.model };
  } catch {
    state.shadow.skipped++; // a request that the hub's dialect cannot say has no counterpart at another provider
    return;
  }
  delete request.stream_options;
  state.shadow.running++;
  state.shadow.calls++;
  state.bookShadow(expected, nowMs);
  const { finished } = startInternalCall(
    { purpose: 'shadow', snapshot: call.snapshot, caller: call.caller, parent: call, target, request, timeoutMs: SHADOW_TIMEOUT_MS },
    context,
  );
  void finished.then(({ costPicoUsd }) => {
    state.shadow.running--;
    // Not known what it cost: the expectation stays booked.
    if (costPicoUsd !== null) state.bookShadow(costPicoUsd - expected, context.clock.nowMs());
  });
}
