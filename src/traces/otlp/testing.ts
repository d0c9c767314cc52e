import protobuf from 'protobufjs';
import type { AttributeValue } from './span.ts';

/** What tests of OTLP share: the messages as opentelemetry-proto declares them, encoded by protobufjs' own reflection, not by our code. */
const PROTO = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; uint32 dropped_events_count = 12; repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15;
  fixed32 flags = 16;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message RpcStatus { int32 code = 1; string message = 2; }
`;
const root = protobuf.parse(PROTO, { keepCase: false }).root;

export interface TestSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes?: Readonly<Record<string, AttributeValue>> | ReadonlyMap<string, AttributeValue>;
  readonly events?: readonly {
    readonly name: string;
    readonly atNs: bigint;
    readonly attributes?: Readonly<Record<string, AttributeValue>>;
  }[];
  readonly status?: { readonly code: number; readonly message?: string };
}

export interface TestBatch {
  readonly resource?: Readonly<Record<string, AttributeValue>>;
  readonly scope?: { readonly name: string; readonly version?: string };
  readonly spans: readonly TestSpan[];
}

type Json = Record<string, unknown>;

function anyValue(value: AttributeValue, isJson: boolean): Json {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: isJson ? String(value) : value } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyValue(each, isJson)) } };
  return { kvlistValue: { values: keyValues(value as Readonly<Record<string, AttributeValue>>, isJson) } }; // all that is left
}

function keyValues(of: TestSpan['attributes'], isJson: boolean): Json[] {
  const entries = of instanceof Map ? [...of] : Object.entries(of ?? {});
  return entries.map(([key, value]) => ({ key, value: anyValue(value as AttributeValue, isJson) })); // both kinds hold them
}

function requestOf(batches: readonly TestBatch[], isJson: boolean): Json {
  const id = (hex: string): unknown => (isJson ? hex : Buffer.from(hex, 'hex'));
  const time = (ns: bigint): unknown =>
    isJson ? ns.toString() : { low: Number(BigInt.asIntN(32, ns)), high: Number(BigInt.asIntN(32, ns >> 32n)), unsigned: true };
  return {
    resourceSpans: batches.map(({ resource, scope, spans }) => ({
      resource: { attributes: keyValues(resource, isJson) },
      scopeSpans: [
        {
          scope: { name: scope?.name ?? '', version: scope?.version ?? '' },
          spans: spans.map((span) => ({
            traceId: id(span.traceId),
            spanId: id(span.spanId),
            ...(span.parentSpanId === undefined ? {} : { parentSpanId: id(span.parentSpanId) }),
            name: span.name,
            kind: span.kind ?? 1,
            startTimeUnixNano: time(span.startNs),
            endTimeUnixNano: time(span.endNs),
            attributes: keyValues(span.attributes, isJson),
            events: (span.events ?? []).map((event) => ({
              name: event.name,
              timeUnixNano: time(event.atNs),
              attributes: keyValues(event.attributes, isJson),
            })),
            ...(span.status === undefined ? {} : { status: span.status }),
          })),
        },
      ],
    })),
  };
}

export function protobufRequest(batches: readonly TestBatch[]): Buffer {
  const type = root.lookupType('ExportTraceServiceRequest');
  return Buffer.from(type.encode(type.fromObject(requestOf(batches, false))).finish());
}

export function jsonRequest(batches: readonly TestBatch[]): Buffer {
  return Buffer.from(JSON.stringify(requestOf(batches, true)));
}

export function readMessage(name: 'ExportTraceServiceResponse' | 'RpcStatus', bytes: Buffer): Json {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number }) as Json; // toObject gives a plain object
}
