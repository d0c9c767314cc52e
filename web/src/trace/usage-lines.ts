import type { Span, Usage, UsageClass } from '../api/schema.ts';
import { multiplyPico } from '../format/money.ts';

export const USAGE_LABELS: Readonly<Record<UsageClass, string>> = {
  inputUncachedTokens: 'Input',
  cacheReadTokens: 'Input, read from cache',
  cacheWrite5mTokens: 'Input, written to cache (5 min)',
  cacheWrite1hTokens: 'Input, written to cache (1 h)',
  audioInputTokens: 'Audio input',
  outputTextTokens: 'Output text',
  reasoningTokens: 'Reasoning',
  audioOutputTokens: 'Audio output',
};
const CLASSES = Object.keys(USAGE_LABELS) as readonly UsageClass[]; // keys of a closed literal
const INPUT_CLASSES = 5;

/** Attribute with the price of each token class, pico-dollars per token as decimal integers. */
export const PRICE_ATTRIBUTE = 'plimsoll.price.per_token';

export interface UsageLine {
  readonly usageClass: UsageClass;
  readonly label: string;
  readonly tokens: number;
  /** Pico-dollars per token; null when the span does not carry its prices. */
  readonly picoUsdPerToken: string | null;
  readonly costPicoUsd: string | null;
}

/** The token classes of a span that were used, with price and cost where the span carries its prices. */
export function usageLines(span: Pick<Span, 'usage' | 'attributes'>): readonly UsageLine[] {
  const { usage } = span;
  if (usage === null) return [];
  const prices = pricesOf(span.attributes);
  return CLASSES.filter((usageClass) => usage[usageClass] > 0).map((usageClass) => {
    const picoUsdPerToken = prices.get(usageClass) ?? null;
    return {
      usageClass,
      label: USAGE_LABELS[usageClass],
      tokens: usage[usageClass],
      picoUsdPerToken,
      costPicoUsd: picoUsdPerToken === null ? null : multiplyPico(usage[usageClass], picoUsdPerToken),
    };
  });
}

function pricesOf(attributes: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const given = attributes[PRICE_ATTRIBUTE];
  if (typeof given !== 'object' || given === null) return new Map();
  return new Map(
    Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && /^\d+$/.test(entry[1])),
  );
}

export function totalTokens(usage: Usage): { readonly input: number; readonly output: number } {
  const sum = (classes: readonly UsageClass[]): number => classes.reduce((total, usageClass) => total + usage[usageClass], 0);
  return { input: sum(CLASSES.slice(0, INPUT_CLASSES)), output: sum(CLASSES.slice(INPUT_CLASSES)) };
}

/** Price of a token as it is usually quoted: per million. */
export function perMillion(picoUsdPerToken: string): string {
  return `${picoUsdPerToken}000000`;
}
