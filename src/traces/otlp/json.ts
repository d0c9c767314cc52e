import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { assertDepth } from '../../kernel/router-body.ts';
import type { ItemSink } from './protobuf.ts';
import {
  type Attributes,
  type AttributeValue,
  newSpanDraft,
  OTLP_LIMITS,
  type OtlpEvent,
  type OtlpRequest,
  type OtlpScope,
  RequestBuilder,
  type SpanDraft,
  setMember,
} from './span.ts';

/**
 * Reads an ExportTraceServiceRequest from JSON: names in camelCase (snake_case is taken too), ids as hex (base64 is taken too, since the usual
 * protobuf libraries write it), 64-bit integers as text or number, enums as numbers or names.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export type Json = Readonly<Record<string, unknown>>;

/** Of the whole body: values of attributes need three levels for each of theirs. */
const MAX_BODY_DEPTH = 160;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function member(of: Json, camelCase: string, snakeCase: string): unknown {
  return Object.hasOwn(of, camelCase) ? of[camelCase] : Object.hasOwn(of, snakeCase) ? of[snakeCase] : undefined;
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`${what} is no list`);
}

export function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw new TypeError(`${what} is no text`);
}

export function hexOf(value: unknown, bytes: number, what: string): string {
  const text = textOf(value, what);
  if (text.length === bytes * 2) return text.toLowerCase();
  const decoded = text.length === Math.ceil(bytes / 3) * 4 ? Buffer.from(text, 'base64') : null;
  return decoded?.length === bytes ? decoded.toString('hex') : text.toLowerCase();
}

export function nanosecondsOf(value: unknown, what: string): bigint {
  if (value === undefined || value === null || value === '') return 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
  throw new TypeError(`${what} is no count of nanoseconds: ${JSON.stringify(value)?.slice(0, 40)}`);
}

function enumOf(value: unknown, names: readonly string[]): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? Math.max(0, names.indexOf(value)) : 0;
}

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name) => `SPAN_KIND_${name}`);
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];

interface Budget {
  nodes: number;
}

export function readValue(value: unknown, depth: number, budget: Budget): AttributeValue {
  budget.nodes -= 1;
  if (!isObject(value) || depth > OTLP_LIMITS.valueDepth || budget.nodes < 0) return null;
  const text = member(value, 'stringValue', 'string_value');
  if (typeof text === 'string') return text;
  const bool = member(value, 'boolValue', 'bool_value');
  if (typeof bool === 'boolean') return bool;
  const int = member(value, 'intValue', 'int_value');
  if (int !== undefined) return integerOf(int);
  const double = member(value, 'doubleValue', 'double_value');
  if (double !== undefined) return typeof double === 'number' && Number.isFinite(double) ? double : doubleText(double);
  const array = member(value, 'arrayValue', 'array_value');
  if (isObject(array)) {
    const list: AttributeValue[] = [];
    for (const each of listOf(array.values, 'arrayValue.values')) {
      if (budget.nodes <= 0) break;
      list.push(readValue(each, depth + 1, budget));
    }
    return list;
  }
  const map = member(value, 'kvlistValue', 'kvlist_value');
  if (isObject(map)) {
    const result: Record<string, AttributeValue> = {};
    for (const each of listOf(map.values, 'kvlistValue.values')) {
      if (budget.nodes <= 0) break;
      if (isObject(each) && typeof each.key === 'string') setMember(result, each.key, readValue(each.value, depth + 1, budget));
    }
    return result;
  }
  const bytes = member(value, 'bytesValue', 'bytes_value');
  return typeof bytes === 'string' ? bytes : null;
}

function integerOf(value: unknown): AttributeValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function doubleText(value: unknown): AttributeValue {
  if (typeof value !== 'string') return null;
  const number = Number(value);
  return value !== '' && Number.isFinite(number) ? number : value;
}

/** @returns how many were left out */
function readAttributes(value: unknown, into: Map<string, AttributeValue>): number {
  let dropped = 0;
  for (const each of listOf(value, 'attributes')) {
    if (!isObject(each) || typeof each.key !== 'string') throw new TypeError('an attribute is no { key, value }');
    const { key } = each;
    if ((into.size >= OTLP_LIMITS.attributesPerSpan && !into.has(key)) || key.length > OTLP_LIMITS.nameCharacters) dropped += 1;
    else into.set(key, readValue(each.value, 0, { nodes: OTLP_LIMITS.valueNodes }));
  }
  return dropped;
}

export function attributesOf(value: unknown): Attributes {
  const attributes = new Map<string, AttributeValue>();
  readAttributes(value, attributes);
  return attributes;
}

