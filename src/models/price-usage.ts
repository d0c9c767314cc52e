import type { PicoUsd } from '../kernel/money.ts';
import { METERED_UNITS, type MeteredUnit, type MeteredUnits } from './metered-units.ts';
import { type Price, priceAtServiceTier, type TokenPrices } from './price.ts';
import { inputTokens, type Usage, type UsageClass } from './usage.ts';

/** Every token class, in one fixed order. */
const CLASSES: readonly UsageClass[] = [
  'inputUncachedTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'audioInputTokens',
  'outputTextTokens',
  'reasoningTokens',
  'audioOutputTokens',
];

const INPUT_UNCACHED = CLASSES.indexOf('inputUncachedTokens');
const OUTPUT_TEXT = CLASSES.indexOf('outputTextTokens');
const REASONING = CLASSES.indexOf('reasoningTokens');

interface Rates {
  /** Pico-dollars per token by position in CLASSES; null = unpriced. */
  readonly exact: readonly (bigint | null)[];
  /** The same as numbers; NaN = unpriced. Only sums that stay safe integers are taken from here. */
  readonly fast: Float64Array;
}

/** A price with its text already parsed: build it once per snapshot, not once per call. */
export interface CompiledPrice {
  readonly priceId: string;
  readonly perRequest: bigint;
  /** The price says what a request costs, be it nothing. */
  readonly hasPerRequest: boolean;
  readonly perUnit: ReadonlyMap<MeteredUnit, bigint>;
  readonly hasTokenPrices: boolean;
  readonly base: Rates;
  readonly tiers: readonly { readonly aboveInputTokens: number; readonly rates: Rates }[];
  /** Prices of other service tiers, by name. */
  readonly serviceTiers: ReadonlyMap<string, CompiledPrice>;
}

/** `unpriced` has no amount. The caller says `estimated_tokens` instead of `priced` when the usage was a guess. */
export interface PricedUsage {
  readonly costPicoUsd: PicoUsd | null;
  readonly costStatus: 'priced' | 'unpriced';
  readonly priceId: string | null;
}

const UNPRICED: PricedUsage = Object.freeze({ costPicoUsd: null, costStatus: 'unpriced', priceId: null });

function compileRates(perToken: TokenPrices): Rates {
  const exact = CLASSES.map((name) => {
    // Reasoning is billed as output text unless the price says otherwise: no provider lists it for less.
    const text = perToken[name] ?? (name === 'reasoningTokens' ? perToken.outputTextTokens : undefined);
    return text === undefined ? null : BigInt(text);
  });
  return { exact, fast: Float64Array.from(exact, (rate) => (rate === null ? Number.NaN : Number(rate))) };
}

function compileUnits({ perUnit }: Price): ReadonlyMap<MeteredUnit, bigint> {
  const compiled = new Map<MeteredUnit, bigint>();
  for (const unit of METERED_UNITS) if (perUnit?.[unit] !== undefined) compiled.set(unit, BigInt(perUnit[unit]));
  return compiled;
}

export function compilePrice(price: Price): CompiledPrice {
  const tiers = price.tiers.map((tier) => ({ aboveInputTokens: tier.aboveInputTokens, rates: compileRates(tier.perToken) }));
  return {
    priceId: price.priceId,
    perRequest: BigInt(price.perRequest ?? '0'),
    hasPerRequest: price.perRequest !== null,
    perUnit: compileUnits(price),
    hasTokenPrices: Object.keys(price.perToken).length > 0,
    base: compileRates(price.perToken),
    tiers: tiers.sort((a, b) => a.aboveInputTokens - b.aboveInputTokens),
    serviceTiers: new Map(
      Object.keys(price.serviceTiers ?? {}).flatMap((name) => {
        const tier = priceAtServiceTier(price, name);
        return tier === null ? [] : [[name, compilePrice(tier)] as const];
      }),
    ),
  };
}

/** @param tier null = the standard one @returns null when the price does not say what the tier costs */
export function compiledAtServiceTier(price: CompiledPrice | null, tier: string | null): CompiledPrice | null {
  return tier === null || price === null ? price : (price.serviceTiers.get(tier) ?? null);
}

