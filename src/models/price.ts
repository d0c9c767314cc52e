import type { UnitPrices } from './metered-units.ts';
import type { UsageClass } from './usage.ts';

/** Pico-dollars per token as decimal integers (text, so that it travels as JSON). A class that is absent is unpriced, never free. */
export type TokenPrices = Readonly<Partial<Record<UsageClass, string>>>;

export interface PriceTier {
  /** The tier counts once the call's input (all input classes together) is greater than this. */
  readonly aboveInputTokens: number;
  /** Complete: a class that is absent here is unpriced in this tier. */
  readonly perToken: TokenPrices;
}

/** What one model charges at one moment. Fallbacks between classes are already resolved by whoever made it (see price-book.ts). */
export interface Price {
  /** Where the price comes from, e.g. `book@1f0c2d3e4a5b:openai/gpt-4o`; stored on every call that was priced with it. */
  readonly priceId: string;
  readonly perToken: TokenPrices;
  /** Pico-dollars per request, for models that charge one. */
  readonly perRequest: string | null;
  /** For what is sold by the piece; absent = nothing is. */
  readonly perUnit?: UnitPrices;
  /** Ascending by `aboveInputTokens`; the last one reached applies to the whole call, not only to the tokens above it. */
  readonly tiers: readonly PriceTier[];
  /** Complete prices of other service tiers (`batch`, `flex`, `priority`); one that is absent here is unpriced, never the standard price. */
  readonly serviceTiers?: Readonly<Record<string, ServiceTierPrices>>;
}

export interface ServiceTierPrices {
  readonly perToken: TokenPrices;
  readonly tiers: readonly PriceTier[];
}

/**
 * The price of a service tier; null when this price does not say what the tier costs.
 * @param tier as `serviceTier` names it; null = the standard one
 */
export function priceAtServiceTier(price: Price, tier: string | null): Price | null {
  if (tier === null) return price;
  const found = Object.hasOwn(price.serviceTiers ?? {}, tier) ? price.serviceTiers?.[tier] : undefined;
  if (found === undefined) return null;
  const { perUnit: _, serviceTiers: __, ...rest } = price;
  return { ...rest, priceId: `${price.priceId}#${tier}`, perToken: found.perToken, tiers: found.tiers };
}

/** The token prices that apply to a call with this many input tokens, in the class they are billed under: reasoning without a price of its own is output text. */
export function perTokenAt(price: Price, inputTokenCount: number): TokenPrices {
  let applied = price.perToken;
  for (const tier of [...price.tiers].sort((a, b) => a.aboveInputTokens - b.aboveInputTokens)) {
    if (inputTokenCount > tier.aboveInputTokens) applied = tier.perToken;
  }
  const reasoning = applied.reasoningTokens ?? applied.outputTextTokens;
  return reasoning === undefined ? applied : { ...applied, reasoningTokens: reasoning };
}
