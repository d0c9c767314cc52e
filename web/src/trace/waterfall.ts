import type { Span } from '../../../src/traces/model.ts';

export interface WaterfallRow {
  readonly span: Span;
  /** 0 for roots. */
  readonly depth: number;
  /** Milliseconds after the first span of the trace. */
  readonly offsetMs: number;
  readonly durationMs: number;
  /** Milliseconds from the span's start to its first token; null when there is none inside the span. */
  readonly ttftMs: number | null;
  readonly descendantCount: number;
  readonly isCollapsed: boolean;
}

export interface Waterfall {
  readonly rows: readonly WaterfallRow[];
  readonly totalMs: number;
}

const NS_PER_MS = 1e6;

/**
 * Orders spans as a tree, siblings by start. A span whose parent is missing is a root; a cycle is cut where it is met.
 * Times are kept as recorded: a child of another machine may start before its parent.
 * @param collapsed span ids whose descendants are left out
 */
export function layoutWaterfall(spans: readonly Span[], collapsed: ReadonlySet<string>): Waterfall {
  if (spans.length === 0) return { rows: [], totalMs: 0 };
  const starts = new Map(spans.map((span) => [span, BigInt(span.startedAtNs)]));
  const startOf = (span: Span): bigint => starts.get(span) ?? 0n;
  const ordered = spans.toSorted((a, b) => Number(startOf(a) - startOf(b)) || (a.spanId < b.spanId ? -1 : 1));
  const first = ordered[0] ? startOf(ordered[0]) : 0n;
  const ids = new Set(spans.map((span) => span.spanId));
  const children = Map.groupBy(ordered, (span) =>
    span.parentSpanId !== null && ids.has(span.parentSpanId) && span.parentSpanId !== span.spanId ? span.parentSpanId : '',
  );

  const rows: WaterfallRow[] = [];
  const seen = new Set<Span>();
  let totalMs = 0;
  const visit = (span: Span, depth: number, isHidden: boolean): number => {
    if (seen.has(span)) return 0;
    seen.add(span);
    const offsetMs = Number(startOf(span) - first) / NS_PER_MS;
    const durationMs = Number(span.durationNs) / NS_PER_MS;
    totalMs = Math.max(totalMs, offsetMs + durationMs);
    const isCollapsed = collapsed.has(span.spanId);
    const place = rows.length;
    if (!isHidden) rows.push({ span, depth, offsetMs, durationMs, ttftMs: null, descendantCount: 0, isCollapsed });
    let descendantCount = 0;
    for (const child of children.get(span.spanId) ?? []) descendantCount += visit(child, depth + 1, isHidden || isCollapsed);
    const ttftMs = span.ttftMs !== null && span.ttftMs <= durationMs ? span.ttftMs : null;
    if (!isHidden) rows[place] = { span, depth, offsetMs, durationMs, ttftMs, descendantCount, isCollapsed };
    return descendantCount + 1;
  };
  for (const root of children.get('') ?? []) visit(root, 0, false);
  for (const span of ordered) visit(span, 0, false);
  return { rows, totalMs };
}

/** Round marks of a time axis from 0 to the total: at most `count` steps of 1, 2 or 5 × 10ⁿ ms. */
export function axisMarks(totalMs: number, count: number): readonly number[] {
  if (!(totalMs > 0)) return [0];
  const rough = totalMs / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, index) => index * step);
}

/** The span that a reader wants first: the call's own entry, else the first span. */
export function firstSpanToShow(spans: readonly Span[]): Span | null {
  return spans.find((span) => span.isEntry) ?? spans.find((span) => span.parentSpanId === null) ?? spans[0] ?? null;
}
