import { parseJsonText } from '../kernel/parse-json.ts';
import type { MeteredUnits } from '../models/metered-units.ts';
import { type CompiledPrice, compiledAtServiceTier, type PricedUsage, priceCompiled, priceMetered } from '../models/price-usage.ts';
import { serviceTier, serviceTierOfUsage } from '../models/service-tier.ts';
import type { Usage } from '../models/usage.ts';
import type { CallAttempt } from '../traces/call-record.ts';
import type { CompiledTarget } from './compiled-snapshot.ts';
import type { AnswerFacts } from './provider.ts';

/** What an attempt used, as far as it is known. */
export interface AttemptUse {
  readonly usage: Usage | null;
  readonly source: CallAttempt['usageSource'];
  /** Of an answer besides chat; absent for chat, and for an attempt that has no answer. */
  readonly units: MeteredUnits | undefined;
  readonly facts: AnswerFacts | undefined;
  /** Nobody charges for it when nothing was used. */
  readonly isFree: boolean;
}

type AttemptCost = Pick<CallAttempt, 'costPicoUsd' | 'costStatus' | 'priceId' | 'serviceTier' | 'bookedPicoUsd'>;

/** Prices of plimsoll.yaml are what the operator pays by contract: they stand above what a provider reports. */
function isOwnPrice(priceId: string | undefined): boolean {
  return priceId?.startsWith('config:') ?? false;
}

/** What the provider says that it charged; null when it does not say, or the operator has a price of their own. */
function reportedCost({ provider, price }: CompiledTarget, providerUsage: unknown): bigint | null {
  const { readCost } = provider.adapter;
  if (readCost === null || providerUsage == null || isOwnPrice(price?.priceId)) return null;
  return readCost(typeof providerUsage === 'string' ? parseJsonText(providerUsage) : providerUsage);
}

/** Of an attempt, at the price of the service tier that served it. */
export function attemptCost(target: CompiledTarget, { usage, source, units, facts, isFree }: AttemptUse): AttemptCost {
  if (usage === null && units === undefined)
    return { costPicoUsd: isFree ? '0' : null, costStatus: isFree ? 'priced' : 'unpriced', priceId: null };
  const tier = serviceTier(facts?.serviceTier) ?? serviceTierOfUsage(facts?.providerUsage);
  const served = { serviceTier: tier ?? undefined };
  const reported = reportedCost(target, facts?.providerUsage);
  if (reported !== null) return { costPicoUsd: reported.toString(), costStatus: 'provider_reported', priceId: null, ...served };
  const priceBy = (price: CompiledPrice | null): PricedUsage =>
    units !== undefined || usage === null ? priceMetered(usage, units ?? {}, price) : priceCompiled(usage, price);
  const priced = priceBy(compiledAtServiceTier(target.price, tier));
  if (priced.costPicoUsd === null) {
    // No price is guessed, and no budget is left open for want of one.
    const booked = tier === null ? null : priceBy(target.price).costPicoUsd;
    return { costPicoUsd: null, costStatus: 'unpriced', priceId: null, bookedPicoUsd: booked?.toString(), ...served };
  }
  return {
    costPicoUsd: priced.costPicoUsd.toString(),
    costStatus: source === 'estimated' ? 'estimated_tokens' : 'priced',
    priceId: priced.priceId,
    ...served,
  };
}
