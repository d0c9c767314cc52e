import {
  attributesOf,
  decodeJsonExport,
  hexOf,
  isObject,
  type JsonSignal,
  member,
  nanosecondsOf,
  readValue as readJsonValue,
  textOf,
} from './json.ts';
import {
  decodeProtobufExport,
  fixed64,
  hexId,
  type ItemSink,
  isMessage,
  type Reader,
  readAttribute,
  readValue,
  within,
} from './protobuf.ts';
import type { OtlpEncoding } from './response.ts';
import { type Attributes, type AttributeValue, OTLP_LIMITS, type OtlpScope } from './span.ts';

/** A log record that is an event of the GenAI conventions and belongs to a span. */
export interface GenAiLog {
  readonly traceId: string;
  readonly spanId: string;
  readonly atNs: bigint;
  readonly event: string;
  /** With the body under `body`, where it has one. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly resource: Attributes;
  readonly scope: OtlpScope;
}

export interface LogRequest {
  readonly logs: readonly GenAiLog[];
  readonly rejected: number;
  readonly reason: string;
}

interface LogDraft {
  traceId: string;
  spanId: string;
  atNs: bigint;
  observedAtNs: bigint;
  event: string;
  body: AttributeValue;
  attributes: Map<string, AttributeValue>;
}

/**
 * Events that are kept: the details of a call, its messages in the generation before, and judgements.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
 */
const EVENT = /^gen_ai\.(client\.(inference\.)?operation\.details|(system|user|assistant|tool)\.message|choice|evaluation\.result)$/;
const NS_PER_MS = 1_000_000n;

/** Takes what is a GenAI event of a span, and says of the rest that it is not kept. */
class LogsBuilder implements ItemSink<LogDraft> {
  readonly resources: Attributes[] = [];
  readonly #logs: (Omit<GenAiLog, 'resource'> & { readonly place: number })[] = [];
  readonly #receivedAtMs: number;
  #rejected = 0;
  #reason = '';

  constructor(receivedAtMs: number) {
    this.#receivedAtMs = receivedAtMs;
  }

  reject(reason: string): void {
    this.#rejected += 1;
    if (this.#reason === '') this.#reason = reason;
  }

  add(draft: LogDraft, scope: OtlpScope): void {
    const { traceId, spanId, body, attributes } = draft;
    const named = attributes.get('event.name');
    const event = draft.event || (typeof named === 'string' ? named : '');
    const atNs = draft.atNs > 0n ? draft.atNs : draft.observedAtNs;
    const problem = this.#problemOf(event, draft, Number(atNs / NS_PER_MS));
    if (problem !== null) {
      this.reject(problem);
      return;
    }
    // Some write the fields of the event into its body, some into its attributes.
    if (isObject(body))
      for (const [name, value] of Object.entries(body)) if (name.startsWith('gen_ai.')) attributes.set(name, value as AttributeValue); // of a value that was read as one
    if (body !== null) attributes.set('body', body);
    this.#logs.push({ traceId, spanId, atNs, event, attributes, place: this.resources.length - 1, scope });
  }

  #problemOf(event: string, { traceId, spanId }: LogDraft, atMs: number): string | null {
    if (this.#logs.length >= OTLP_LIMITS.spansPerRequest)
      return `a request may hold ${OTLP_LIMITS.spansPerRequest} log records: send smaller batches`;
    if (!EVENT.test(event)) return 'of logs only GenAI events (gen_ai.…) are kept';
    if (!/^(?!0{32})[0-9a-f]{32}$/.test(traceId) || !/^(?!0{16})[0-9a-f]{16}$/.test(spanId))
      return `a ${event} names no span that it belongs to`;
    if (atMs < this.#receivedAtMs - OTLP_LIMITS.pastMs || atMs > this.#receivedAtMs + OTLP_LIMITS.futureMs)
      return `a ${event} lies more than five years back or more than a day in the future`;
    return null;
  }

  finish(): LogRequest {
    // What is told of the resource may stand behind its records.
    const logs = this.#logs.map(({ place, ...log }) => ({ ...log, resource: this.resources[place] ?? new Map() }));
    return { logs, rejected: this.#rejected, reason: this.#reason };
  }
}

function newDraft(): LogDraft {
  return { traceId: '', spanId: '', atNs: 0n, observedAtNs: 0n, event: '', body: null, attributes: new Map() };
}

function readRecord(reader: Reader): LogDraft {
  const draft = newDraft();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 0x09) draft.atNs = fixed64(reader);
    else if (tag === 0x59) draft.observedAtNs = fixed64(reader);
    else if (isMessage(tag, 5)) draft.body = within(reader, (inner) => readValue(inner, 0, { nodes: OTLP_LIMITS.valueNodes }));
    else if (isMessage(tag, 6)) readAttribute(reader, draft.attributes);
    else if (isMessage(tag, 9)) draft.traceId = hexId(reader);
    else if (isMessage(tag, 10)) draft.spanId = hexId(reader);
    else if (isMessage(tag, 12)) draft.event = reader.string();
    else reader.skipType(tag & 7);
  }
  return draft;
}

const LOGS: JsonSignal = {
  noun: 'log record',
  resources: ['resourceLogs', 'resource_logs'],
  scopes: ['scopeLogs', 'scope_logs'],
  items: ['logRecords', 'log_records'],
};

function readJsonRecord(value: unknown): LogDraft {
  if (!isObject(value)) throw new TypeError('it is no object');
  return {
    traceId: hexOf(member(value, 'traceId', 'trace_id'), 16, 'traceId'),
    spanId: hexOf(member(value, 'spanId', 'span_id'), 8, 'spanId'),
    atNs: nanosecondsOf(member(value, 'timeUnixNano', 'time_unix_nano'), 'timeUnixNano'),
    observedAtNs: nanosecondsOf(member(value, 'observedTimeUnixNano', 'observed_time_unix_nano'), 'observedTimeUnixNano'),
    event: textOf(member(value, 'eventName', 'event_name'), 'eventName'),
    body: value.body === undefined ? null : readJsonValue(value.body, 0, { nodes: OTLP_LIMITS.valueNodes }),
    attributes: new Map(attributesOf(value.attributes)),
  };
}

/** ExportLogsServiceRequest. @throws PlimsollError `invalid_argument` when the body is no such message at all */
export function decodeLogs(body: Buffer, encoding: OtlpEncoding, receivedAtMs: number): LogRequest {
  const builder = new LogsBuilder(receivedAtMs);
  if (encoding === 'json') decodeJsonExport(body, builder, LOGS, readJsonRecord);
  else decodeProtobufExport(body, builder, LOGS.noun, readRecord);
  return builder.finish();
}
