import type { DiffRow } from '../api/schema.ts';
import { exactUsd, formatUsd } from '../format/money.ts';
import { formatDuration, formatInteger, formatPercent } from '../format/number.ts';

const UNCHANGED = '±0';

/** A difference with its sign, in the unit of `format`; ±0 when there is none. */
function signed(value: number, format: (size: number) => string): string {
  return value === 0 ? UNCHANGED : `${value > 0 ? '+' : '−'}${format(Math.abs(value))}`;
}

export interface NumberText {
  readonly a: string;
  readonly b: string;
  readonly difference: string;
  /** Share of the first value, e.g. `+12 %`; empty where that says nothing. */
  readonly share: string;
  /** Exact values where the text is rounded. */
  readonly exact?: string;
}

function shareOf(a: number | null, difference: number | null): string {
  if (a === null || difference === null || a === 0 || difference === 0) return '';
  return `${difference > 0 ? '+' : '−'}${formatPercent(Math.abs(difference / a))}`;
}

interface Compared<T> {
  readonly a: T | null;
  readonly b: T | null;
  readonly difference: T | null;
}

const NOT_KNOWN = 'not known';

export function durationText({ a, b, difference }: Compared<number>): NumberText {
  const text = (ms: number | null): string => (ms === null ? NOT_KNOWN : formatDuration(ms));
  return {
    a: text(a),
    b: text(b),
    difference: difference === null ? NOT_KNOWN : signed(difference, formatDuration),
    share: shareOf(a, difference),
    ...(difference === null ? {} : { exact: `${difference} ms` }),
  };
}

export function countText({ a, b, difference }: Compared<number>): NumberText {
  const text = (count: number | null): string => (count === null ? NOT_KNOWN : formatInteger(count));
  return {
    a: text(a),
    b: text(b),
    difference: difference === null ? NOT_KNOWN : signed(difference, formatInteger),
    share: shareOf(a, difference),
  };
}

export function costDifferenceText(picoUsd: string | null): string {
  if (picoUsd === null) return NOT_KNOWN;
  if (BigInt(picoUsd) === 0n) return UNCHANGED;
  return picoUsd.startsWith('-') ? `−${formatUsd(picoUsd.slice(1))}` : `+${formatUsd(picoUsd)}`;
}

export function costNumberText({ a, b, difference }: Compared<string>): NumberText {
  const text = (picoUsd: string | null): string => (picoUsd === null ? 'unpriced' : formatUsd(picoUsd));
  return {
    a: text(a),
    b: text(b),
    difference: costDifferenceText(difference),
    share: shareOf(a === null ? null : Number(a), difference === null ? null : Number(difference)),
    ...(difference === null ? {} : { exact: `$${exactUsd(difference)}` }),
  };
}

/** Rows that are shown, or a stretch of equal ones that is folded. */
export type Stretch =
  | { readonly kind: 'rows'; readonly from: number; readonly rows: readonly DiffRow[] }
  | { readonly kind: 'folded'; readonly from: number; readonly rows: readonly DiffRow[] };

/** Equal rows further than `context` from a change are folded; a stretch of one is not worth it. */
export function foldRows(rows: readonly DiffRow[], context: number): readonly Stretch[] {
  const near = new Uint8Array(rows.length);
  rows.forEach(({ kind }, place) => {
    if (kind !== 'same') near.fill(1, Math.max(0, place - context), place + context + 1);
  });
  const stretches: Stretch[] = [];
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && near[to] === near[from]) to++;
    const kind = near[from] === 1 || to - from < 2 ? 'rows' : 'folded';
    stretches.push({ kind, from, rows: rows.slice(from, to) });
    from = to;
  }
  return stretches;
}
