/** A value of an attribute: as OpenTelemetry's AnyValue, with bytes as base64 and integers beyond a double's as decimal text. */
export type AttributeValue = string | number | boolean | null | readonly AttributeValue[] | { readonly [name: string]: AttributeValue };

/** A map, not an object: names come from strangers. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

export interface OtlpEvent {
  readonly name: string;
  /** Epoch nanoseconds. */
  readonly atNs: bigint;
  readonly attributes: Attributes;
}

export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
}

export interface OtlpScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
}

/** One span as it was sent, whichever encoding it came in. */
export interface OtlpSpan {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** SpanKind of OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Epoch nanoseconds. */
  readonly startedAtNs: bigint;
  /** Never before the start. */
  readonly endedAtNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly OtlpEvent[];
  readonly links: readonly OtlpLink[];
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string };
  /** Index of its resource in the request. */
  readonly resource: number;
  readonly scope: OtlpScope;
  /** Attributes, events and links left out by the sender or by our limits. */
  readonly dropped: number;
}

export interface OtlpRequest {
  /** Attributes of each resource. */
  readonly resources: readonly Attributes[];
  readonly spans: readonly OtlpSpan[];
  /** Spans that cannot be taken; the rest of the request stands. */
  readonly rejected: number;
  /** Why the first of them was rejected; empty when none was. */
  readonly reason: string;
}

/** Caps on what one request, one span and one value may hold. What is over a span's caps is cut; what breaks a span rejects it alone. */
export const OTLP_LIMITS = {
  /** Of a request, inflated. */
  bodyBytes: 16 * 1024 * 1024,
  spansPerRequest: 20_000,
  attributesPerSpan: 512,
  eventsPerSpan: 256,
  linksPerSpan: 64,
  nameCharacters: 512,
  /** Nesting of lists and maps inside a value. */
  valueDepth: 32,
  /** Lists, maps and scalars of one value, all levels together. */
  valueNodes: 50_000,
  /** How far before and after its arrival a span may have started. A store that is partitioned by month must not get a thousand months. */
  pastMs: 5 * 366 * 86_400_000,
  futureMs: 86_400_000,
} as const;

/** A span as read, before anything is known to be right. */
export interface SpanDraft {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  startedAtNs: bigint;
  endedAtNs: bigint;
  attributes: Map<string, AttributeValue>;
  events: OtlpEvent[];
  links: OtlpLink[];
  statusCode: number;
  statusMessage: string;
  dropped: number;
}

export function newSpanDraft(): SpanDraft {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startedAtNs: 0n,
    endedAtNs: 0n,
    attributes: new Map(),
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    dropped: 0,
  };
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const NS_PER_MS = 1_000_000n;

/** Gathers the spans of a request. `receivedAtMs` is when it arrived: what follows from a request must not depend on when it is read. */
export class RequestBuilder {
  readonly #receivedAtMs: number;
  readonly resources: Attributes[] = [];
  readonly #spans: OtlpSpan[] = [];
  #rejected = 0;
  #reason = '';

  constructor(receivedAtMs: number) {
    this.#receivedAtMs = receivedAtMs;
  }

  reject(reason: string): void {
    this.#rejected += 1;
    if (this.#reason === '') this.#reason = reason;
  }

  add(draft: SpanDraft, scope: OtlpScope): void {
    const problem = this.#problemOf(draft);
    if (problem !== null) {
      this.reject(problem);
      return;
    }
    // One of the two may be missing; a clock that went back in between makes a span of no length.
    const startedAtNs = draft.startedAtNs > 0n ? draft.startedAtNs : draft.endedAtNs;
    const endedAtNs = draft.endedAtNs > startedAtNs ? draft.endedAtNs : startedAtNs;
    this.#spans.push({
      traceId: draft.traceId,
      spanId: draft.spanId,
      parentSpanId: SPAN_ID.test(draft.parentSpanId) && draft.parentSpanId !== draft.spanId ? draft.parentSpanId : null,
      name: draft.name.slice(0, OTLP_LIMITS.nameCharacters).toWellFormed(),
      kind: draft.kind,
      startedAtNs,
      endedAtNs,
      attributes: draft.attributes,
      events: draft.events,
      links: draft.links,
      status: { code: draft.statusCode === 2 ? 'error' : draft.statusCode === 1 ? 'ok' : 'unset', message: draft.statusMessage },
      resource: this.resources.length - 1,
      scope,
      dropped: draft.dropped,
    });
  }

  #problemOf(draft: SpanDraft): string | null {
    if (this.#spans.length >= OTLP_LIMITS.spansPerRequest)
      return `a request may hold ${OTLP_LIMITS.spansPerRequest} spans: send smaller batches`;
    if (!TRACE_ID.test(draft.traceId)) return `trace id ${shown(draft.traceId)} is not 16 bytes other than zero`;
    if (!SPAN_ID.test(draft.spanId)) return `span id ${shown(draft.spanId)} is not 8 bytes other than zero`;
    const startMs = Number((draft.startedAtNs > 0n ? draft.startedAtNs : draft.endedAtNs) / NS_PER_MS);
    const endMs = Number(draft.endedAtNs / NS_PER_MS);
    if (startMs < this.#receivedAtMs - OTLP_LIMITS.pastMs) return `span ${draft.spanId} started at ${startMs} ms: more than five years ago`;
    if (Math.max(startMs, endMs) > this.#receivedAtMs + OTLP_LIMITS.futureMs)
      return `span ${draft.spanId} lies more than a day in the future`;
    return null;
  }

  finish(): OtlpRequest {
    return { resources: this.resources, spans: this.#spans, rejected: this.#rejected, reason: this.#reason };
  }
}

function shown(id: string): string {
  return JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id);
}

/** Sets a member under any name: an assignment to `__proto__` would change the object instead. */
export function setMember(target: Record<string, AttributeValue>, name: string, value: AttributeValue): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  else target[name] = value;
}