function ratesFor(usage: Usage, price: CompiledPrice): Rates {
  let rates = price.base;
  if (price.tiers.length === 0) return rates;
  const input = inputTokens(usage);
  for (const tier of price.tiers) if (input > tier.aboveInputTokens) rates = tier.rates;
  return rates;
}

/**
 * Cost of one attempt: Σ tokens of a class × its price, plus the price per request.
 * A class that has tokens and no price leaves the whole call unpriced; the only fallback here is reasoning → output text.
 * The sum is taken in floating point while it is a safe integer (then it is exact, all terms being whole and not negative), else in bigint.
 */
export function priceCompiled(usage: Usage, price: CompiledPrice | null): PricedUsage {
  if (price === null) return UNPRICED;
  const rates = ratesFor(usage, price);
  let sum = 0;
  for (let index = 0; index < CLASSES.length; index++) {
    const tokens = usage[CLASSES[index] as UsageClass];
    if (tokens === 0) continue;
    sum += tokens * (rates.fast[index] ?? Number.NaN);
  }
  if (Number.isNaN(sum)) return UNPRICED;
  const tokensCost = sum <= Number.MAX_SAFE_INTEGER ? BigInt(sum) : exactSum(usage, rates);
  return { costPicoUsd: tokensCost + price.perRequest, costStatus: 'priced', priceId: price.priceId };
}

function exactSum(usage: Usage, rates: Rates): bigint {
  return CLASSES.reduce((sum, name, index) => sum + BigInt(usage[name]) * (rates.exact[index] ?? 0n), 0n);
}

/**
 * What a call may cost before anything of it is known, in whole nano-dollars (US dollars × 10⁹), rounded up: all input uncached, all output at the
 * dearer of text and reasoning. Null when the price lacks one of these.
 */
export function estimateNanoUsd(input: number, output: number, price: CompiledPrice): number | null {
  let rates = price.base;
  for (const tier of price.tiers) if (input > tier.aboveInputTokens) rates = tier.rates;
  const outputRate = Math.max(rates.fast[OUTPUT_TEXT] ?? Number.NaN, rates.fast[REASONING] ?? Number.NaN);
  // Models that answer with no tokens (embeddings) have no price for them.
  const outputPico = output === 0 ? 0 : output * outputRate;
  const pico = input * (rates.fast[INPUT_UNCACHED] ?? Number.NaN) + outputPico + Number(price.perRequest);
  return Number.isNaN(pico) ? null : Math.ceil(pico / 1000);
}

/**
 * Cost of one attempt at what is not chat: its tokens where it reported any, its pieces where the price has them, and the price per request.
 * Pieces without a price are only a measure beside tokens; without tokens they leave the call unpriced, never free. Image tokens without a price
 * leave it unpriced always: they cost more than the others.
 */
export function priceMetered(usage: Usage | null, units: MeteredUnits, price: CompiledPrice | null): PricedUsage {
  if (price === null) return UNPRICED;
  let cost: bigint | null = null;
  if (usage !== null && price.hasTokenPrices) {
    cost = priceCompiled(usage, price).costPicoUsd;
    if (cost === null) return UNPRICED;
  }
  for (const unit of METERED_UNITS) {
    const amount = units[unit] ?? 0;
    const rate = price.perUnit.get(unit);
    if (amount === 0) continue;
    if (rate !== undefined) cost = (cost ?? price.perRequest) + rate * BigInt(amount);
    else if (unit === 'inputImageTokens') return UNPRICED;
  }
  if (cost === null && price.hasPerRequest) cost = price.perRequest;
  return cost === null ? UNPRICED : { costPicoUsd: cost, costStatus: 'priced', priceId: price.priceId };
}

/** `priceCompiled` for callers that price once (an admin view, a test). */
export function priceUsage(usage: Usage, price: Price | null): PricedUsage {
  return priceCompiled(usage, price === null ? null : compilePrice(price));
}
