import type { SpanRow } from '../store.ts';

interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

type Value =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly Value[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } }
  /** OTLP's empty value. */
  | Record<never, never>;

/** OTLP's SPAN_KIND_INTERNAL, SERVER and CLIENT; STATUS_CODE_OK and ERROR. */
const KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS = { ok: 1, error: 2, aborted: 2 } as const satisfies Record<SpanRow['status'], number>;

function toValue(value: unknown): Value | null {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: `${value}` } : { doubleValue: value };
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return { arrayValue: { values: value.flatMap((each: unknown) => toValue(each) ?? []) } };
  return { stringValue: JSON.stringify(value) };
}

/** As `toValue`, with nothing lost: maps as maps, and null as the empty value. */
function exactValue(value: unknown): Value {
  if (value === null || value === undefined) return {};
  if (Array.isArray(value)) return { arrayValue: { values: value.map(exactValue) } };
  if (typeof value === 'object') return { kvlistValue: { values: exactAttributes(Object.entries(value)) } };
  return toValue(value) ?? {};
}

export function exactAttributes(entries: Iterable<readonly [string, unknown]>): KeyValue[] {
  return Array.from(entries, ([key, value]) => ({ key, value: exactValue(value) }));
}

/** What spans have as columns, as attributes. */
export function columnAttributes(span: SpanRow): Readonly<Record<string, unknown>> {
  return {
    'plimsoll.feature': span.feature,
    'plimsoll.team': span.team,
    'plimsoll.customer': span.customer,
    'user.id': span.user,
    'gen_ai.conversation.id': span.session,
    'plimsoll.call_id': span.callId,
    'plimsoll.cost.pico_usd': span.costPicoUsd?.toString(),
    'plimsoll.cost.status': span.costStatus,
    'plimsoll.simulated': span.isSimulated ? true : null,
    'error.type': span.errorType,
  };
}

function toSpan(span: SpanRow) {
  const attributes = Object.entries({ ...columnAttributes(span), ...span.attributes }).flatMap(([key, of]) => {
    const value = toValue(of);
    return value === null ? [] : [{ key, value }];
  });
  return otlpSpan(span, attributes);
}

/** A span of OTLP's JSON, without events and links. */
export function otlpSpan(span: SpanRow, attributes: readonly KeyValue[]) {
  const kind = span.kind === 'gateway' ? KIND.server : span.kind === 'llm' || span.kind === 'embedding' ? KIND.client : KIND.internal;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind,
    startTimeUnixNano: span.startedAtNs.toString(),
    endTimeUnixNano: (span.startedAtNs + span.durationNs).toString(),
    attributes,
    status: { code: STATUS[span.status], ...(span.statusMessage === '' ? {} : { message: span.statusMessage }) },
  };
}

/** ExportTraceServiceRequest in OTLP's JSON, without texts: prompts and answers stay here. Pure. */
export function otlpTraceRequest(spans: readonly SpanRow[], resource: Readonly<Record<string, string>>) {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'plimsoll' }, spans: spans.map(toSpan) }] }] };
}
