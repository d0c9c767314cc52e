import { calcPrice, findProvider, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices';
import { type PicoUsd, picoUsdFromDecimal } from '../kernel/money.ts';
import type { UnitPrices } from './metered-units.ts';
import type { Price, TokenPrices } from './price.ts';
import type { UsageClass } from './usage.ts';

/** Version of the price data; part of every price id. A test holds it to the version in package.json. */
export const GENAI_PRICES_VERSION = '0.1.8';

/** What models charge. A model that the book does not know is null, never a price of 0. */
export interface PriceBook {
  /**
   * @param providerKind a provider id of the book (`openai`, `google`, `groq`); any other word has no list of its own
   * @param modelId id as sent to the provider, e.g. `claude-3-5-sonnet-20241022`
   * @param atMs epoch milliseconds at which the price must hold
   * @param baseUrl where the provider is reached; an address that the book knows (api.groq.com) decides before the kind does
   */
  find(providerKind: string, modelId: string, atMs: number, baseUrl?: string): Price | null;
  /** Longest input and output together of a model, tokens; null = not known. */
  contextTokens(providerKind: string, modelId: string, atMs: number, baseUrl?: string): number | null;
  /** Epoch milliseconds of the next moment after `atMs` at which `find` may answer differently; null = no dated change is known. */
  nextChangeMs(providerKind: string, modelId: string, atMs: number, baseUrl?: string): number | null;
  /** True when the book says that the provider has deprecated the model. It gives no dates, and knows few: false is no promise. */
  isDeprecated(providerKind: string, modelId: string, atMs: number, baseUrl?: string): boolean;
}

/** Names in the price data of the tokens that we count. */
const PRICE_KEYS: Readonly<Record<UsageClass, string>> = {
  inputUncachedTokens: 'input_mtok',
  cacheReadTokens: 'cache_read_mtok',
  cacheWrite5mTokens: 'cache_write_mtok',
  cacheWrite1hTokens: 'cache_write_1h_mtok',
  audioInputTokens: 'input_audio_mtok',
  outputTextTokens: 'output_mtok',
  reasoningTokens: 'output_reasoning_mtok',
  audioOutputTokens: 'output_audio_mtok',
};
const CLASSES = Object.keys(PRICE_KEYS) as UsageClass[];

const DAY_MS = 86_400_000;

/**
 * Pico-dollars per token from dollars per million tokens. Takes the decimal text of the number; digits below a pico-dollar per token
 * (seven rows carry binary noise or a third of a cent) are rounded half up, everything else is exact.
 */
function picoPerTokenText(usdPerMillion: number): string {
  return (picoUsdFromDecimal(usdPerMillion.toFixed(6)) / 1_000_000n).toString();
}

function picoPerRequest(usdPerThousand: number): PicoUsd {
  return picoUsdFromDecimal(usdPerThousand.toFixed(9)) / 1000n;
}

/** Price of a key in the tier that begins at `reachedStart` input tokens (-1 = none); tiers are per key in the data, per call in ours. */
function amountAt(value: ModelPrice[string], reachedStart: number): number | null {
  if (value === undefined) return null;
  if (typeof value === 'number') return value;
  let amount = value.base;
  for (const tier of [...value.tiers].sort((a, b) => a.start - b.start)) if (reachedStart >= tier.start) amount = tier.price;
  return amount;
}

/**
 * Fallbacks: a cache read without a price of its own costs as much as plain input (what genai-prices does; the provider gives no discount).
 * Cache writes and audio without a price stay unpriced, where genai-prices would take the input price: they cost more than plain input wherever
 * they are charged, so that guess would be too low.
 */
function tokenPrices(prices: ModelPrice, reachedStart: number): TokenPrices {
  const perToken: Partial<Record<UsageClass, string>> = {};
  for (const name of CLASSES) {
    const amount = amountAt(prices[PRICE_KEYS[name]], reachedStart);
    if (amount !== null) perToken[name] = picoPerTokenText(amount);
  }
  if (perToken.cacheReadTokens === undefined && perToken.inputUncachedTokens !== undefined)
    perToken.cacheReadTokens = perToken.inputUncachedTokens;
  return perToken;
}

/** Audio by the hour and image tokens; searches of a chat model and pages are not counted and not priced. */
function unitPrices(prices: ModelPrice): UnitPrices {
  const hour = amountAt(prices.audio_hours ?? prices.input_audio_hours, 0);
  const image = amountAt(prices.input_image_mtok, -1);
  return {
    // Half up to a pico-dollar: an hour has 3 600 seconds.
    ...(hour === null ? {} : { seconds: ((picoUsdFromDecimal(hour.toFixed(12)) + 1800n) / 3600n).toString() }),
    ...(image === null ? {} : { inputImageTokens: picoPerTokenText(image) }),
  };
}

function toPrice(priceId: string, prices: ModelPrice): Price | null {
  const starts = new Set<number>();
  for (const name of CLASSES) {
    const value = prices[PRICE_KEYS[name]];
    if (typeof value === 'object') for (const tier of value.tiers) starts.add(tier.start);
  }
  const perToken = tokenPrices(prices, -1);
  const perUnit = unitPrices(prices);
  const isByPiece = Object.keys(perUnit).length > 0;
  if (Object.keys(perToken).length === 0 && !isByPiece) return null;
  const requests = amountAt(prices.requests_kcount, 0);
  return {
    priceId,
    perToken,
    perRequest: requests === null ? null : picoPerRequest(requests).toString(),
    ...(isByPiece ? { perUnit } : {}),
    tiers: [...starts].sort((a, b) => a - b).map((start) => ({ aboveInputTokens: start, perToken: tokenPrices(prices, start) })),
  };
}

interface Found {
  readonly providerId: string;
  readonly model: ModelInfo;
  readonly prices: ModelPrice;
}

/** Which provider's list applies: the address when the book knows it, else the kind. An unknown server that speaks OpenAI's dialect has no list. */
function providerIdOf(providerKind: string, baseUrl: string | undefined): string | null {
  if (providerKind === 'sim') return null;
  const byUrl = baseUrl === undefined ? undefined : findProvider({ providerApiUrl: baseUrl });
  if (byUrl !== undefined) return byUrl.id;
  return findProvider({ providerId: providerKind })?.id === providerKind ? providerKind : null;
}

function look(providerKind: string, modelId: string, atMs: number, baseUrl: string | undefined): Found | null {
  const providerId = providerIdOf(providerKind, baseUrl);
  if (providerId === null) return null;
  const found = calcPrice({}, modelId, { providerId, timestamp: new Date(atMs) });
  return found === null ? null : { providerId: found.provider.id, model: found.model, prices: found.model_price };
}

/** `:2026-03-13` for a dated row, `:00:30:00Z` for a time of day, nothing for the undated one. */
function constraintSuffix({ model, prices }: Found): string {
  if (!Array.isArray(model.prices)) return '';
  const constraint = model.prices.find((row) => row.prices === prices)?.constraint;
  if (constraint === undefined) return '';
  return `:${constraint.type === 'start_date' ? constraint.start_date : constraint.start_time}`;
}

/** Midnight UTC of `atMs` plus a time of day such as `16:30:00Z` or `08:00:00+02:00`, moved to the first such moment after `atMs`. */
function nextTimeOfDayMs(time: string, atMs: number): number {
  const onDay = Date.parse(`${new Date(atMs).toISOString().slice(0, 10)}T${time}`);
  return onDay - DAY_MS > atMs ? onDay - DAY_MS : onDay > atMs ? onDay : onDay + DAY_MS;
}

/** The price book over `@pydantic/genai-prices` (MIT): dated prices, tiers and its rules of which model id means which model. */
export const genaiPriceBook: PriceBook = {
  find(providerKind, modelId, atMs, baseUrl) {
    const found = look(providerKind, modelId, atMs, baseUrl);
    if (found === null) return null;
    const id = `genai-prices@${GENAI_PRICES_VERSION}:${found.providerId}/${found.model.id}${constraintSuffix(found)}`;
    return toPrice(id, found.prices);
  },
  contextTokens(providerKind, modelId, atMs, baseUrl) {
    return look(providerKind, modelId, atMs, baseUrl)?.model.context_window ?? null;
  },
  isDeprecated(providerKind, modelId, atMs, baseUrl) {
    return look(providerKind, modelId, atMs, baseUrl)?.model.deprecated === true;
  },
  nextChangeMs(providerKind, modelId, atMs, baseUrl) {
    const rows = look(providerKind, modelId, atMs, baseUrl)?.model.prices;
    if (!Array.isArray(rows)) return null;
    const moments = rows.flatMap(({ constraint }) => {
      if (constraint === undefined) return [];
      if (constraint.type === 'start_date') return [Date.parse(`${constraint.start_date}T00:00:00Z`)];
      return [nextTimeOfDayMs(constraint.start_time, atMs), nextTimeOfDayMs(constraint.end_time, atMs)];
    });
    return moments.filter((moment) => moment > atMs).reduce<number | null>((least, moment) => Math.min(least ?? moment, moment), null);
  },
};
