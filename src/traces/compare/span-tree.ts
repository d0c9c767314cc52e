import type { Span } from '../model.ts';

export type TreeSpan = Pick<Span, 'spanId' | 'parentSpanId' | 'startedAtNs'>;

export interface SpanTree<S extends TreeSpan> {
  /** Spans without a parent in the trace, and one of each cycle; by start. */
  readonly roots: readonly S[];
  /** Children of a span, by start. No span is below itself. */
  children(span: S): readonly S[];
}

/** Spans as a tree, whatever ids and parents they name. Linear but for the sort. */
export function spanTree<S extends TreeSpan>(spans: readonly S[]): SpanTree<S> {
  const ordered = spans
    .map((span) => ({ span, start: BigInt(span.startedAtNs) }))
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.span.spanId < b.span.spanId ? -1 : 1))
    .map(({ span }) => span);
  const byId = new Map(ordered.map((span) => [span.spanId, span]));
  const parentOf = (span: S): S | undefined => (span.parentSpanId === null ? undefined : byId.get(span.parentSpanId));
  /** Spans that are known to lead up to a root. */
  const rooted = new Set<S>();
  const roots = new Set<S>();
  for (const span of ordered) {
    const path = new Set<S>();
    let at = span;
    for (let parent = parentOf(at); !rooted.has(at) && !path.has(at); parent = parentOf(at)) {
      path.add(at);
      if (parent === undefined || path.has(parent)) roots.add(at);
      else at = parent;
    }
    for (const passed of path) rooted.add(passed);
  }
  const children = Map.groupBy(
    ordered.filter((span) => !roots.has(span)),
    parentOf,
  );
  return { roots: ordered.filter((span) => roots.has(span)), children: (span) => children.get(span) ?? [] };
}
