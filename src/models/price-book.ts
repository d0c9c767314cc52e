import { readFileSync } from 'node:fs';
import { contentHash } from '../kernel/ids.ts';
import type { Price } from './price.ts';
import type { BookModel, BookProvider, BookRow, PriceBookFile } from './prices/book-file.ts';
import { nextChangeAfter, rowAt } from './prices/book-row.ts';
import { findModel } from './prices/model-match.ts';

/** What models charge. A model that the book does not know is null, never a price of 0. */
export interface PriceBook {
  /**
   * @param providerKind a provider id of the book (`openai`, `google`, `groq`); any other word has no list of its own
   * @param modelId id as sent to the provider, e.g. `claude-3-5-sonnet-20241022`
   * @param atMs epoch milliseconds at which the price must hold
   * @param baseUrl where the provider is reached; an address that the book knows (api.groq.com) decides before the kind does
   * @param region where the model runs, for rows that hold in one region only
   */
  find(providerKind: string, modelId: string, atMs: number, baseUrl?: string, region?: string | null): Price | null;
  /** Longest input and output together of a model, tokens; null = not known. */
  contextTokens(providerKind: string, modelId: string, atMs: number, baseUrl?: string): number | null;
  /** Epoch milliseconds of the next moment after `atMs` at which `find` may answer differently; null = no dated change is known. */
  nextChangeMs(providerKind: string, modelId: string, atMs: number, baseUrl?: string): number | null;
  /** True when the book says that the provider has deprecated the model. It gives no dates, and knows few: false is no promise. */
  isDeprecated(providerKind: string, modelId: string, atMs: number, baseUrl?: string): boolean;
}

/** `:2026-03-13` for a dated row, `:00:30:00Z` for a time of day, `@eu-west-1` for a region, nothing for the one that always held. */
function conditions({ validFrom, hours, region }: BookRow): string {
  return `${validFrom === undefined ? '' : `:${validFrom}`}${hours === undefined ? '' : `:${hours.from}`}${region === undefined ? '' : `@${region}`}`;
}

/** The id carries a hash of the amounts: it never changes its meaning, and a new book in which a price stays the same keeps its id. */
function toPrice(providerId: string, model: BookModel, row: BookRow): Price {
  const { perToken, tiers = [], perRequest = null, perUnit, serviceTiers } = row;
  const services = Object.entries(serviceTiers ?? {}).map(
    ([name, tier]) => [name, { perToken: tier.perToken, tiers: tier.tiers ?? [] }] as const,
  );
  const amounts = { perToken, perRequest, ...(perUnit === undefined ? {} : { perUnit }), tiers };
  const all = services.length === 0 ? amounts : { ...amounts, serviceTiers: Object.fromEntries(services) };
  const hash = contentHash(JSON.stringify(all)).slice(0, 12);
  return { priceId: `book@${hash}:${providerId}/${model.id}${conditions(row)}`, ...all };
}

/** A price book over a file of `npm run prices`. */
export function openPriceBook(file: PriceBookFile): PriceBook {
  const byId = new Map(file.providers.map((provider) => [provider.id, provider]));
  const addresses = file.providers.map((provider) => ({ provider, pattern: new RegExp(`^(?:${provider.addressPattern})`) }));

  /** Which provider's list applies: the address when the book knows it, else the kind. An unknown server that speaks OpenAI's dialect has no list. */
  function providerOf(providerKind: string, baseUrl: string | undefined): BookProvider | null {
    if (providerKind === 'sim') return null;
    const byUrl = baseUrl === undefined ? undefined : addresses.find(({ pattern }) => pattern.test(baseUrl))?.provider;
    return byUrl ?? byId.get(providerKind) ?? null;
  }

  function look(providerKind: string, modelId: string, baseUrl: string | undefined): { provider: BookProvider; model: BookModel } | null {
    const provider = providerOf(providerKind, baseUrl);
    const model = provider === null ? null : findModel(provider, modelId, byId);
    return provider === null || model === null ? null : { provider, model };
  }

  return {
    find(providerKind, modelId, atMs, baseUrl, region = null) {
      const found = look(providerKind, modelId, baseUrl);
      const row = found === null ? null : rowAt(found.model.rows, atMs, region);
      return found === null || row === null ? null : toPrice(found.provider.id, found.model, row);
    },
    contextTokens: (providerKind, modelId, _atMs, baseUrl) => look(providerKind, modelId, baseUrl)?.model.contextTokens ?? null,
    isDeprecated: (providerKind, modelId, _atMs, baseUrl) => look(providerKind, modelId, baseUrl)?.model.isDeprecated === true,
    nextChangeMs(providerKind, modelId, atMs, baseUrl) {
      const found = look(providerKind, modelId, baseUrl);
      return found === null ? null : nextChangeAfter(found.model.rows, atMs);
    },
  };
}

/** The book of this release. */
export function readShippedPriceBook(): PriceBook {
  const text = readFileSync(new URL('./prices/price-book.json', import.meta.url), 'utf8');
  // Our own file: a test holds it to the schema and to its sources.
  return openPriceBook(JSON.parse(text) as PriceBookFile);
}
