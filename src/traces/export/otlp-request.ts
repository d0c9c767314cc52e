import { parseJsonText } from '../../kernel/parse-json.ts';
import { columnAttributes, exactAttributes, otlpSpan } from '../otlp/export-spans.ts';
import { isRecord } from '../preview.ts';
import type { SpanRow } from '../store.ts';
import type { ExportedSpan } from './columns.ts';
import { SPAN_ATTRIBUTE, type SpanFacts, type TextPlace } from './span-facts.ts';

/** Where the messages are in a text: everybody finds them under OpenTelemetry's name, and the text can be put together again, character by character. */
function placeOfText(
  text: string | null,
  side: 'input' | 'output',
  span: SpanRow,
): { readonly value: string; readonly place: TextPlace } | null {
  if (text === null) return null;
  const named = (name: string): string => (Object.hasOwn(span.attributes, name) ? `plimsoll.${side}` : name);
  const messages = messagesIn(text, side);
  const at = messages === null ? -1 : text.indexOf(messages);
  if (messages !== null && at >= 0)
    return {
      value: messages,
      place: { attribute: named(`gen_ai.${side}.messages`), before: text.slice(0, at), after: text.slice(at + messages.length) },
    };
  const attribute = span.kind === 'tool' ? `gen_ai.tool.call.${side === 'input' ? 'arguments' : 'result'}` : `${side}.value`;
  return { value: text, place: { attribute: named(attribute), before: '', after: '' } };
}

/** The list of messages as it stands in the text, if it was written without spaces. */
function messagesIn(text: string, side: 'input' | 'output'): string | null {
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch {
    return null;
  }
  const list = side === 'output' ? value : isRecord(value) ? (value.messages ?? value.contents ?? value.input) : null;
  return Array.isArray(list) && list.length > 0 ? JSON.stringify(list) : null;
}

interface StoredEvent {
  readonly name: string;
  readonly atNs: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

function factsOf({ span, isTruncated }: ExportedSpan): Omit<SpanFacts, 'added' | 'input' | 'output'> {
  const {
    costPicoUsd,
    organisationId: _o,
    environment: _e,
    traceId: _t,
    spanId: _s,
    parentSpanId: _p,
    startedAtNs: _a,
    durationNs: _d,
    ...rest
  } = span;
  const { attributes: _attributes, keyId: _key, feature: _feature, callId, ...columns } = rest;
  return { version: 1, ...columns, originalCallId: callId, costPicoUsd: costPicoUsd?.toString() ?? null, isTruncated };
}

interface Parts {
  readonly resource: Record<string, unknown>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly span: object;
}

/** Attributes go back to where they came from: resource, scope, events, links; what a span has as columns stands beside them in one of our own. */
function partsOf(exported: ExportedSpan): Parts {
  const { span } = exported;
  const stored = new Map(Object.entries(span.attributes));
  const added: string[] = [];
  const attributes = new Map<string, unknown>();
  const resource = new Map<string, unknown>();
  const put = (name: string, value: unknown): void => {
    if (value === null || value === undefined || stored.has(name)) return;
    attributes.set(name, value);
    added.push(name);
  };
  for (const [name, value] of Object.entries(columnAttributes(span))) put(name, value);
  const texts = {
    input: placeOfText(exported.input, 'input', span),
    output: placeOfText(exported.output, 'output', span),
  };
  for (const text of [texts.input, texts.output]) if (text !== null) put(text.place.attribute, text.value);
  const { 'scope.name': scopeName, 'scope.version': scopeVersion, events, links, ...own } = Object.fromEntries(stored);
  for (const [name, value] of Object.entries(own))
    if (name.startsWith('resource.')) resource.set(name.slice('resource.'.length), value);
    else attributes.set(name, value);
  if (resource.size === 0) {
    resource.set('service.name', 'plimsoll');
    added.push('resource.service.name');
  }
  if (scopeName === undefined) added.push('scope.name');
  const facts: SpanFacts = { ...factsOf(exported), added, input: texts.input?.place ?? null, output: texts.output?.place ?? null };
  return {
    resource: Object.fromEntries(resource),
    scope: { name: typeof scopeName === 'string' ? scopeName : 'plimsoll', version: typeof scopeVersion === 'string' ? scopeVersion : '' },
    span: {
      // First: what is over a receiver's cap on attributes is left out at the end.
      ...otlpSpan(span, exactAttributes([[SPAN_ATTRIBUTE, JSON.stringify(facts)], ...attributes])),
      // Written by from-otlp.ts, in this form.
      events: ((events ?? []) as readonly StoredEvent[]).map((event) => ({
        name: event.name,
        timeUnixNano: event.atNs,
        attributes: exactAttributes(Object.entries(event.attributes)),
      })),
      links: links ?? [],
    },
  };
}

/**
 * An ExportTraceServiceRequest in OTLP's JSON, with texts. Any OTLP receiver reads it; a Plimsoll reads back what was exported, field by field. Pure.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter (one request a line)
 */
export function otlpExportRequest(exported: readonly ExportedSpan[]): object {
  const groups = Map.groupBy(exported.map(partsOf), ({ resource, scope }) => JSON.stringify([resource, scope]));
  return {
    resourceSpans: [...groups.values()].map((spans) => ({
      resource: { attributes: exactAttributes(Object.entries(spans[0]?.resource ?? {})) },
      scopeSpans: [{ scope: spans[0]?.scope, spans: spans.map(({ span }) => span) }],
    })),
  };
}
