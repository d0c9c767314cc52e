import { priceCompiled } from '../../models/price-usage.ts';
import { NO_USAGE, type Usage } from '../../models/usage.ts';
import type { CallAttempt, CallRouting } from '../../traces/call-record.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';

/** Output that is expected of a call that sets no limit; only the order of the targets depends on it. */
const EXPECTED_OUTPUT_TOKENS = 400;

/** What a call is expected to cost at a target; null = unpriced. @param maxOutputTokens the request's own limit */
export function expectedCostPicoUsd(target: CompiledTarget, inputTokens: number, maxOutputTokens: number | null): bigint | null {
  const outputTextTokens = Math.min(maxOutputTokens ?? EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS);
  return priceCompiled({ ...NO_USAGE, inputUncachedTokens: inputTokens, outputTextTokens }, target.price).costPicoUsd;
}

/**
 * What the choice saved: the same tokens at the price of the model that would have been asked, less what the answer cost. An estimate: another
 * model would have answered at another length.
 */
export function withSaving(routing: CallRouting, answered: CallAttempt, counterfactual: CompiledTarget | undefined): CallRouting {
  if (counterfactual === undefined || answered.usage === null || answered.costPicoUsd === null) return routing;
  const other = priceCompiled(answered.usage as Usage, counterfactual.price).costPicoUsd;
  return other === null ? routing : { ...routing, estimatedSavingPicoUsd: (other - BigInt(answered.costPicoUsd)).toString() };
}
