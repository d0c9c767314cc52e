import type { SpanKind } from './model.ts';
import type { SpanRow } from './store.ts';

/** What has to be known of a span that is stored already to tell whether a new one stands for the same work. */
export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly kind: SpanKind;
  readonly isRequest: boolean;
  readonly startedAtNs: bigint;
  /** Whether its tokens or its cost are known. */
  readonly isMeasured: boolean;
}

function placeOf(traceId: string, spanId: string): string {
  return `${traceId}/${spanId}`;
}

/** A chain of spans that is longer is no work of instrumentations. */
const MAX_LEVELS = 256;

/** A gateway call stands for any model call around it, a client's call for one of the same kind. */
function standsFor(inner: SpanKind, outer: SpanKind): boolean {
  return inner === 'gateway' || inner === outer;
}

/**
 * Spans of model calls that lie inside one another are the same request, told of by two instrumentations, or by a client and by the gateway that
 * it called. The innermost whose tokens or cost are known counts; the others keep their tokens, and cost nothing.
 *
 * A span ends before the one around it, and is so sent before it or with it; one that comes later all the same is counted besides.
 * @param spans new ones, any number of traces
 * @param stored all stored spans of those traces
 */
export function countOnce(spans: readonly SpanRow[], stored: readonly StoredSpan[]): SpanRow[] {
  const known = new Map<string, StoredSpan>();
  for (const span of stored) known.set(placeOf(span.traceId, span.spanId), span);
  for (const span of spans)
    known.set(placeOf(span.traceId, span.spanId), {
      ...span,
      isMeasured: span.kind === 'gateway' || span.usage !== null || span.costPicoUsd !== null,
    });
  const requests = [...known.values()].filter(({ isRequest }) => isRequest);
  /** Model calls around this one that it may stand for, the nearest first. */
  const around = function* (request: StoredSpan): Generator<StoredSpan> {
    let outer: StoredSpan | undefined = request;
    for (let level = 0; level < MAX_LEVELS; level++) {
      outer = outer.parentSpanId === null ? undefined : known.get(placeOf(outer.traceId, outer.parentSpanId));
      if (outer === undefined || outer === request) return;
      if (outer.isRequest && standsFor(request.kind, outer.kind)) yield outer;
    }
  };

  /** Uncounted span → the request that counts for it. */
  const countedBy = new Map<StoredSpan, StoredSpan>();
  for (const request of requests.filter(({ isMeasured }) => isMeasured)) {
    for (const outer of around(request)) {
      // Who stood for that one stands for those around it too.
      if (countedBy.has(outer)) break;
      countedBy.set(outer, request);
    }
  }
  for (const request of requests.filter(({ isMeasured }) => !isMeasured)) {
    const outer = around(request).find(({ isMeasured }) => isMeasured);
    if (outer !== undefined) countedBy.set(request, countedBy.get(outer) ?? outer);
  }
  return spans.map((span) => {
    const by = countedBy.get(known.get(placeOf(span.traceId, span.spanId)) as StoredSpan); // every new span was put there above
    return by === undefined || span.kind === 'gateway' ? span : uncounted(span, by);
  });
}

function uncounted(span: SpanRow, by: StoredSpan): SpanRow {
  return {
    ...span,
    isEntry: span.parentSpanId === null,
    isRequest: false,
    costPicoUsd: null,
    costStatus: null,
    priceId: null,
    attempts: 0,
    attributes: {
      ...span.attributes,
      'plimsoll.counted_by': by.spanId,
      ...(span.costPicoUsd === null ? {} : { 'plimsoll.cost.not_counted_pico_usd': span.costPicoUsd.toString() }),
    },
  };
}
