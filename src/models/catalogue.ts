import { secretEnvironmentName } from '../kernel/config/secret.ts';
import { contentHash } from '../kernel/ids.ts';
import { picoUsdFromDecimal, picoUsdPerToken } from '../kernel/money.ts';
import { nearest } from '../kernel/suggest.ts';
import type { ModelsConfig, PriceConfig, PricesConfig, ProviderConfig, ProviderKind, ProvidersConfig } from './config.ts';
import type { Price, TokenPrices } from './price.ts';
import type { PriceBook } from './price-book.ts';

export interface CatalogueProvider {
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly apiKey: { readonly env: string } | { readonly literal: string } | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ProviderConfig['timeouts'];
  readonly maxConnections: number;
  readonly dialect: 'openai' | 'anthropic';
  readonly isSimulated: boolean;
}

export interface CatalogueModel {
  readonly name: string;
  readonly provider: string;
  readonly upstreamModel: string;
  /** Null = unpriced. */
  readonly price: Price | null;
  /** Longest answer; absent = not known. */
  readonly maxOutputTokens?: number;
}

export interface CatalogueIssue {
  /** Where in plimsoll.yaml, from the top. */
  readonly path: readonly string[];
  readonly message: string;
}

export interface Catalogue {
  readonly providers: readonly CatalogueProvider[];
  readonly models: readonly CatalogueModel[];
  /** Findings across sections; the catalogue may be used only when this is empty. */
  readonly issues: readonly CatalogueIssue[];
  /** Epoch milliseconds of the next known change of a price in use, when the catalogue must be built again; null = none. */
  readonly nextPriceChangeMs: number | null;
}

const DEFAULT_BASE_URLS: Readonly<Record<'openai' | 'anthropic', string>> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
};

/**
 * Base URL as it is used: no trailing slash. Anthropic's SDKs name the bare host (`https://api.anthropic.com`): then `/v1` is added.
 * @param simBaseUrl where the simulated providers listen (with the version path), null while that is unknown
 */
export function resolveBaseUrl(provider: Pick<ProviderConfig, 'kind' | 'baseUrl'>, simBaseUrl: string | null): string | null {
  const text = provider.baseUrl;
  if (text === undefined) {
    if (provider.kind === 'sim') return simBaseUrl;
    return provider.kind === 'openai-compatible' ? null : DEFAULT_BASE_URLS[provider.kind];
  }
  const trimmed = text.replace(/\/+$/, '');
  return provider.kind === 'anthropic' && new URL(trimmed).pathname === '/' ? `${trimmed}/v1` : trimmed;
}

/** Price from plimsoll.yaml. The id carries a hash of the values, so that a changed price is another price. */
export function priceFromConfig(alias: string, config: PriceConfig): Price {
  const text = (usd: number | undefined) => (usd === undefined ? undefined : picoUsdPerToken(usd).toString());
  const perToken: Record<keyof TokenPrices, string | undefined> = {
    inputUncachedTokens: text(config.inputPerMillionUsd),
    cacheReadTokens: text(config.cacheReadPerMillionUsd ?? config.inputPerMillionUsd),
    cacheWrite5mTokens: text(config.cacheWrite5mPerMillionUsd),
    cacheWrite1hTokens: text(config.cacheWrite1hPerMillionUsd),
    audioInputTokens: text(config.audioInputPerMillionUsd),
    outputTextTokens: text(config.outputPerMillionUsd),
    reasoningTokens: text(config.reasoningPerMillionUsd),
    audioOutputTokens: text(config.audioOutputPerMillionUsd),
  };
  const perRequest = config.perRequestUsd === undefined ? null : picoUsdFromDecimal(`${config.perRequestUsd}`).toString();
  const hash = contentHash(JSON.stringify([perToken, perRequest])).slice(0, 12);
  const set = Object.entries(perToken).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { priceId: `config:${alias}@${hash}`, perToken: Object.fromEntries(set), perRequest, tiers: [] };
}

/**
 * Providers, models and prices of plimsoll.yaml as the snapshot needs them.
 * @param atMs epoch milliseconds; prices are those of this moment
 */
export function resolveCatalogue(
  config: { readonly providers: ProvidersConfig; readonly models: ModelsConfig; readonly prices: PricesConfig },
  book: PriceBook,
  atMs: number,
  simBaseUrl: string | null,
): Catalogue {
  const issues: CatalogueIssue[] = [];
  const providers: CatalogueProvider[] = [];
  for (const [name, provider] of Object.entries(config.providers)) {
    const baseUrl = resolveBaseUrl(provider, simBaseUrl);
    if (baseUrl === null) {
      issues.push({ path: ['providers', name], message: 'the simulated provider has no address: start the sim process or set baseUrl' });
      continue;
    }
    const { kind, headers, timeouts, maxConnections } = provider;
    const dialect = kind === 'anthropic' ? 'anthropic' : (provider.dialect ?? 'openai');
    const apiKey = secretReference(provider.apiKey);
    providers.push({ name, kind, baseUrl, apiKey, headers, timeouts, maxConnections, dialect, isSimulated: kind === 'sim' });
  }
  const models: CatalogueModel[] = [];
  let nextPriceChangeMs: number | null = null;
  for (const [name, { provider, model, maxOutputTokens }] of Object.entries(config.models)) {
    const target = Object.hasOwn(config.providers, provider) ? config.providers[provider] : undefined;
    if (target === undefined) {
      issues.push({ path: ['models', name, 'provider'], message: unknownName('provider', provider, Object.keys(config.providers)) });
      continue;
    }
    const own = Object.hasOwn(config.prices, name) ? config.prices[name] : undefined;
    const baseUrl = target.baseUrl;
    models.push({
      name,
      provider,
      upstreamModel: model,
      price: own === undefined ? book.find(target.kind, model, atMs, baseUrl) : priceFromConfig(name, own),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    });
    const change = own === undefined ? book.nextChangeMs(target.kind, model, atMs, baseUrl) : null;
    if (change !== null) nextPriceChangeMs = Math.min(nextPriceChangeMs ?? change, change);
  }
  for (const name of Object.keys(config.prices))
    if (!Object.hasOwn(config.models, name))
      issues.push({ path: ['prices', name], message: unknownName('model', name, Object.keys(config.models)) });
  return { providers, models, issues, nextPriceChangeMs };
}

function secretReference(text: string | undefined): CatalogueProvider['apiKey'] {
  if (text === undefined) return null;
  const env = secretEnvironmentName(text);
  return env === null ? { literal: text } : { env };
}

function unknownName(noun: string, name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return `no ${noun} is named "${name}"; ${close ? `did you mean "${close}"?` : `known: ${known.join(', ') || 'none'}`}`;
}
