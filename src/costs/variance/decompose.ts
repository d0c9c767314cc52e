import { plus, type Ratio, ratio, round, times, ZERO } from './ratio.ts';

/** Kinds of tokens, and two more: cost whose price per kind is not known (`blended`, by all tokens), and cost that is not by the token (`other`). */
export const COST_CLASSES = [
  'inputUncachedTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'audioInputTokens',
  'outputTextTokens',
  'reasoningTokens',
  'audioOutputTokens',
  'blended',
  'other',
] as const;
export type CostClass = (typeof COST_CLASSES)[number];

/** What a prompt cache moves tokens between. */
const CACHE_CLASSES: ReadonlySet<CostClass> = new Set([
  'inputUncachedTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
]);

export interface ClassAmount {
  /** Tokens; of `other`: attempts. */
  readonly quantity: bigint;
  readonly costPicoUsd: bigint;
}

/** What one segment (a model for a feature, a team and a key) used in one period. */
export interface SegmentUse {
  readonly attempts: bigint;
  readonly amounts: Readonly<Partial<Record<CostClass, ClassAmount>>>;
  /** Pico-dollars a token, for classes that may not have been used. */
  readonly listPrices: Readonly<Partial<Record<CostClass, bigint>>>;
}

export interface Segment<Key> {
  readonly key: Key;
  /** Attempts that failed and were paid all the same: more of them per call is `retries`, not `mix`. */
  readonly isFailed?: boolean;
  /** Null = not used in that period. */
  readonly before: SegmentUse | null;
  readonly after: SegmentUse | null;
}

export interface PeriodCalls {
  /** All calls, answered from the cache or not. */
  readonly calls: bigint;
  /** Calls that the answer cache answered. */
  readonly cached: bigint;
}

/** Pico-dollars; the seven add up to the difference. */
export interface Effects {
  /** More or fewer calls, all else as before. */
  readonly volume: bigint;
  /** A larger or smaller share of calls that the answer cache answered. */
  readonly answerCache: bigint;
  /** Other features, keys or models, more or fewer attempts per call; all of a segment that is new or gone. */
  readonly mix: bigint;
  /** More or fewer attempts that failed and cost money. */
  readonly retries: bigint;
  /** Longer or shorter questions and answers. */
  readonly tokensPerCall: bigint;
  /** Another share of input that was read from or written to the provider's prompt cache. */
  readonly promptCache: bigint;
  /** Another price for the same. */
  readonly price: bigint;
}

export const EFFECT_NAMES = [
  'volume',
  'answerCache',
  'mix',
  'retries',
  'tokensPerCall',
  'promptCache',
  'price',
] as const satisfies readonly (keyof Effects)[];

export interface SegmentVariance<Key> {
  readonly key: Key;
  readonly beforePicoUsd: bigint;
  readonly afterPicoUsd: bigint;
  readonly effects: Effects;
}

export function costOf(use: SegmentUse | null): bigint {
  if (use === null) return 0n;
  return COST_CLASSES.reduce((sum, name) => sum + (use.amounts[name]?.costPicoUsd ?? 0n), 0n);
}

function quantity(use: SegmentUse, name: CostClass): bigint {
  return use.amounts[name]?.quantity ?? 0n;
}

/** What a piece of a class cost: the average of what was paid, else the list price; null = unknown. */
function unitPrice(use: SegmentUse, name: CostClass): Ratio | null {
  const amount = use.amounts[name];
  if (amount !== undefined && amount.quantity !== 0n) return ratio(amount.costPicoUsd, amount.quantity);
  const list = use.listPrices[name];
  return list === undefined ? null : ratio(list);
}

/** Sum over classes of the later quantities at the earlier prices; a class without an earlier price is taken at its later one: that is no change of price. */
function atEarlierPrices(before: SegmentUse, after: SegmentUse, quantities: (name: CostClass) => Ratio): Ratio {
  let sum = ZERO;
  for (const name of COST_CLASSES) {
    const price = unitPrice(before, name) ?? unitPrice(after, name);
    if (price !== null) sum = plus(sum, times(quantities(name), price));
  }
  return sum;
}

/**
 * The way from the cost before to the cost after, one cause at a time, each step an amount of money. The differences of the steps are the effects;
 * every step is rounded to a pico-dollar, so that they add up to the difference whatever the rounding.
 */
function steps(before: SegmentUse | null, after: SegmentUse | null, was: PeriodCalls, is: PeriodCalls): bigint[] {
  const first = costOf(before);
  const last = costOf(after);
  // Without calls before, everything is volume; without calls after, too.
  const afterVolume = was.calls === 0n ? last : round(ratio(first * is.calls, was.calls));
  if (was.calls === 0n || is.calls === 0n) return [first, afterVolume, afterVolume, afterVolume, afterVolume, afterVolume, last];
  const asked = was.calls - was.cached;
  const afterCache = asked === 0n ? afterVolume : round(ratio(first * (is.calls - is.cached), asked));
  if (before === null || before.attempts === 0n || after === null || after.attempts === 0n)
    return [first, afterVolume, afterCache, last, last, last, last];
  const afterMix = round(ratio(first * after.attempts, before.attempts));
  const inputBefore = sumOf(before, CACHE_CLASSES);
  const inputAfter = sumOf(after, CACHE_CLASSES);
  const tokens = atEarlierPrices(before, after, (name) =>
    CACHE_CLASSES.has(name) && inputBefore > 0n ? ratio(quantity(before, name) * inputAfter, inputBefore) : ratio(quantity(after, name)),
  );
  const cache = atEarlierPrices(before, after, (name) => ratio(quantity(after, name)));
  return [first, afterVolume, afterCache, afterMix, round(tokens), round(cache), last];
}

function sumOf(use: SegmentUse, names: ReadonlySet<CostClass>): bigint {
  let sum = 0n;
  for (const name of names) sum += quantity(use, name);
  return sum;
}

/**
 * Why a cost changed between two periods, by segment. For each segment, and so for every sum of segments, the effects add up exactly to
 * after − before.
 */
export function decompose<Key>(segments: readonly Segment<Key>[], was: PeriodCalls, is: PeriodCalls): SegmentVariance<Key>[] {
  return segments.map(({ key, isFailed = false, before, after }) => {
    const way = steps(before, after, was, is);
    const step = (place: number): bigint => (way[place + 1] ?? 0n) - (way[place] ?? 0n);
    const [mix, retries] = isFailed ? [0n, step(2)] : [step(2), 0n];
    return {
      key,
      beforePicoUsd: costOf(before),
      afterPicoUsd: costOf(after),
      effects: { volume: step(0), answerCache: step(1), mix, retries, tokensPerCall: step(3), promptCache: step(4), price: step(5) },
    };
  });
}

export const NO_EFFECTS: Effects = { volume: 0n, answerCache: 0n, mix: 0n, retries: 0n, tokensPerCall: 0n, promptCache: 0n, price: 0n };

export function addEffects(a: Effects, b: Effects): Effects {
  return {
    volume: a.volume + b.volume,
    answerCache: a.answerCache + b.answerCache,
    mix: a.mix + b.mix,
    retries: a.retries + b.retries,
    tokensPerCall: a.tokensPerCall + b.tokensPerCall,
    promptCache: a.promptCache + b.promptCache,
    price: a.price + b.price,
  };
}
