import { type CompiledPrice, compiledAtServiceTier, priceCompiled, priceMetered } from '../../models/price-usage.ts';
import { sumCost } from '../call-cost.ts';
import type { LedgerAttempt, LedgerRow } from '../store.ts';

/** What an attempt is to cost now. */
export type AttemptPricing =
  /** Its provider is no longer configured: nobody can say. */
  | { readonly kind: 'unknown' }
  /** The provider said what it charged, and no price of the operator's stands above that. */
  | { readonly kind: 'reported'; readonly costPicoUsd: bigint }
  /** Null = the model has no price. */
  | { readonly kind: 'price'; readonly price: CompiledPrice | null };

/** @param atMs start of the call, epoch ms: prices are those of that moment in the book of today */
export type PriceAttempt = (attempt: LedgerAttempt, atMs: number) => AttemptPricing;

/** Why a cost stayed although the call was looked at. */
export type KeptReason = 'not_configured' | 'would_lose_price';

export interface RepricedResult {
  /** The same object when nothing changes. */
  readonly row: LedgerRow;
  readonly kept: KeptReason | null;
}

function priced(attempt: LedgerAttempt, price: CompiledPrice | null) {
  const { usage, units } = attempt;
  const ofTier = compiledAtServiceTier(price, attempt.serviceTier ?? null);
  return units !== undefined || usage === null ? priceMetered(usage, units ?? {}, ofTier) : priceCompiled(usage, ofTier);
}

function repriceAttempt(attempt: LedgerAttempt, pricing: AttemptPricing): { attempt: LedgerAttempt; kept: KeptReason | null } {
  switch (pricing.kind) {
    case 'unknown':
      return { attempt, kept: 'not_configured' };
    case 'reported':
      return { attempt: changed(attempt, pricing.costPicoUsd, 'provider_reported', null), kept: null };
    case 'price': {
      const { costPicoUsd, priceId } = priced(attempt, pricing.price);
      // A price that went from the book does not take back what a call is known to have cost.
      if (costPicoUsd === null) return { attempt, kept: attempt.costPicoUsd === null ? null : 'would_lose_price' };
      return {
        attempt: changed(attempt, costPicoUsd, attempt.usageSource === 'estimated' ? 'estimated_tokens' : 'priced', priceId),
        kept: null,
      };
    }
  }
}

/** Untouched when cost and status are what they were: an older price id still says truly what was charged. */
function changed(
  attempt: LedgerAttempt,
  costPicoUsd: bigint,
  costStatus: LedgerAttempt['costStatus'],
  priceId: string | null,
): LedgerAttempt {
  const isSame = attempt.costPicoUsd === costPicoUsd && attempt.costStatus === costStatus;
  return isSame ? attempt : { ...attempt, costPicoUsd, costStatus, priceId };
}

/**
 * One row of the ledger under other prices. Tokens, states and everything else stay; so do attempts of which nothing is known but a refusal,
 * and answers from the cache.
 */
export function repriceCall(row: LedgerRow, priceAttempt: PriceAttempt): RepricedResult {
  if (row.costStatus === 'cached_zero') return { row, kept: null };
  let kept: KeptReason | null = null;
  const attempts = row.attempts.map((attempt) => {
    if (attempt.usage === null && attempt.units === undefined) return attempt;
    const result = repriceAttempt(attempt, priceAttempt(attempt, row.startedAtMs));
    kept ??= result.kept;
    return result.attempt;
  });
  if (attempts.every((attempt, place) => attempt === row.attempts[place])) return { row, kept };
  const sum = sumCost(attempts.map((attempt) => ({ ...attempt, costPicoUsd: attempt.costPicoUsd?.toString() ?? null })));
  return {
    row: { ...row, attempts, costPicoUsd: sum.costPicoUsd === null ? null : BigInt(sum.costPicoUsd), costStatus: sum.costStatus },
    kept,
  };
}
