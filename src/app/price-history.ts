import type { Snapshot } from '../gateway/snapshot.ts';
import type { Scope } from '../kernel/scope.ts';
import { type Price, perTokenAt, priceAtServiceTier } from '../models/price.ts';
import type { PriceBook } from '../models/price-book.ts';
import { inputTokens } from '../models/usage.ts';
import type { ControlStore } from '../stores/sql/control-store.ts';
import type { Span, TraceDetail } from '../traces/model.ts';

const SETTING = (priceId: string): string => `price.${priceId}`;

/**
 * Every price that was ever in force here, by its id. Calls keep the id only; an id never changes its meaning, so the break-down of an old
 * call can be shown with the prices of its day.
 */
export class PriceHistory {
  readonly #store: ControlStore;
  readonly #scope: Scope;
  readonly #book: PriceBook;
  readonly #known = new Map<string, Price | null>();

  constructor(store: ControlStore, scope: Scope, book: PriceBook) {
    this.#store = store;
    this.#scope = scope;
    this.#book = book;
  }

  async remember(snapshot: Snapshot): Promise<void> {
    for (const { price } of snapshot.models) if (price !== null) await this.rememberPrice(price);
  }

  async rememberPrice(price: Price): Promise<void> {
    if (this.#known.get(price.priceId)) return;
    await this.#store.settings.putIfAbsent(this.#scope, SETTING(price.priceId), price);
    this.#known.set(price.priceId, price);
  }

  async find(priceId: string): Promise<Price | null> {
    const known = this.#known.get(priceId);
    if (known !== undefined) return known;
    const stored = (await this.#store.settings.get(this.#scope, SETTING(priceId))) as Price | null;
    const price = stored ?? (await this.#ofServiceTier(priceId));
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.set(priceId, price);
    return price;
  }

  /** `price#tier`: what is noted is the price, with its tiers. */
  async #ofServiceTier(priceId: string): Promise<Price | null> {
    const at = priceId.lastIndexOf('#');
    const price = at < 0 ? null : await this.find(priceId.slice(0, at));
    return price === null ? null : priceAtServiceTier(price, priceId.slice(at + 1));
  }

  #fromBook(priceId: string, { provider, responseModel, requestModel, startedAtNs }: Span): Price | null {
    const atMs = Number(BigInt(startedAtNs) / 1_000_000n);
    const prices = [responseModel, requestModel].map((model) => (model === null ? null : this.#book.find(provider ?? '', model, atMs)));
    const at = priceId.lastIndexOf('#');
    const ofTier = at < 0 ? [] : prices.map((price) => (price === null ? null : priceAtServiceTier(price, priceId.slice(at + 1))));
    return [...prices, ...ofTier].find((price) => price?.priceId === priceId) ?? null;
  }

  /** The trace with `plimsoll.price.per_token` (pico-dollars per token by class) on every span whose price is known. */
  async explain(detail: TraceDetail): Promise<TraceDetail> {
    const spans = await Promise.all(
      detail.spans.map(async (span) => {
        if (span.priceId === null || span.usage === null) return span;
        // A client's call has its price from the book; nobody noted it here.
        const price = (await this.find(span.priceId)) ?? this.#fromBook(span.priceId, span);
        if (price === null) return span;
        return { ...span, attributes: { ...span.attributes, 'plimsoll.price.per_token': perTokenAt(price, inputTokens(span.usage)) } };
      }),
    );
    return { ...detail, spans };
  }
}