function eventOf(value: unknown): OtlpEvent {
  if (!isObject(value)) throw new TypeError('an event is no object');
  return {
    name: textOf(value.name, 'name of an event').slice(0, OTLP_LIMITS.nameCharacters).toWellFormed(),
    atNs: nanosecondsOf(member(value, 'timeUnixNano', 'time_unix_nano'), 'timeUnixNano of an event'),
    attributes: attributesOf(value.attributes),
  };
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function readSpan(value: unknown): SpanDraft {
  if (!isObject(value)) throw new TypeError('a span is no object');
  const draft = newSpanDraft();
  draft.traceId = hexOf(member(value, 'traceId', 'trace_id'), 16, 'traceId');
  draft.spanId = hexOf(member(value, 'spanId', 'span_id'), 8, 'spanId');
  draft.parentSpanId = hexOf(member(value, 'parentSpanId', 'parent_span_id'), 8, 'parentSpanId');
  draft.name = textOf(value.name, 'name');
  draft.kind = enumOf(value.kind, SPAN_KINDS);
  draft.startedAtNs = nanosecondsOf(member(value, 'startTimeUnixNano', 'start_time_unix_nano'), 'startTimeUnixNano');
  draft.endedAtNs = nanosecondsOf(member(value, 'endTimeUnixNano', 'end_time_unix_nano'), 'endTimeUnixNano');
  draft.dropped = readAttributes(value.attributes, draft.attributes);
  const events = listOf(value.events, 'events');
  draft.events = events.slice(0, OTLP_LIMITS.eventsPerSpan).map(eventOf);
  const links = listOf(value.links, 'links');
  draft.links = links.slice(0, OTLP_LIMITS.linksPerSpan).flatMap((link) =>
    isObject(link)
      ? [
          {
            traceId: hexOf(member(link, 'traceId', 'trace_id'), 16, 'traceId of a link'),
            spanId: hexOf(member(link, 'spanId', 'span_id'), 8, 'spanId of a link'),
          },
        ]
      : [],
  );
  draft.dropped +=
    events.length -
    draft.events.length +
    (links.length - draft.links.length) +
    countOf(member(value, 'droppedAttributesCount', 'dropped_attributes_count')) +
    countOf(member(value, 'droppedEventsCount', 'dropped_events_count')) +
    countOf(member(value, 'droppedLinksCount', 'dropped_links_count'));
  if (isObject(value.status)) {
    draft.statusCode = enumOf(value.status.code, STATUS_CODES);
    draft.statusMessage = textOf(value.status.message, 'message of the status');
  }
  return draft;
}

function scopeOf(value: unknown): OtlpScope {
  if (!isObject(value)) return { name: '', version: '', attributes: new Map() };
  return {
    name: textOf(value.name, 'scope.name'),
    version: textOf(value.version, 'scope.version'),
    attributes: attributesOf(value.attributes),
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  const text = UTF8.decode(bytes);
  assertDepth(text, MAX_BODY_DEPTH);
  // Times as numbers are beyond a double: then each number is read by how it is written.
  const hasLongNumbers = /(?:nano|intValue|int_value)"\s*:\s*-?\d{16}/i.test(text);
  return parseJsonText(text, hasLongNumbers ? exactNumber : null);
}

function exactNumber(source: string): unknown {
  const number = Number(source);
  return !Number.isSafeInteger(number) && /^-?\d+$/.test(source) ? source : number;
}

/** Names of the lists of one signal: resources, in them scopes, in them items. */
export interface JsonSignal {
  readonly noun: string;
  readonly resources: readonly [camelCase: string, snakeCase: string];
  readonly scopes: readonly [camelCase: string, snakeCase: string];
  readonly items: readonly [camelCase: string, snakeCase: string];
}

const SPANS: JsonSignal = {
  noun: 'span',
  resources: ['resourceSpans', 'resource_spans'],
  scopes: ['scopeSpans', 'scope_spans'],
  items: ['spans', 'spans'],
};

/**
 * Reads an export request of any signal.
 * @throws PlimsollError `invalid_argument` when the body is no such message at all
 */
export function decodeJsonExport<T>(bytes: Buffer, sink: ItemSink<T>, signal: JsonSignal, readItem: (value: unknown) => T): void {
  const { noun, resources, scopes, items } = signal;
  try {
    const body = parse(bytes);
    if (!isObject(body)) throw new TypeError('it is no object');
    for (const ofResource of listOf(member(body, ...resources), resources[0])) {
      if (!isObject(ofResource)) throw new TypeError(`${resources[0]} holds what is no object`);
      sink.resources.push(isObject(ofResource.resource) ? attributesOf(ofResource.resource.attributes) : new Map());
      for (const ofScope of listOf(member(ofResource, ...scopes), scopes[0])) {
        if (!isObject(ofScope)) throw new TypeError(`${scopes[0]} holds what is no object`);
        const scope = scopeOf(ofScope.scope);
        for (const item of listOf(member(ofScope, ...items), items[0])) {
          try {
            sink.add(readItem(item), scope);
          } catch (error) {
            sink.reject(`a ${noun} cannot be read: ${(error as Error).message}`);
          }
        }
      }
    }
  } catch (cause) {
    throw new PlimsollError('invalid_argument', `The body is no export request of a ${noun} in JSON: ${(cause as Error).message}.`, {
      cause,
      details: { param: 'body' },
    });
  }
}

/**
 * @param receivedAtMs epoch milliseconds of the request's arrival
 * @throws PlimsollError `invalid_argument` when the bytes are no such message at all
 */
export function decodeJsonRequest(bytes: Buffer, receivedAtMs: number): OtlpRequest {
  const builder = new RequestBuilder(receivedAtMs);
  decodeJsonExport(bytes, builder, SPANS, readSpan);
  return builder.finish();
}
