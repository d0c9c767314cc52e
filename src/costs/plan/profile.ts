import { type Price, perTokenAt } from '../../models/price.ts';
import type { Usage, UsageClass } from '../../models/usage.ts';
import type { UsedAtPrice } from '../cost-queries.ts';
import { plus, type Ratio, ratio, times, ZERO } from '../variance/ratio.ts';
import { listPrices, type PricesById } from '../variance/segments.ts';

export type Tokens = Readonly<Record<keyof Usage, bigint>>;

/** Pico-dollars a token by class; a class that is absent has no price. */
export type ClassPrices = Readonly<Partial<Record<UsageClass, bigint>>>;

/** What a model is used for: totals over some requests. */
export interface PlanLine {
  readonly model: string;
  /** Attempts, for prices per request. */
  readonly attempts: bigint;
  readonly tokens: Tokens;
  readonly prices: ClassPrices | null;
  readonly perRequestPicoUsd: bigint;
  /** What was paid beyond tokens and requests, or instead of them where there is no price: grows with requests only. */
  readonly otherPicoUsd: bigint;
}

/** All that is planned with: lines together make `requests` requests. */
export interface Profile {
  readonly requests: bigint;
  readonly lines: readonly PlanLine[];
}

/** By how much a driver differs from the profile; exact. */
export interface Factors {
  readonly requests: Ratio;
  readonly inputTokens: Ratio;
  readonly outputTokens: Ratio;
  /** Added to the share of input that is read from the prompt cache. */
  readonly cachedShare: Ratio;
}

export const ONE: Ratio = ratio(1n);
export const AS_IT_IS: Factors = { requests: ONE, inputTokens: ONE, outputTokens: ONE, cachedShare: ZERO };

const OUTPUT = new Set<UsageClass>(['outputTextTokens', 'reasoningTokens', 'audioOutputTokens']);
const CLASSES = [
  'inputUncachedTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'audioInputTokens',
  'outputTextTokens',
  'reasoningTokens',
  'audioOutputTokens',
] as const satisfies readonly UsageClass[];

/** Input that is plain or read from the cache, with its share read moved by `shift` within 0 to 1. */
function movedCache(tokens: Tokens, prices: ClassPrices, shift: Ratio): { plain: Ratio; read: Ratio } {
  const plain = ratio(tokens.inputUncachedTokens);
  const read = ratio(tokens.cacheReadTokens);
  const both = tokens.inputUncachedTokens + tokens.cacheReadTokens;
  if (shift.numerator === 0n || both === 0n || prices.cacheReadTokens === undefined || prices.inputUncachedTokens === undefined)
    return { plain, read };
  const wanted = plus(read, times(ratio(both), shift));
  const isBelow = wanted.numerator < 0n;
  const isAbove = wanted.numerator > both * wanted.denominator;
  const kept = isBelow ? ZERO : isAbove ? ratio(both) : wanted;
  return { plain: plus(ratio(both), times(kept, ratio(-1n))), read: kept };
}

/** Exact cost of a line's requests, pico-dollars. */
function costOfLine({ attempts, tokens, prices, perRequestPicoUsd, otherPicoUsd }: PlanLine, factors: Factors): Ratio {
  let sum = plus(ratio(otherPicoUsd), ratio(perRequestPicoUsd * attempts));
  if (prices !== null) {
    const { plain, read } = movedCache(tokens, prices, factors.cachedShare);
    for (const name of CLASSES) {
      const price = prices[name];
      if (price === undefined) continue;
      const count = name === 'inputUncachedTokens' ? plain : name === 'cacheReadTokens' ? read : ratio(tokens[name]);
      sum = plus(sum, times(times(count, ratio(price)), OUTPUT.has(name) ? factors.outputTokens : factors.inputTokens));
    }
  }
  return times(sum, factors.requests);
}

/** Exact cost of so many requests with this profile. */
export function costOfProfile({ requests, lines }: Profile, wanted: Ratio, factors: Factors = AS_IT_IS): Ratio {
  if (requests === 0n) return ZERO;
  const all = lines.reduce((sum, line) => plus(sum, costOfLine(line, factors)), ZERO);
  return times(all, times(wanted, ratio(1n, requests)));
}

function pricesOf(price: Price, tokens: Tokens, attempts: bigint): ClassPrices {
  const input = CLASSES.filter((name) => !OUTPUT.has(name)).reduce((sum, name) => sum + tokens[name], 0n);
  // Of a described or moved load only the mean is known: its length decides the tier.
  const mean = attempts === 0n ? 0 : Number(input / attempts);
  return Object.fromEntries(Object.entries(perTokenAt(price, mean)).map(([name, amount]) => [name, BigInt(amount)]));
}

