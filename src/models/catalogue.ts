import { parseDay } from '../kernel/config/day.ts';
import { secretEnvironmentName } from '../kernel/config/secret.ts';
import { contentHash } from '../kernel/ids.ts';
import { picoUsdFromDecimal, picoUsdPerToken } from '../kernel/money.ts';
import { nearest } from '../kernel/suggest.ts';
import type { ModelConfig, ModelsConfig, PriceConfig, PricesConfig, ProviderConfig, ProvidersConfig, SimDialect } from './config.ts';
import type { ModelLifecycle } from './lifecycle.ts';
import type { Price, TokenPrices } from './price.ts';
import type { PriceBook } from './price-book.ts';

type SecretReference = { readonly env: string } | { readonly literal: string };

export interface CatalogueProvider {
  readonly name: string;
  readonly kind: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly apiKey: SecretReference | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, SecretReference>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ProviderConfig['timeouts'];
  readonly maxConnections: number;
  readonly dialect: SimDialect;
  readonly isSimulated: boolean;
}

export interface CatalogueModel {
  readonly name: string;
  readonly provider: string;
  readonly upstreamModel: string;
  /** Longest input and output together; null = not known. */
  readonly contextTokens: number | null;
  /** Null = unpriced. */
  readonly price: Price | null;
  /** Where it runs; null = not declared. */
  readonly region: string | null;
  readonly isSelfHosted: boolean;
  /** Longest answer; absent = not known. */
  readonly maxOutputTokens?: number;
  readonly lifecycle: ModelLifecycle;
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

/** What the catalogue asks of the provider adapters, which stand in a later room. */
export interface ProviderKinds {
  /** Base URL without a trailing slash; null for a kind that is unknown, or that has no address and was given none. */
  baseUrlOf(provider: ProviderConfig): string | null;
  /** Whose list prices the models of a kind: a provider id of the price book; null = only the address may tell. */
  priceListOf(kind: string): string | null;
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
  const piece = (usd: number | undefined, pieces: bigint) =>
    usd === undefined ? undefined : (picoUsdFromDecimal(`${usd}`) / pieces).toString();
  const units = Object.entries({
    characters: piece(config.perMillionCharactersUsd, 1_000_000n),
    seconds: piece(config.perSecondUsd, 1n),
    images: piece(config.perImageUsd, 1n),
    searches: piece(config.perThousandSearchesUsd, 1_000n),
  }).filter((entry) => entry[1] !== undefined);
  const perUnit = units.length === 0 ? {} : { perUnit: Object.fromEntries(units) };
  const tiers = Object.entries(config.serviceTiers ?? {}).map(([name, tier]) => {
    const input = picoUsdPerToken(tier.inputPerMillionUsd).toString();
    const cacheReadTokens = text(tier.cacheReadPerMillionUsd) ?? input;
    const ofTier = { inputUncachedTokens: input, cacheReadTokens, outputTextTokens: picoUsdPerToken(tier.outputPerMillionUsd).toString() };
    return [name, { perToken: ofTier, tiers: [] }] as const;
  });
  const serviceTiers = tiers.length === 0 ? {} : { serviceTiers: Object.fromEntries(tiers) };
  const hash = contentHash(JSON.stringify([perToken, perRequest, ...units, ...tiers])).slice(0, 12);
  const set = Object.entries(perToken).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { priceId: `config:${alias}@${hash}`, perToken: Object.fromEntries(set), perRequest, ...perUnit, tiers: [], ...serviceTiers };
}

/**
 * Providers, models and prices of plimsoll.yaml as the snapshot needs them.
 * @param simBaseUrlOf where the simulated providers listen for a dialect (with the version path), null while that is unknown
 * @param atMs epoch milliseconds; prices are those of this moment
 */
export function resolveCatalogue(
  config: { readonly providers: ProvidersConfig; readonly models: ModelsConfig; readonly prices: PricesConfig },
  book: PriceBook,
  kinds: ProviderKinds,
  atMs: number,
  simBaseUrlOf: (dialect: SimDialect) => string | null,
): Catalogue {
  const issues: CatalogueIssue[] = [];
  const providers: CatalogueProvider[] = [];
  for (const [name, provider] of Object.entries(config.providers)) {
    const { kind, headers, timeouts, maxConnections, settings } = provider;
    const isSimulated = kind === 'sim';
    const baseUrl = isSimulated
      ? (provider.baseUrl?.replace(/\/+$/, '') ?? simBaseUrlOf(provider.dialect ?? 'openai'))
      : kinds.baseUrlOf(provider);
    if (baseUrl === null) {
      const message = isSimulated
        ? 'the simulated provider has no address: start the sim process or set baseUrl'
        : `the kind "${kind}" is unknown or has no address of its own: set baseUrl`;
      issues.push({ path: ['providers', name], message });
      continue;
    }
    const dialect = kind === 'anthropic' ? 'anthropic' : (provider.dialect ?? 'openai');
    const apiKey = provider.apiKey === undefined ? null : secretReference(provider.apiKey);
    const secrets = Object.fromEntries(Object.entries(provider.secrets).map(([key, text]) => [key, secretReference(text)]));
    providers.push({ name, kind, baseUrl, apiKey, settings, secrets, headers, timeouts, maxConnections, dialect, isSimulated });
  }
  const models: CatalogueModel[] = [];
  let nextPriceChangeMs: number | null = null;
  for (const [name, entry] of Object.entries(config.models)) {
    const { provider, model, region, selfHosted, maxOutputTokens, contextTokens, successor } = entry;
    const target = Object.hasOwn(config.providers, provider) ? config.providers[provider] : undefined;
    if (target === undefined) {
      issues.push({ path: ['models', name, 'provider'], message: unknownName('provider', provider, Object.keys(config.providers)) });
      continue;
    }
    const own = Object.hasOwn(config.prices, name) ? config.prices[name] : undefined;
    const { baseUrl } = target;
    const runsIn = region ?? target.region ?? null;
    const list = kinds.priceListOf(target.kind) ?? target.kind;
    models.push({
      name,
      provider,
      upstreamModel: model,
      contextTokens: contextTokens ?? book.contextTokens(list, model, atMs, baseUrl),
      price: own === undefined ? book.find(list, model, atMs, baseUrl, runsIn) : priceFromConfig(name, own),
      region: runsIn,
      isSelfHosted: selfHosted ?? target.selfHosted,
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      lifecycle: lifecycleOf(entry, book.isDeprecated(list, model, atMs, baseUrl)),
    });
    if (successor !== undefined && !Object.hasOwn(config.models, successor))
      issues.push({ path: ['models', name, 'successor'], message: unknownName('model', successor, Object.keys(config.models)) });
    if (successor === name) issues.push({ path: ['models', name, 'successor'], message: 'a model cannot take its own place' });
    const change = own === undefined ? book.nextChangeMs(list, model, atMs, baseUrl) : null;
    if (change !== null) nextPriceChangeMs = Math.min(nextPriceChangeMs ?? change, change);
  }
  for (const name of Object.keys(config.prices))
    if (!Object.hasOwn(config.models, name))
      issues.push({ path: ['prices', name], message: unknownName('model', name, Object.keys(config.models)) });
  return { providers, models, issues, nextPriceChangeMs };
}

function lifecycleOf({ deprecatedAt, retiresAt, successor }: ModelConfig, isDeprecatedByBook: boolean): ModelLifecycle {
  return {
    isDeprecated: isDeprecatedByBook || deprecatedAt !== undefined,
    deprecatedAtMs: deprecatedAt === undefined ? null : parseDay(deprecatedAt),
    retiresAtMs: retiresAt === undefined ? null : parseDay(retiresAt),
    successor: successor ?? null,
  };
}

/** `${NAME}` → the name; anything else is the value itself (allowed only where it is no secret). */
export function secretReference(text: string): SecretReference {
  const env = secretEnvironmentName(text);
  return env === null ? { literal: text } : { env };
}

function unknownName(noun: string, name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return `no ${noun} is named "${name}"; ${close ? `did you mean "${close}"?` : `known: ${known.join(', ') || 'none'}`}`;
}
