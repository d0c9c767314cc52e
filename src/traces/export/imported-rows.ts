import { ALL_CONTENT } from '../dialects/registry.ts';
import { cut, isContent, shorten } from '../kept-values.ts';
import type { PayloadPolicy, SenderMeta } from '../otlp/batch-record.ts';
import type { Attributes, OtlpSpan } from '../otlp/span.ts';
import { cutPreview, type ReadText, readInput, readOutput, readPlain } from '../preview.ts';
import type { SpanIoRow, SpanRow } from '../store.ts';
import { SPAN_ATTRIBUTE, type SpanFacts, type TextPlace } from './span-facts.ts';

/** The text, put together again; null when its attribute was lost on the way. */
function textAt(place: TextPlace | null, attributes: Attributes): string | null {
  if (place === null) return null;
  const value = attributes.get(place.attribute);
  return typeof value === 'string' ? place.before + value + place.after : null;
}

/** The attributes as they were stored where the span came from. */
function attributesOf(span: OtlpSpan, resource: Attributes, facts: SpanFacts, policy: PayloadPolicy): Record<string, unknown> {
  const added = new Set([...facts.added, SPAN_ATTRIBUTE]);
  const kept = new Map<string, unknown>();
  const keep = (name: string, value: unknown): void => {
    if (!added.has(name) && (policy === 'full' || !isContent(name, ALL_CONTENT))) kept.set(name, cut(value).value);
  };
  for (const [name, value] of span.attributes) keep(name, value);
  for (const [name, value] of resource) keep(`resource.${name}`, value);
  if (span.scope.name !== '') keep('scope.name', span.scope.name.slice(0, 256));
  if (span.scope.version !== '') keep('scope.version', span.scope.version.slice(0, 256));
  // With texts left out, an event of which nobody knows what it holds is left out whole.
  if (span.events.length > 0 && policy === 'full')
    kept.set(
      'events',
      span.events.map(({ name, atNs, attributes }) => ({
        name,
        atNs: atNs.toString(),
        attributes: Object.fromEntries([...attributes].map(([attribute, value]) => [attribute, cut(value).value])),
      })),
    );
  if (span.links.length > 0) kept.set('links', span.links);
  kept.set('plimsoll.imported', true);
  return Object.fromEntries(kept);
}

/** As the text was read where it came from: by its messages where it has some. */
function read(text: string | null, place: TextPlace | null, readMessages: (text: string, isPreview: boolean) => ReadText): ReadText {
  if (text === null) return { preview: '', search: '' };
  const found = readMessages(text, false);
  return found.preview === '' && found.search === '' && place?.attribute.endsWith('.messages') !== true ? readPlain(text) : found;
}

function ioRowOf(span: OtlpSpan, facts: SpanFacts, meta: SenderMeta, feature: string, policy: PayloadPolicy): SpanIoRow | null {
  const input = textAt(facts.input, span.attributes);
  const output = textAt(facts.output, span.attributes);
  if (policy === 'none' || (input === null && output === null)) return null;
  const [readIn, readOut] = [read(input, facts.input, readInput), read(output, facts.output, readOutput)];
  const isPreview = policy === 'preview';
  const kept = (text: string | null, preview: string): { text: string | null; isCut: boolean } => {
    if (text === null) return { text: null, isCut: false };
    return isPreview ? { text: preview, isCut: false } : shorten(text, meta.maxPayloadBytes);
  };
  const [keptInput, keptOutput] = [kept(input, readIn.preview), kept(output, readOut.preview)];
  return {
    organisationId: meta.organisationId,
    environment: meta.environment,
    feature,
    traceId: span.traceId,
    spanId: span.spanId,
    startedAtNs: span.startedAtNs,
    input: keptInput.text,
    output: keptOutput.text,
    inputPreview: readIn.preview,
    outputPreview: readOut.preview,
    inputSearch: isPreview ? cutPreview(readIn.preview) : readIn.search,
    outputSearch: isPreview ? cutPreview(readOut.preview) : readOut.search,
    isTruncated: facts.isTruncated || keptInput.isCut || keptOutput.isCut,
  };
}

/**
 * The rows of a span that another Plimsoll exported: as they were there. It belongs to the key that sends it, and is marked as imported
 * (`plimsoll.imported`). The ledger has nothing of it: it holds the calls of this Plimsoll's gateways.
 */
export function importedRows(
  span: OtlpSpan,
  resource: Attributes,
  facts: SpanFacts,
  meta: SenderMeta,
  feature: string,
): { span: SpanRow; io: SpanIoRow | null } {
  const policy = meta.features[feature] ?? 'none';
  const { version: _version, originalCallId: _call, added: _added, input: _input, output: _output, isTruncated: _cut, ...columns } = facts;
  return {
    span: {
      ...columns,
      organisationId: meta.organisationId,
      environment: meta.environment,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      callId: null,
      startedAtNs: span.startedAtNs,
      durationNs: span.endedAtNs - span.startedAtNs,
      feature,
      team: meta.team ?? columns.team,
      keyId: meta.keyId,
      costPicoUsd: columns.costPicoUsd === null ? null : BigInt(columns.costPicoUsd),
      attributes: attributesOf(span, resource, facts, policy),
    },
    io: ioRowOf(span, facts, meta, feature, policy),
  };
}
