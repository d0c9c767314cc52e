import type { ConditionalPrice, ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices';
import { picoUsdFromDecimal } from '../../kernel/money.ts';
import type { UnitPrices } from '../metered-units.ts';
import type { TokenPrices } from '../price.ts';
import type { UsageClass } from '../usage.ts';
import type { BookModel, BookProvider, BookRow } from './book-file.ts';

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

/** A number of the source that is no whole number of pico-dollars. */
export interface RoundedPrice {
  readonly model: string;
  readonly key: string;
  readonly sourceUsd: string;
  readonly pico: string;
}

/**
 * Pico-dollars a piece from the decimal text of a quote for many. Rounds half up and says so where the quote is finer than a pico-dollar.
 * @param usd shortest decimal of the number in the source, which is the text that its authors wrote
 */
function perPiece(usd: string, pieces: bigint, onRounded: (pico: string) => void): string {
  // 18 decimals more than any source has, so that nothing is lost before the division.
  const [mantissa, exponent = '0'] = usd.split('e');
  const scaled = picoUsdFromDecimal(`${mantissa}e${Number(exponent) + 18}`);
  const divisor = pieces * 10n ** 18n;
  const pico = ((scaled + divisor / 2n) / divisor).toString();
  if (scaled % divisor !== 0n) onRounded(pico);
  return pico;
}

/** Price of a key in the tier that begins at `start` input tokens (-1 = none); tiers are per key in the data, per call in ours. */
function amountAt(value: ModelPrice[string], start: number): number | null {
  if (value === undefined) return null;
  if (typeof value === 'number') return value;
  let amount = value.base;
  for (const tier of [...value.tiers].sort((a, b) => a.start - b.start)) if (start >= tier.start) amount = tier.price;
  return amount;
}

/**
 * A cache read without a price of its own costs as much as plain input: the provider lists no discount. Cache writes and audio without a price
 * stay unpriced, where genai-prices would take the input price: they cost more than plain input wherever they are charged.
 */
function tokenPrices(prices: ModelPrice, start: number, round: (key: string, usd: string, pieces: bigint) => string): TokenPrices {
  const perToken: Partial<Record<UsageClass, string>> = {};
  for (const name of CLASSES) {
    const amount = amountAt(prices[PRICE_KEYS[name]], start);
    if (amount !== null) perToken[name] = round(PRICE_KEYS[name], `${amount}`, 1_000_000n);
  }
  if (perToken.cacheReadTokens === undefined && perToken.inputUncachedTokens !== undefined)
    perToken.cacheReadTokens = perToken.inputUncachedTokens;
  return perToken;
}

/** Audio by the hour and image tokens; searches of a chat model, pages and video are not counted and not priced. */
function unitPrices(prices: ModelPrice, round: (key: string, usd: string, pieces: bigint) => string): UnitPrices {
  const hour = amountAt(prices.audio_hours ?? prices.input_audio_hours, 0);
  const image = amountAt(prices.input_image_mtok, -1);
  return {
    ...(hour === null ? {} : { seconds: round('audio_hours', `${hour}`, 3_600n) }),
    ...(image === null ? {} : { inputImageTokens: round('input_image_mtok', `${image}`, 1_000_000n) }),
  };
}

function toRow(source: string, model: string, prices: ModelPrice, rounded: RoundedPrice[]): BookRow | null {
  const round = (key: string, sourceUsd: string, pieces: bigint): string =>
    perPiece(sourceUsd, pieces, (pico) => rounded.push({ model, key, sourceUsd, pico }));
  const starts = new Set<number>();
  for (const name of CLASSES) {
    const value = prices[PRICE_KEYS[name]];
    if (typeof value === 'object') for (const tier of value.tiers) starts.add(tier.start);
  }
  const perToken = tokenPrices(prices, -1, round);
  const perUnit = unitPrices(prices, round);
  if (Object.keys(perToken).length === 0 && Object.keys(perUnit).length === 0) return null;
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({ aboveInputTokens: start, perToken: tokenPrices(prices, start, round) }));
  const requests = amountAt(prices.requests_kcount, 0);
  return {
    source,
    perToken,
    ...(tiers.length === 0 ? {} : { tiers }),
    ...(requests === null ? {} : { perRequest: round('requests_kcount', `${requests}`, 1_000n) }),
    ...(Object.keys(perUnit).length === 0 ? {} : { perUnit }),
  };
}

/** Dated rows as intervals: a row holds until the next dated one begins. */
function toRows(source: string, name: string, conditional: readonly ConditionalPrice[], rounded: RoundedPrice[]): BookRow[] {
  const dated = conditional.filter(({ constraint }) => constraint?.type !== 'time_of_date');
  return conditional.flatMap(({ constraint, prices }) => {
    const row = toRow(source, name, prices, rounded);
    if (row === null) return [];
    if (constraint?.type === 'time_of_date') return [{ ...row, hours: { from: constraint.start_time, to: constraint.end_time } }];
    const next = dated[dated.findIndex((each) => each.prices === prices) + 1]?.constraint;
    return [
      {
        ...row,
        ...(constraint === undefined ? {} : { validFrom: constraint.start_date }),
        ...(next?.type === 'start_date' ? { validTo: next.start_date } : {}),
      },
    ];
  });
}

function toModel(source: string, providerId: string, model: ModelInfo, rounded: RoundedPrice[]): BookModel {
  const conditional: readonly ConditionalPrice[] = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  return {
    id: model.id,
    match: model.match,
    ...(model.context_window === undefined ? {} : { contextTokens: model.context_window }),
    ...(model.deprecated === true ? { isDeprecated: true as const } : {}),
    // Empty where only things are priced that we do not count; the model stays, lest a later one of the list takes its ids.
    rows: toRows(source, `${providerId}/${model.id}`, conditional, rounded),
  };
}

/** The price data of genai-prices in our form. What it prices and we do not count (searches, pages, video) is left out. */
export function fromGenaiPrices(providers: readonly Provider[], source: string): { providers: BookProvider[]; rounded: RoundedPrice[] } {
  const rounded: RoundedPrice[] = [];
  return {
    providers: providers.map(({ id, api_pattern: addressPattern, fallback_model_providers: fallbackProviders, models }) => ({
      id,
      addressPattern,
      ...(fallbackProviders === undefined ? {} : { fallbackProviders }),
      models: models.map((model) => toModel(source, id, model, rounded)),
    })),
    rounded,
  };
}
