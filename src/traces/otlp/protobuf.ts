import protobuf from 'protobufjs/minimal.js';
import { PlimsollError } from '../../kernel/errors.ts';
import {
  type Attributes,
  type AttributeValue,
  newSpanDraft,
  OTLP_LIMITS,
  type OtlpEvent,
  type OtlpLink,
  type OtlpRequest,
  type OtlpScope,
  RequestBuilder,
  type SpanDraft,
  setMember,
} from './span.ts';

/**
 * Reads an ExportTraceServiceRequest from its protobuf bytes, field by field: unknown fields are skipped, and a span that is broken inside is
 * rejected alone, since its length says where the next one begins.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export type Reader = protobuf.Reader;

const LENGTH_DELIMITED = 2;

/** Runs `read` on the next length-delimited message: the reader ends where the message does. */
export function within<T>(reader: Reader, read: (reader: Reader) => T): T {
  const length = reader.size();
  const outerEnd = reader.len;
  const end = reader.pos + length;
  if (end > outerEnd) throw new RangeError(`a message of ${length} bytes reaches beyond the one around it`);
  reader.len = end;
  try {
    return read(reader);
  } finally {
    reader.pos = end;
    reader.len = outerEnd;
  }
}

export function isMessage(tag: number, field: number): boolean {
  return tag === ((field << 3) | LENGTH_DELIMITED);
}

export function hexId(reader: Reader): string {
  const length = reader.size();
  if (reader.pos + length > reader.len) throw new RangeError('an id reaches beyond its span');
  const bytes = Buffer.from(reader.buf.buffer, reader.buf.byteOffset + reader.pos, length);
  reader.pos += length;
  return length > 32 ? '' : bytes.toString('hex');
}

export function fixed64(reader: Reader): bigint {
  const low = reader.fixed32();
  return (BigInt(reader.fixed32()) << 32n) | BigInt(low);
}

/** A number while a double holds it exactly, else its digits. */
function int64(reader: Reader): number | string {
  const { low, high } = reader.int64();
  const value = high * 4_294_967_296 + (low >>> 0);
  return Number.isSafeInteger(value) ? value : BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
}

/** Counts the parts of one attribute's value, so that a small body cannot unfold into millions of objects. */
export interface Budget {
  nodes: number;
}

export function readValue(reader: Reader, depth: number, budget: Budget): AttributeValue {
  let value: AttributeValue = null;
  budget.nodes -= 1;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        value = reader.string();
        break;
      case 0x10:
        value = reader.bool();
        break;
      case 0x18:
        value = int64(reader);
        break;
      case 0x21: {
        const number = reader.double();
        // JSON has no other numbers; what is stored is JSON.
        value = Number.isFinite(number) ? number : String(number);
        break;
      }
      case 0x2a:
        value = within(reader, (inner) => readList(inner, depth + 1, budget));
        break;
      case 0x32:
        value = within(reader, (inner) => readMap(inner, depth + 1, budget));
        break;
      case 0x3a:
        value = Buffer.from(reader.bytes()).toString('base64');
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return value;
}

function isSpent(depth: number, budget: Budget): boolean {
  return depth > OTLP_LIMITS.valueDepth || budget.nodes <= 0;
}

function readList(reader: Reader, depth: number, budget: Budget): AttributeValue {
  const list: AttributeValue[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1) && !isSpent(depth, budget)) list.push(within(reader, (inner) => readValue(inner, depth, budget)));
    else reader.skipType(tag & 7);
  }
  return list;
}

function readMap(reader: Reader, depth: number, budget: Budget): AttributeValue {
  const map: Record<string, AttributeValue> = {};
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1) && !isSpent(depth, budget)) {
      const [name, value] = within(reader, (inner) => readKeyValue(inner, depth, budget));
      setMember(map, name, value);
    } else reader.skipType(tag & 7);
  }
  return map;
}

function readKeyValue(reader: Reader, depth: number, budget: Budget): [name: string, value: AttributeValue] {
  let name = '';
  let value: AttributeValue = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) name = reader.string();
    else if (isMessage(tag, 2)) value = within(reader, (inner) => readValue(inner, depth, budget));
    else reader.skipType(tag & 7);
  }
  return [name, value];
}

/** Adds one attribute. @returns how many were left out: 0 or 1 */
export function readAttribute(reader: Reader, into: Map<string, AttributeValue>): number {
  const [name, value] = within(reader, (inner) => readKeyValue(inner, 0, { nodes: OTLP_LIMITS.valueNodes }));
  if ((into.size >= OTLP_LIMITS.attributesPerSpan && !into.has(name)) || name.length > OTLP_LIMITS.nameCharacters) return 1;
  into.set(name, value);
  return 0;
}

function readEvent(reader: Reader): OtlpEvent {
  const attributes = new Map<string, AttributeValue>();
  let name = '';
  let atNs = 0n;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 0x09) atNs = fixed64(reader);
    else if (isMessage(tag, 2)) name = reader.string();
    else if (isMessage(tag, 3)) readAttribute(reader, attributes);
    else reader.skipType(tag & 7);
  }
  return { name: name.slice(0, OTLP_LIMITS.nameCharacters).toWellFormed(), atNs, attributes };
}

