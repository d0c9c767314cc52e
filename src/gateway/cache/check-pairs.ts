import { cosine, type EmbedderKind } from '../../models/embedder.ts';
import { embedLexically, LEXICAL_EMBEDDER_ID } from '../../models/lexical-embedder.ts';
import { wilsonInterval } from '../../stats/intervals.ts';
import { guardForm } from './meaning-guards.ts';
import type { CacheCheckReport, CachePair, CheckMeasure } from './model.ts';
import { normaliseText } from './question-text.ts';

/** Thresholds that are tried: 0.50, 0.51 … 1. */
const THRESHOLDS = Array.from({ length: 51 }, (_, place) => (50 + place) / 100);

/** How alike the questions of a pair are. */
export interface Comparison {
  /** What the vectors are made by. */
  readonly id: string;
  readonly kind: EmbedderKind;
  /** Cosine. @throws PlimsollError `invalid_argument` */
  readonly similarity: (pair: CachePair) => number;
}

export const LEXICAL: Comparison = {
  id: LEXICAL_EMBEDDER_ID,
  kind: 'lexical',
  similarity: ({ a, b }) => cosine(embedLexically(normaliseText(a)), embedLexically(normaliseText(b))),
};

interface ComparedPair {
  readonly isSame: boolean;
  readonly similarity: number;
  readonly passesGuards: boolean;
}

function ratioOf(count: number, n: number): { ratio: number | null; interval: [number, number] | null } {
  return n === 0 ? { ratio: null, interval: null } : { ratio: count / n, interval: wilsonInterval(count, n) };
}

function measure(pairs: readonly ComparedPair[], isServed: (pair: ComparedPair) => boolean): CheckMeasure {
  const served = pairs.filter(isServed);
  const falseHits = served.filter((pair) => !pair.isSame).length;
  const same = pairs.filter((pair) => pair.isSame).length;
  const ofServed = ratioOf(falseHits, served.length);
  const ofDifferent = ratioOf(falseHits, pairs.length - same);
  return {
    served: served.length,
    falseHits,
    falseHitRatio: ofServed.ratio,
    falseHitInterval: ofServed.interval,
    differentServedRatio: ofDifferent.ratio,
    differentServedInterval: ofDifferent.interval,
    sameServedRatio: ratioOf(served.length - falseHits, same).ratio,
  };
}

function isWithin(row: CheckMeasure, bound: number): boolean {
  return row.differentServedInterval !== null && row.differentServedInterval[1] <= bound;
}

/** Fewest pairs that could show a share to be within the bound: with not one false hit among them. */
function fewestPairs(bound: number): number {
  let n = 1;
  while (wilsonInterval(0, n)[1] > bound) n++;
  return n;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 10_000) / 100} %`;
}

function judge(
  rows: CacheCheckReport['rows'],
  different: number,
  bound: number,
): Pick<CacheCheckReport, 'verdict' | 'reason' | 'recommendedThreshold'> {
  const needed = fewestPairs(bound);
  let safeFrom: CacheCheckReport['rows'][number] | null = null;
  for (const row of rows.toReversed()) {
    if (!isWithin(row.withGuards, bound)) break;
    safeFrom = row;
  }
  if (safeFrom !== null && rows.some((row) => row.threshold >= safeFrom.threshold && row.withGuards.served > row.withGuards.falseHits)) {
    const { threshold, withGuards } = safeFrom;
    return {
      verdict: 'safe',
      recommendedThreshold: threshold,
      reason: `From ${threshold} up, at most ${percent(withGuards.differentServedInterval?.[1] ?? 0)} of different questions would share an answer (95 % interval); ${percent(withGuards.sameServedRatio ?? 0)} of the same ones do.`,
    };
  }
  if (safeFrom !== null)
    return { verdict: 'useless', recommendedThreshold: null, reason: 'Not one pair labelled same would be served at a safe threshold.' };
  if (different < needed) {
    return {
      verdict: 'too few pairs',
      recommendedThreshold: null,
      reason: `${different} pairs labelled different cannot show that fewer than ${percent(bound)} of them share an answer; that takes at least ${needed}.`,
    };
  }
  return {
    verdict: 'unsafe',
    recommendedThreshold: null,
    reason: `No threshold keeps different questions apart well enough: the bound is ${percent(bound)}.`,
  };
}

/**
 * What a semantic cache would do on labelled pairs of questions that are equal in everything but their text.
 * @param bound largest share of pairs labelled different that may share an answer (fraction); the upper end of its interval must be within
 */
export function checkPairs(
  pairs: readonly CachePair[],
  { id, kind, similarity }: Comparison,
  bound: number,
): Omit<CacheCheckReport, 'id' | 'feature' | 'at'> {
  const compared = pairs.map(
    (pair): ComparedPair => ({
      isSame: pair.same,
      similarity: similarity(pair),
      passesGuards: guardForm(pair.a, kind) === guardForm(pair.b, kind),
    }),
  );
  const rows = THRESHOLDS.map((threshold) => ({
    threshold,
    // A vector of 32-bit numbers is not exactly as long as 1.
    withGuards: measure(compared, (pair) => pair.passesGuards && pair.similarity >= threshold - 1e-6),
    alone: measure(compared, (pair) => pair.similarity >= threshold - 1e-6),
  }));
  const same = compared.filter((pair) => pair.isSame).length;
  const different = compared.length - same;
  return { embedder: id, same, different, maxFalseHitRatio: bound, rows, ...judge(rows, different, bound) };
}
