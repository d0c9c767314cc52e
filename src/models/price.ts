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
  /** Where the price comes from, e.g. `genai-prices@0.1.8:openai/gpt-4o`; stored on every call that was priced with it. */
  readonly priceId: string;
  readonly perToken: TokenPrices;
  /** Pico-dollars per request, for models that charge one. */
  readonly perRequest: string | null;
  /** For what is sold by the piece; absent = nothing is. */
  readonly perUnit?: UnitPrices;
  /** Ascending by `aboveInputTokens`; the last one reached applies to the whole call, not only to the tokens above it. */
  readonly tiers: readonly PriceTier[];
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