/** Used classes without a price. */
export function missingPrices(tokens: Tokens, prices: ClassPrices): UsageClass[] {
  return CLASSES.filter((name) => tokens[name] > 0n && prices[name] === undefined);
}

/** The line on another model. Input that was cached is plain where the model has no price for the cache. @returns null when a class is unpriced */
export function lineOn(line: PlanLine, model: string, price: Price): PlanLine | null {
  const first = pricesOf(price, line.tokens, line.attempts);
  const tokens = { ...line.tokens };
  for (const name of ['cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens'] as const)
    if (first[name] === undefined) {
      tokens.inputUncachedTokens += tokens[name];
      tokens[name] = 0n;
    }
  if (missingPrices(tokens, first).length > 0) return null;
  return { model, attempts: line.attempts, tokens, prices: first, perRequestPicoUsd: BigInt(price.perRequest ?? '0'), otherPicoUsd: 0n };
}

/** What real calls used, by model. */
export function profileOfCalls(calls: bigint, used: readonly UsedAtPrice[], prices: PricesById): Profile {
  const lines = used.map((row): PlanLine => {
    const list = listPrices(row, prices);
    const model = `${row.provider}/${row.model}`;
    const isKnown = row.priceId !== null && prices.has(row.priceId) && missingPrices(row.tokens, list).length === 0;
    const byTokens = CLASSES.reduce((sum, name) => sum + row.tokens[name] * (list[name] ?? 0n), 0n);
    return {
      model,
      attempts: row.attempts,
      tokens: row.tokens,
      prices: isKnown ? list : null,
      perRequestPicoUsd: 0n,
      otherPicoUsd: isKnown ? row.costPicoUsd - byTokens : row.costPicoUsd,
    };
  });
  return { requests: calls, lines };
}

const NO_TOKENS: Tokens = {
  inputUncachedTokens: 0n,
  cacheReadTokens: 0n,
  cacheWrite5mTokens: 0n,
  cacheWrite1hTokens: 0n,
  audioInputTokens: 0n,
  outputTextTokens: 0n,
  reasoningTokens: 0n,
  audioOutputTokens: 0n,
};

export interface Description {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Share of input that is read from the prompt cache, 0 to 1. */
  readonly cachedRatio: number;
  readonly mix: readonly { readonly model: string; readonly weight: number; readonly price: Price }[];
}

/** Requests that make every share of a described mix whole. */
const SCALE = 1_000_000n;

/** A profile from a description. @returns null and the model when one has no price for what is described */
export function profileOfDescription(description: Description): { profile: Profile } | { unpriced: string } {
  const { inputTokens, outputTokens, cachedRatio, mix } = description;
  const whole = mix.reduce((sum, { weight }) => sum + weight, 0);
  const lines: PlanLine[] = [];
  let left = SCALE;
  for (const [place, { model, weight, price }] of mix.entries()) {
    const requests = place === mix.length - 1 ? left : BigInt(Math.round((weight / whole) * Number(SCALE)));
    left -= requests;
    const read = BigInt(Math.round(inputTokens * cachedRatio));
    const tokens: Tokens = {
      ...NO_TOKENS,
      inputUncachedTokens: (BigInt(inputTokens) - read) * requests,
      cacheReadTokens: read * requests,
      outputTextTokens: BigInt(outputTokens) * requests,
    };
    const line = lineOn({ model, attempts: requests, tokens, prices: null, perRequestPicoUsd: 0n, otherPicoUsd: 0n }, model, price);
    if (line === null) return { unpriced: model };
    lines.push(line);
  }
  return { profile: { requests: SCALE, lines } };
}

/** The whole load on one model. @returns null when it has no price for something that is used */
export function profileOn({ requests, lines }: Profile, model: string, price: Price): Profile | null {
  const moved = lines.map((line) => lineOn(line, model, price));
  return moved.some((line) => line === null) ? null : { requests, lines: moved.filter((line) => line !== null) };
}

/** Tokens of all kinds per request, as an exact fraction. */
export function tokensPerRequest({ requests, lines }: Profile): Ratio {
  const all = lines.reduce((sum, { tokens }) => sum + CLASSES.reduce((each, name) => each + tokens[name], 0n), 0n);
  return requests === 0n ? ZERO : ratio(all, requests);
}