function readLink(reader: Reader): OtlpLink {
  let traceId = '';
  let spanId = '';
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) traceId = hexId(reader);
    else if (isMessage(tag, 2)) spanId = hexId(reader);
    else reader.skipType(tag & 7);
  }
  return { traceId, spanId };
}

function readStatus(reader: Reader, draft: SpanDraft): void {
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 2)) draft.statusMessage = reader.string();
    else if (tag === 0x18) draft.statusCode = reader.int32();
    else reader.skipType(tag & 7);
  }
}

function readSpan(reader: Reader): SpanDraft {
  const draft = newSpanDraft();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        draft.traceId = hexId(reader);
        break;
      case 0x12:
        draft.spanId = hexId(reader);
        break;
      case 0x22:
        draft.parentSpanId = hexId(reader);
        break;
      case 0x2a:
        draft.name = reader.string();
        break;
      case 0x30:
        draft.kind = reader.int32();
        break;
      case 0x39:
        draft.startedAtNs = fixed64(reader);
        break;
      case 0x41:
        draft.endedAtNs = fixed64(reader);
        break;
      case 0x4a:
        draft.dropped += readAttribute(reader, draft.attributes);
        break;
      case 0x5a:
        if (draft.events.length < OTLP_LIMITS.eventsPerSpan) draft.events.push(within(reader, readEvent));
        else {
          reader.skipType(LENGTH_DELIMITED);
          draft.dropped += 1;
        }
        break;
      case 0x6a:
        if (draft.links.length < OTLP_LIMITS.linksPerSpan) draft.links.push(within(reader, readLink));
        else {
          reader.skipType(LENGTH_DELIMITED);
          draft.dropped += 1;
        }
        break;
      case 0x50:
      case 0x60:
      case 0x70:
        draft.dropped += reader.uint32();
        break;
      case 0x7a:
        within(reader, (inner) => readStatus(inner, draft));
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return draft;
}

function readResource(reader: Reader): Attributes {
  const attributes = new Map<string, AttributeValue>();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) readAttribute(reader, attributes);
    else reader.skipType(tag & 7);
  }
  return attributes;
}

function readScope(reader: Reader): OtlpScope {
  const attributes = new Map<string, AttributeValue>();
  let name = '';
  let version = '';
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) name = reader.string();
    else if (isMessage(tag, 2)) version = reader.string();
    else if (isMessage(tag, 3)) readAttribute(reader, attributes);
    else reader.skipType(tag & 7);
  }
  return { name, version, attributes };
}

const NO_ATTRIBUTES: Attributes = new Map();
const NO_SCOPE: OtlpScope = { name: '', version: '', attributes: NO_ATTRIBUTES };

/** What gathers the items of a request (spans, log records, metrics), whichever encoding they came in. */
export interface ItemSink<T> {
  readonly resources: Attributes[];
  add(item: T, scope: OtlpScope): void;
  reject(reason: string): void;
}

/** Where a message's parts lie, since what is told of all may stand behind them. */
function readScopeItems<T>(reader: Reader, sink: ItemSink<T>, noun: string, readItem: (reader: Reader) => T): void {
  let scope = NO_SCOPE;
  const items: T[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) scope = within(reader, readScope);
    else if (isMessage(tag, 2)) {
      const start = reader.pos;
      try {
        items.push(within(reader, readItem));
      } catch (error) {
        // Its own length can be relied on, or nothing behind it can be read.
        if (reader.pos === start || reader.pos > reader.len) throw error;
        sink.reject(`a ${noun} of ${reader.pos - start} bytes is no valid protobuf message: ${(error as Error).message}`);
      }
    } else reader.skipType(tag & 7);
  }
  for (const item of items) sink.add(item, scope);
}

function readResourceItems<T>(reader: Reader, sink: ItemSink<T>, noun: string, readItem: (reader: Reader) => T): void {
  let resource: Attributes = NO_ATTRIBUTES;
  const place = sink.resources.push(resource) - 1;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (isMessage(tag, 1)) {
      resource = within(reader, readResource);
      sink.resources[place] = resource;
    } else if (isMessage(tag, 2)) within(reader, (inner) => readScopeItems(inner, sink, noun, readItem));
    else reader.skipType(tag & 7);
  }
}

/**
 * Reads an export request of any signal: resources, in them scopes, in them items.
 * @throws PlimsollError `invalid_argument` when the bytes are no such message at all
 */
export function decodeProtobufExport<T>(bytes: Buffer, sink: ItemSink<T>, noun: string, readItem: (reader: Reader) => T): void {
  const reader = protobuf.Reader.create(bytes);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (isMessage(tag, 1)) within(reader, (inner) => readResourceItems(inner, sink, noun, readItem));
      else reader.skipType(tag & 7);
    }
  } catch (cause) {
    throw new PlimsollError(
      'invalid_argument',
      `The body of ${bytes.length} bytes is no export request of a ${noun}: at byte ${reader.pos}: ${(cause as Error).message}.`,
      { cause, details: { param: 'body' } },
    );
  }
}

/**
 * @param receivedAtMs epoch milliseconds of the request's arrival
 * @throws PlimsollError `invalid_argument` when the bytes are no such message at all
 */
export function decodeProtobufRequest(bytes: Buffer, receivedAtMs: number): OtlpRequest {
  const builder = new RequestBuilder(receivedAtMs);
  decodeProtobufExport(bytes, builder, 'span', readSpan);
  return builder.finish();
}
