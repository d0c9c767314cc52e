import { contentHash } from '../kernel/ids.ts';
import { picoUsdFromDecimal, picoUsdPerToken } from '../kernel/money.ts';
import type { PriceConfig } from '../models/config.ts';
import { NO_USAGE, type Usage, type UsageClass } from '../models/usage.ts';
import type { PlannedUsage } from './completion.ts';
import type { DeliveryEnd } from './delivery.ts';
import { type BilledUnits, NO_UNITS } from './wire.ts';

/** `failed` is never billed. */
export type BilledEnding = DeliveryEnd['ending'];
const ENDINGS: readonly BilledEnding[] = ['complete', 'client_left', 'cut', 'failed'];

/** One request as the provider books it. */
export interface Charge {
  readonly apiKey: string;
  readonly model: string;
  readonly ending: BilledEnding;
  readonly usage: Usage;
  readonly units: BilledUnits;
  /** Null = the model has no price. */
  readonly price: PriceConfig | null;
}

/** Sums over requests. */
export interface InvoiceSum {
  readonly requests: number;
  readonly usage: Usage;
  readonly units: BilledUnits;
  /** Pico-dollars as decimal text: the sum over the requests that have a price. */
  readonly costPicoUsd: string;
  /** Requests that are billed and have no price, or a token class without one (count). */
  readonly unpricedRequests: number;
}

export interface InvoiceLine extends InvoiceSum {
  /** `none`, or the beginning of the key's sha-256: an invoice holds no keys. */
  readonly key: string;
  readonly model: string;
  readonly byEnding: Readonly<Record<BilledEnding, InvoiceSum>>;
}

export interface Invoice {
  readonly object: 'sim.invoice';
  /** Epoch milliseconds of the start or the last reset. */
  readonly sinceMs: number;
  readonly lines: readonly InvoiceLine[];
  readonly total: InvoiceSum;
}

/** How a key is named on an invoice. */
export function invoiceKey(apiKey: string): string {
  return apiKey === '' ? 'none' : `sha256:${contentHash(apiKey).slice(0, 12)}`;
}

/**
 * Token classes of an answer of which so many output tokens were generated. Reasoning comes before text.
 * @param generatedTokens 0 ≤ count ≤ `planned.outputTokens`
 */
export function usageSoFar(planned: PlannedUsage, generatedTokens: number): Usage {
  const reasoningTokens = Math.min(planned.reasoningTokens, generatedTokens);
  return {
    ...NO_USAGE,
    inputUncachedTokens: planned.uncachedInputTokens,
    cacheReadTokens: planned.cacheReadTokens,
    cacheWrite5mTokens: planned.cacheWrite5mTokens,
    cacheWrite1hTokens: planned.cacheWrite1hTokens,
    outputTextTokens: Math.min(generatedTokens, planned.outputTokens) - reasoningTokens,
    reasoningTokens,
  };
}

// The keys of NO_USAGE are the classes of Usage.
const CLASSES = Object.keys(NO_USAGE) as readonly UsageClass[];

function usdPerMillion(price: PriceConfig, name: UsageClass): number | undefined {
  switch (name) {
    case 'inputUncachedTokens':
      return price.inputPerMillionUsd;
    case 'cacheReadTokens':
      return price.cacheReadPerMillionUsd ?? price.inputPerMillionUsd;
    case 'cacheWrite5mTokens':
      return price.cacheWrite5mPerMillionUsd;
    case 'cacheWrite1hTokens':
      return price.cacheWrite1hPerMillionUsd;
    case 'audioInputTokens':
      return price.audioInputPerMillionUsd;
    case 'outputTextTokens':
      return price.outputPerMillionUsd;
    case 'reasoningTokens':
      return price.reasoningPerMillionUsd ?? price.outputPerMillionUsd;
    case 'audioOutputTokens':
      return price.audioOutputPerMillionUsd;
  }
}

/**
 * Cost of one request in pico-dollars: every class times its price, plus the price per request. On purpose not the gateway's code: the
 * invoice is what its ledger is checked against.
 * @returns null when a class that has tokens has no price
 */
export function chargedPicoUsd(usage: Usage, price: PriceConfig): bigint | null {
  let sum = price.perRequestUsd === undefined ? 0n : picoUsdFromDecimal(`${price.perRequestUsd}`);
  for (const name of CLASSES) {
    if (usage[name] === 0) continue;
    const usd = usdPerMillion(price, name);
    if (usd === undefined) return null;
    sum += BigInt(usage[name]) * picoUsdPerToken(usd);
  }
  return sum;
}

class Sum {
  requests = 0;
  unpricedRequests = 0;
  costPicoUsd = 0n;
  readonly usage = { ...NO_USAGE };
  readonly units = { ...NO_UNITS };

  add(charge: Charge, costPicoUsd: bigint | null): void {
    this.requests++;
    if (costPicoUsd === null) this.unpricedRequests++;
    else this.costPicoUsd += costPicoUsd;
    for (const name of CLASSES) this.usage[name] += charge.usage[name];
    this.units.images += charge.units.images;
    this.units.audioSeconds += charge.units.audioSeconds;
    this.units.speechCharacters += charge.units.speechCharacters;
    this.units.searches += charge.units.searches;
  }

  read(): InvoiceSum {
    const { requests, unpricedRequests, costPicoUsd, usage, units } = this;
    return { requests, usage: { ...usage }, units: { ...units }, costPicoUsd: costPicoUsd.toString(), unpricedRequests };
  }
}

interface Line {
  readonly key: string;
  readonly model: string;
  readonly sum: Sum;
  readonly byEnding: Readonly<Record<BilledEnding, Sum>>;
}

/** More keys than this share one line, so that an invoice does not grow without end. */
const MOST_LINES = 10_000;

/** What every key has used, by model, since the last reset. */
export class InvoiceBook {
  #sinceMs: number;
  #total = new Sum();
  readonly #lines = new Map<string, Line>();
  /** Names of keys, so that a key is hashed once. */
  readonly #names = new Map<string, string>();

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  book(charge: Charge): void {
    const cost = charge.ending === 'failed' ? 0n : charge.price === null ? null : chargedPicoUsd(charge.usage, charge.price);
    const line = this.#line(charge);
    line.sum.add(charge, cost);
    line.byEnding[charge.ending].add(charge, cost);
    this.#total.add(charge, cost);
  }

  #line({ apiKey, model }: Charge): Line {
    let name = this.#names.get(apiKey);
    if (name === undefined) {
      name = this.#names.size < MOST_LINES ? invoiceKey(apiKey) : 'others';
      if (name !== 'others') this.#names.set(apiKey, name);
    }
    const id = `${name}\u0000${model}`;
    let line = this.#lines.get(id);
    if (line === undefined) {
      const byEnding = { complete: new Sum(), client_left: new Sum(), cut: new Sum(), failed: new Sum() };
      line = { key: name, model, sum: new Sum(), byEnding };
      this.#lines.set(id, line);
    }
    return line;
  }

  read(): Invoice {
    const lines = [...this.#lines.values()].map(({ key, model, sum, byEnding }) => ({
      key,
      model,
      ...sum.read(),
      byEnding: Object.fromEntries(ENDINGS.map((ending) => [ending, byEnding[ending].read()])) as Record<BilledEnding, InvoiceSum>, // made from all endings
    }));
    return { object: 'sim.invoice', sinceMs: this.#sinceMs, lines, total: this.#total.read() };
  }

  reset(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#total = new Sum();
    this.#lines.clear();
    this.#names.clear();
  }
}
