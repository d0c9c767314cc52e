import { picoUsdFromDecimal } from '../../kernel/money.ts';
import { perTokenAt } from '../price.ts';
import type { PriceBook } from '../price-book.ts';
import { OPINION_CLASSES, type OpinionRow } from './second-opinion.ts';

export type Verdict = 'agrees' | 'rounded' | 'differs';

/** One price of one model that two sources list. Pico-dollars per million tokens, so that quotes below a pico-dollar per token compare too. */
export interface Comparison {
  readonly source: string;
  readonly provider: string;
  readonly model: string;
  readonly tokenClass: string;
  readonly bookPico: bigint;
  readonly otherPico: bigint;
  /** rounded = the other source's number is the book's, rounded to its own decimals. */
  readonly verdict: Verdict;
}

export interface ComparedBooks {
  readonly comparisons: readonly Comparison[];
  /** Models that the other source prices and the book does not know, `provider/model`. */
  readonly unknown: readonly string[];
}

/** True when `exact`, cut to as many decimals as `text` has (two at least: cents), is `text`. */
function isRoundingOf(text: string, exact: bigint): boolean {
  const decimals = Math.max(2, text.split('.')[1]?.length ?? 0);
  const step = 10n ** BigInt(12 - decimals);
  return ((exact + step / 2n) / step) * step === picoUsdFromDecimal(text);
}

/** Holds each row of the other sources against the book at one moment, below the first tier. Pure. */
export function comparePrices(book: PriceBook, rows: readonly OpinionRow[], atMs: number): ComparedBooks {
  const comparisons: Comparison[] = [];
  const unknown: string[] = [];
  for (const { source, provider, model, usdPerMillion } of rows) {
    const price = book.find(provider, model, atMs);
    if (price === null) {
      unknown.push(`${provider}/${model}`);
      continue;
    }
    const perToken = perTokenAt(price, 0);
    for (const [tokenClass, text] of Object.entries(usdPerMillion)) {
      const name = OPINION_CLASSES[tokenClass];
      const ours = name === undefined ? undefined : perToken[name];
      if (ours === undefined) continue;
      const bookPico = BigInt(ours) * 1_000_000n;
      const otherPico = picoUsdFromDecimal(text);
      const verdict = bookPico === otherPico ? 'agrees' : isRoundingOf(text, bookPico) ? 'rounded' : 'differs';
      comparisons.push({ source, provider, model, tokenClass, bookPico, otherPico, verdict });
    }
  }
  return { comparisons, unknown };
}
