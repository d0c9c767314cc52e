import { inputTokens, outputTokens } from '../../models/usage.ts';
import type { Span } from '../model.ts';
import type { AlignedSpan, ComparedSpan } from './model.ts';
import { type SpanTree, spanTree } from './span-tree.ts';

const NS_PER_MS = 1e6;

/** `b − a` of two numbers of milliseconds that are whole nanoseconds, without the crumbs of floats. */
export function differenceMs(a: number, b: number): number {
  return Math.round((b - a) * NS_PER_MS) / NS_PER_MS;
}

export function differencePico(a: string | null, b: string | null): string | null {
  return a === null || b === null ? null : (BigInt(b) - BigInt(a)).toString();
}

interface Pair {
  readonly a: Span | null;
  readonly b: Span | null;
}

interface Trees {
  readonly a: SpanTree<Span>;
  readonly b: SpanTree<Span>;
}

/**
 * Pairs spans by their place in the tree. Among the children of a pair: the n-th of a kind and name with the n-th of the same; of those left, the
 * n-th of a kind with the n-th of that kind (a model that was exchanged changes the span's name). What is left is removed or added, with all that is
 * below. Order among siblings decides nothing else: parallel work ends in any order.
 */
export function alignSpans(a: readonly Span[], b: readonly Span[]): AlignedSpan[] {
  const trees: Trees = { a: spanTree(a), b: spanTree(b) };
  const starts = { a: firstStart(a), b: firstStart(b) };
  const rows: AlignedSpan[] = [];
  // A stack, not recursion: a chain may be as deep as the trace has spans.
  const stack = pairSiblings(trees.a.roots, trees.b.roots)
    .map((pair) => ({ pair, depth: 0 }))
    .reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { pair, depth } = next;
    rows.push(rowOf(pair, depth, starts));
    const below = pairSiblings(pair.a === null ? [] : trees.a.children(pair.a), pair.b === null ? [] : trees.b.children(pair.b));
    for (let place = below.length - 1; place >= 0; place--) {
      const child = below[place];
      if (child) stack.push({ pair: child, depth: depth + 1 });
    }
  }
  return rows;
}

/** In the order of `a`; what only `b` has comes behind the sibling that it follows there. */
function pairSiblings(a: readonly Span[], b: readonly Span[]): Pair[] {
  const partner = new Map<Span, Span>();
  const match = (keyOf: (span: Span) => string): void => {
    const free = Map.groupBy(
      b.filter((span) => !partner.has(span)),
      keyOf,
    );
    const used = new Map<string, number>();
    for (const span of a) {
      if (partner.has(span)) continue;
      const key = keyOf(span);
      const place = used.get(key) ?? 0;
      const found = free.get(key)?.[place];
      if (found === undefined) continue;
      used.set(key, place + 1);
      partner.set(span, found);
      partner.set(found, span);
    }
  };
  match(({ kind, name }) => `${kind}\n${name}`);
  match(({ kind }) => kind);
  const pairs: Pair[] = [];
  /** Spans of `b` alone, by the partner in `a` that they follow; null = they come first. */
  const following = new Map<Span | null, Span[]>();
  let last: Span | null = null;
  for (const span of b) {
    const counterpart = partner.get(span);
    const run = following.get(last);
    if (counterpart !== undefined) last = counterpart;
    else if (run === undefined) following.set(last, [span]);
    else run.push(span);
  }
  const addAfter = (span: Span | null): void => {
    for (const added of following.get(span) ?? []) pairs.push({ a: null, b: added });
  };
  addAfter(null);
  for (const span of a) {
    pairs.push({ a: span, b: partner.get(span) ?? null });
    addAfter(span);
  }
  return pairs;
}

function firstStart(spans: readonly Span[]): bigint {
  let first: bigint | null = null;
  for (const span of spans) {
    const start = BigInt(span.startedAtNs);
    if (first === null || start < first) first = start;
  }
  return first ?? 0n;
}

function sideOf(span: Span, first: bigint): ComparedSpan {
  return {
    spanId: span.spanId,
    name: span.name,
    status: span.status,
    errorType: span.errorType,
    offsetMs: Number(BigInt(span.startedAtNs) - first) / NS_PER_MS,
    durationMs: Number(span.durationNs) / NS_PER_MS,
    model: span.responseModel ?? span.requestModel,
    inputTokens: span.usage === null ? null : inputTokens(span.usage),
    outputTokens: span.usage === null ? null : outputTokens(span.usage),
    costPicoUsd: span.costPicoUsd,
    costStatus: span.costStatus,
  };
}

function rowOf({ a, b }: Pair, depth: number, starts: { readonly a: bigint; readonly b: bigint }): AlignedSpan {
  const [left, right] = [a && sideOf(a, starts.a), b && sideOf(b, starts.b)];
  return {
    depth,
    kind: a?.kind ?? b?.kind ?? 'span',
    change: a === null ? 'added' : b === null ? 'removed' : 'both',
    a: left,
    b: right,
    durationDifferenceMs: left === null || right === null ? null : differenceMs(left.durationMs, right.durationMs),
    costDifferencePicoUsd: left === null || right === null ? null : differencePico(left.costPicoUsd, right.costPicoUsd),
  };
}
