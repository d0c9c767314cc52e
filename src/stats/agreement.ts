import { PlimsollError } from '../kernel/errors.ts';
import { normalQuantile } from './distributions.ts';

export interface Kappa {
  /** 1 = always agree, 0 = as often as by chance, below 0 = less often; null when one of the two gives a single label only, to all: nothing to tell. */
  readonly kappa: number | null;
  /** 95 %, clipped to [−1, 1]; null where kappa is, or when all agree (the formula then says 0, which is no truth). */
  readonly interval: readonly [number, number] | null;
  /** Share of equal labels. */
  readonly agreement: number;
  readonly n: number;
}

/**
 * Cohen's kappa of two raters.
 * @param pairs labels of the same item by the first and the second rater, at least one
 * @see Cohen 1960, Educational and Psychological Measurement 20:37; Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72:323 (the variance)
 */
export function cohenKappa(pairs: readonly (readonly [string, string])[]): Kappa {
  const n = pairs.length;
  if (n === 0) throw new PlimsollError('invalid_argument', 'No agreement about nothing');
  const labels = [...new Set(pairs.flat())];
  const share = new Map<string, number>();
  const rows = new Map<string, number>();
  const columns = new Map<string, number>();
  const add = (map: Map<string, number>, key: string): unknown => map.set(key, (map.get(key) ?? 0) + 1 / n);
  for (const [first, second] of pairs) {
    add(share, JSON.stringify([first, second]));
    add(rows, first);
    add(columns, second);
  }
  const p = (first: string, second: string): number => share.get(JSON.stringify([first, second])) ?? 0;
  const row = (label: string): number => rows.get(label) ?? 0;
  const column = (label: string): number => columns.get(label) ?? 0;
  const observed = labels.reduce((sum, label) => sum + p(label, label), 0);
  const expected = labels.reduce((sum, label) => sum + row(label) * column(label), 0);
  const agreement = pairs.filter(([first, second]) => first === second).length / n;
  if (1 - expected < 1e-12) return { kappa: null, interval: null, agreement, n };
  const kappa = (observed - expected) / (1 - expected);
  let diagonal = 0;
  let rest = 0;
  for (const a of labels) {
    diagonal += p(a, a) * (1 - (row(a) + column(a)) * (1 - kappa)) ** 2;
    for (const b of labels) if (a !== b) rest += p(a, b) * (column(a) + row(b)) ** 2;
  }
  const variance = (diagonal + (1 - kappa) ** 2 * rest - (kappa - expected * (1 - kappa)) ** 2) / ((1 - expected) ** 2 * n);
  const half = normalQuantile(0.975) * Math.sqrt(Math.max(0, variance));
  const interval = agreement === 1 ? null : ([Math.max(-1, kappa - half), Math.min(1, kappa + half)] as const);
  return { kappa, interval, agreement, n };
}

export type Scale = 'nominal' | 'ordinal' | 'interval';

/**
 * Krippendorff's alpha: agreement of any number of raters, with items that not all of them have rated.
 * @param items ratings of each item; an item with fewer than two says nothing and is left out. Codes of nominal ratings may be any numbers
 * @returns null when fewer than two ratings can be compared, or all are equal: no disagreement was possible
 * @see Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"
 */
export function krippendorffAlpha(items: readonly (readonly number[])[], scale: Scale): number | null {
  const pairable = items.filter((ratings) => ratings.length >= 2);
  const values = [...new Set(pairable.flat())].sort((a, b) => a - b);
  const place = new Map(values.map((value, index) => [value, index]));
  const counts = values.map(() => 0);
  for (const rating of pairable.flat()) {
    const index = place.get(rating) ?? 0;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const n = counts.reduce((sum, count) => sum + count, 0);
  if (values.length < 2) return null;
  const difference = differenceOf(scale, values, counts);
  let observed = 0;
  for (const ratings of pairable) {
    let sum = 0;
    for (const a of ratings) for (const b of ratings) sum += difference(place.get(a) ?? 0, place.get(b) ?? 0);
    observed += sum / (ratings.length - 1);
  }
  let expected = 0;
  values.forEach((_, a) => {
    values.forEach((__, b) => {
      expected += (counts[a] ?? 0) * (counts[b] ?? 0) * difference(a, b);
    });
  });
  return 1 - ((n - 1) * observed) / expected;
}

/** Squared distance of two values by their places. */
function differenceOf(scale: Scale, values: readonly number[], counts: readonly number[]): (a: number, b: number) => number {
  if (scale === 'nominal') return (a, b) => (a === b ? 0 : 1);
  if (scale === 'interval') return (a, b) => ((values[a] ?? 0) - (values[b] ?? 0)) ** 2;
  const before = [0];
  for (const count of counts) before.push((before.at(-1) ?? 0) + count);
  // Ratings between the two, and half of those at either end.
  return (a, b) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    return ((before[high + 1] ?? 0) - (before[low] ?? 0) - ((counts[low] ?? 0) + (counts[high] ?? 0)) / 2) ** 2;
  };
}
