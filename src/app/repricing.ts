import type { PriceAttempt } from '../costs/repricing/reprice-call.ts';
import { type RepricingProgress, runRepricing } from '../costs/repricing/run.ts';
import { createRepricingService, type RepricingService, type RepricingStore } from '../costs/repricing/service.ts';
import type { LedgerAttempt, LedgerCorrections } from '../costs/store.ts';
import { findAdapter } from '../gateway/adapter-for.ts';
import { providerKinds } from '../gateway/provider-kinds.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { JobContext, JobRunner } from '../kernel/jobs/runner.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { Scope } from '../kernel/scope.ts';
import { priceFromConfig } from '../models/catalogue.ts';
import type { Price } from '../models/price.ts';
import type { PriceBook } from '../models/price-book.ts';
import { type CompiledPrice, compilePrice } from '../models/price-usage.ts';
import type { ControlStores } from '../stores/sql/control-store.ts';
import type { Config } from './config.ts';

export const REPRICING_JOB = 'costs.reprice';

/** A batch that was begun must be ended: half of a correction is worse than none. What goes wrong shows in the history of jobs. */
const RETRY = { maxAttempts: 10_000, firstMs: 1_000, maxMs: 60_000 } as const;

const RUN = (id: string): string => `repricing.run.${id}`;
const LATEST = 'repricing.latest';

/** Runs as settings of the control store. */
export function repricingStore({ settings }: Pick<ControlStores, 'settings'>): RepricingStore {
  return {
    get: async (scope, id) => (await settings.get(scope, RUN(id))) as RepricingProgress | null, // written below
    put: (scope, progress) => settings.put(scope, RUN(progress.id), progress),
    latest: async (scope) => ((await settings.get(scope, LATEST)) as { id: string } | null)?.id ?? null,
    async begin(scope, progress) {
      await settings.put(scope, RUN(progress.id), progress);
      await settings.put(scope, LATEST, { id: progress.id });
    },
  };
}

interface HeldPrice {
  readonly price: CompiledPrice | null;
  /** In force from, and until another may be, epoch ms. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Prices of recorded attempts by the configuration and the book in force: a price of plimsoll.yaml whenever the call was, else the book's row of
 * the call's own day.
 * @param onPrice told of each price that is used, so that it can be explained later
 */
export function priceAttemptsBy(
  { providers, models, prices }: Pick<Config, 'providers' | 'models' | 'prices'>,
  book: PriceBook,
  onPrice: (price: Price) => void,
): PriceAttempt {
  const held = new Map<string, HeldPrice>();
  const own = new Map<string, CompiledPrice>();

  function compiled(price: Price): CompiledPrice {
    onPrice(price);
    return compilePrice(price);
  }

  function ownPrice(alias: string): CompiledPrice | null {
    const config = Object.hasOwn(prices, alias) ? prices[alias] : undefined;
    if (config === undefined) return null;
    const known = own.get(alias) ?? compiled(priceFromConfig(alias, config));
    own.set(alias, known);
    return known;
  }

  function bookPrice({ provider, model, requestModel }: LedgerAttempt, atMs: number): CompiledPrice | null {
    const key = JSON.stringify([provider, model, requestModel]);
    const known = held.get(key);
    if (known !== undefined && atMs >= known.fromMs && atMs < known.untilMs) return known.price;
    const target = providers[provider];
    if (target === undefined) return null;
    const list = providerKinds.priceListOf(target.kind) ?? target.kind;
    const region = (Object.hasOwn(models, model) ? models[model]?.region : undefined) ?? target.region ?? null;
    const found = book.find(list, requestModel, atMs, target.baseUrl, region);
    const price = found === null ? null : compiled(found);
    const untilMs = book.nextChangeMs(list, requestModel, atMs, target.baseUrl) ?? Number.POSITIVE_INFINITY;
    held.set(key, { price, fromMs: atMs, untilMs });
    return price;
  }

  function reportedCost({ provider, providerUsage }: LedgerAttempt): bigint | null {
    const adapter = findAdapter(providers[provider]?.kind ?? '');
    if (adapter === null || adapter.readCost === null || providerUsage === null) return null;
    return adapter.readCost(parseJsonText(providerUsage));
  }

  return (attempt, atMs) => {
    const price = ownPrice(attempt.model);
    if (price !== null) return { kind: 'price', price };
    if (!Object.hasOwn(providers, attempt.provider)) return { kind: 'unknown' };
    const reported = reportedCost(attempt);
    return reported === null ? { kind: 'price', price: bookPrice(attempt, atMs) } : { kind: 'reported', costPicoUsd: reported };
  };
}

export interface RepricingOptions {
  readonly store: ControlStores;
  readonly scope: Scope;
  readonly corrections: () => Promise<LedgerCorrections>;
  readonly config: () => Config;
  readonly book: PriceBook;
  readonly rememberPrice: (price: Price) => Promise<void>;
  readonly nowMs: () => number;
}

/** Repricing as a job: asked for over the API, done by whichever control holds the lease, taken up again where it was cut off. */
export class Repricing {
  readonly #options: RepricingOptions;
  #jobs: JobRunner | null = null;

  constructor(options: RepricingOptions) {
    this.#options = options;
  }

  use(jobs: JobRunner): void {
    this.#jobs = jobs;
  }

  service(stores: ControlStores): RepricingService {
    const { nowMs } = this.#options;
    return createRepricingService(
      repricingStore(stores),
      async (id) => {
        if (this.#jobs === null) throw new PlimsollError('not_ready', 'Control is starting; jobs are not taken yet');
        const timing = { kind: 'at', runAtMs: nowMs() } as const;
        await this.#jobs.schedule(
          { name: REPRICING_JOB, key: `${REPRICING_JOB}/${id}`, timing, payload: { id }, retry: RETRY },
          stores.jobs,
        );
      },
      nowMs,
    );
  }

  async run({ payload, signal }: JobContext): Promise<void> {
    const { store, scope, corrections, config, book, rememberPrice } = this.#options;
    const { id } = payload as { id: string }; // as scheduled above
    const runs = repricingStore(store);
    const progress = await runs.get(scope, id);
    if (progress === null || progress.state === 'done') return;
    const fresh: Price[] = [];
    const priceAttempt = priceAttemptsBy(config(), book, (price) => fresh.push(price));
    await runRepricing(scope, progress, {
      ledger: await corrections(),
      priceAttempt,
      signal,
      async save(next) {
        for (const price of fresh.splice(0)) await rememberPrice(price);
        await runs.put(scope, next);
      },
    });
  }
}
