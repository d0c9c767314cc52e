import { priceAtServiceTier } from '../models/price.ts';
import type { PriceBook } from '../models/price-book.ts';
import { priceUsage } from '../models/price-usage.ts';
import type { Content, SpanScore } from './dialects/dialect.ts';
import { type CanonicalSpan, MODEL_CALL_KINDS, readSpan } from './dialects/read-span.ts';
import { ALL_CONTENT } from './dialects/registry.ts';
import { importedRows } from './export/imported-rows.ts';
import { factsOfSpan } from './export/span-facts.ts';
import { cut, isContent, shorten } from './kept-values.ts';
import { decodeBatch, featureOf, type OtlpBatchMeta, type PayloadPolicy, type SenderMeta } from './otlp/batch-record.ts';
import type { Attributes, OtlpSpan } from './otlp/span.ts';
import { type ReadText, readInputMessages, readOutputMessages, readPlain } from './preview.ts';
import { scoreRowOf } from './scores/score-rows.ts';
import type { ScoreRow } from './scores/store.ts';
import { spanOfLogs } from './sdk/from-logs.ts';
import { type FinishedRun, UNFINISHED_AFTER_MS } from './sdk/open-runs.ts';
import { featureOfRun, resourceOfRun } from './sdk/request-record.ts';
import { type RunPart, spanOfRun } from './sdk/run-part.ts';
import { type SpanIoRow, type SpanRow, UNFINISHED_ATTRIBUTE } from './store.ts';

const NS_PER_MS = 1_000_000n;

/** What goes into the stores of a request. */
interface SpanRows {
  readonly spans: readonly SpanRow[];
  readonly io: readonly SpanIoRow[];
  readonly scores: readonly ScoreRow[];
}

type CostColumns = Pick<SpanRow, 'costPicoUsd' | 'costStatus' | 'priceId'>;
const NO_COST: CostColumns = { costPicoUsd: null, costStatus: null, priceId: null };

/** Refusals that no provider charges for. */
const FREE_REFUSALS: ReadonlySet<string> = new Set(['provider_rate_limited', 'provider_auth_failed', 'provider_rejected']);

interface Costed {
  readonly columns: CostColumns;
  /** What our price book says, also where the sender's cost is preferred. */
  readonly pricedPicoUsd: bigint | null;
}

/** The sender's cost where it states one, else tokens × price book. What cannot be priced has no amount. */
function costOf(span: CanonicalSpan, startedAtMs: number, priceBook: PriceBook): Costed {
  if (!MODEL_CALL_KINDS.has(span.kind)) return { columns: NO_COST, pricedPicoUsd: null };
  const { tokens, provider, reportedCost } = span;
  const models = [span.responseModel, span.requestModel].filter((model) => model !== null);
  const price =
    provider === null
      ? undefined
      : models.map((model) => priceBook.find(provider.name, model, startedAtMs)).find((found) => found !== null);
  const priced = tokens === null || price == null ? null : priceUsage(tokens.usage, priceAtServiceTier(price, span.serviceTier));
  const pricedPicoUsd = priced?.costPicoUsd ?? null;
  const isOurs = reportedCost === null || (reportedCost.isEstimate && pricedPicoUsd !== null);
  if (!isOurs) return { columns: { costPicoUsd: reportedCost.costPicoUsd, costStatus: 'provider_reported', priceId: null }, pricedPicoUsd };
  if (priced !== null && pricedPicoUsd !== null) {
    const costStatus = tokens?.isAmbiguous || tokens?.isInconsistent ? 'estimated_tokens' : 'priced';
    return { columns: { costPicoUsd: pricedPicoUsd, costStatus, priceId: priced.priceId }, pricedPicoUsd };
  }
  if (tokens === null && span.errorType !== null && FREE_REFUSALS.has(span.errorType))
    return { columns: { costPicoUsd: 0n, costStatus: 'priced', priceId: null }, pricedPicoUsd };
  return { columns: { costPicoUsd: null, costStatus: 'unpriced', priceId: null }, pricedPicoUsd };
}

/** Everything that was sent and has no column, under the names under which it came; and, under `plimsoll.`, how it was read. */
function attributesOf(
  span: OtlpSpan,
  resource: Attributes,
  canonical: CanonicalSpan,
  costed: Costed,
  policy: PayloadPolicy,
): Record<string, unknown> {
  const kept = new Map<string, unknown>();
  const shortened: string[] = [];
  // Whoever wants no texts kept wants none in any attribute that is known to hold some.
  const content = policy === 'full' ? (canonical.input === null && canonical.output === null ? [] : canonical.content) : ALL_CONTENT;
  const keep = (name: string, value: unknown): void => {
    if (isContent(name, content)) return;
    // Names under plimsoll. are ours: nobody else may write what we say of a span.
    const safe = name.startsWith('plimsoll.') ? `client.${name}` : name;
    const short = cut(value);
    if (short.isCut) shortened.push(safe);
    kept.set(safe, short.value);
  };
  for (const [name, value] of span.attributes) keep(name, value);
  for (const [name, value] of resource) keep(`resource.${name}`, value);
  if (span.scope.name !== '') kept.set('scope.name', span.scope.name.slice(0, 256));
  if (span.scope.version !== '') kept.set('scope.version', span.scope.version.slice(0, 256));
  const events = span.events.map(({ name, atNs, attributes }) => ({
    name,
    atNs: atNs.toString(),
    attributes: Object.fromEntries(
      [...attributes]
        .filter(([attribute]) => !isEventContent(name, attribute, policy))
        .map(([attribute, value]) => [attribute, cut(value).value]),
    ),
  }));
  if (events.length > 0) kept.set('events', events);
  if (span.links.length > 0) kept.set('links', span.links);
  for (const [name, value] of Object.entries(reading(span, canonical, costed, policy)))
    if (value !== null && value !== undefined) kept.set(`plimsoll.${name}`, value);
  if (shortened.length > 0) kept.set('plimsoll.cut_attributes', shortened);
  return Object.fromEntries(kept);
}

function isEventContent(event: string, attribute: string, policy: PayloadPolicy): boolean {
  if (policy === 'full') return /^gen_ai\.(system|user|assistant|tool)\.message$|^gen_ai\.choice$|^gen_ai\.content\./.test(event);
  return event.startsWith('gen_ai.') ? !attribute.startsWith('gen_ai.evaluation.') : isContent(attribute, ALL_CONTENT);
}

/** How the span was read, for who doubts it. */
function reading(span: OtlpSpan, canonical: CanonicalSpan, costed: Costed, policy: PayloadPolicy): Record<string, unknown> {
  const { tokens, reportedCost, firstToken, provider, documents, scores } = canonical;
  return {
    dialect: canonical.dialect,
    'usage.rule': tokens?.rule,
    'usage.readings':
      tokens === null ||
      (tokens.readings.inclusive.inputTokens === tokens.readings.exclusive.inputTokens &&
        tokens.readings.inclusive.outputTokens === tokens.readings.exclusive.outputTokens)
        ? null
        : tokens.readings,
    'usage.is_ambiguous': tokens?.isAmbiguous ? true : null,
    'usage.is_inconsistent': tokens?.isInconsistent ? true : null,
    'cost.reported_pico_usd': reportedCost?.costPicoUsd.toString(),
    'cost.priced_pico_usd': reportedCost === null ? null : costed.pricedPicoUsd?.toString(),
    'ttft.source': firstToken?.source,
    'provider.is_inferred': provider?.isInferred ? true : null,
    documents: documents.length > 0 ? documents.map(({ id, score, metadata }) => ({ id, score, metadata: cut(metadata).value })) : null,
    scores: scores.length > 0 ? scores : null,
    payloads: policy === 'full' ? null : policy,
    dropped_parts: span.dropped > 0 ? span.dropped : null,
  };
}

/** Payload text of what went in: a request body in the hub's form, or the value as JSON or text. */
function inputText(content: Content): string {
  if (content.kind === 'messages')
    return JSON.stringify({ messages: content.messages, ...(content.tools === undefined ? {} : { tools: content.tools }) });
  return typeof content.value === 'string' ? content.value : JSON.stringify(content.value);
}

function outputText(content: Content): string {
  if (content.kind === 'messages') return JSON.stringify(content.messages);
  return typeof content.value === 'string' ? content.value : JSON.stringify(content.value);
}

function readContent(content: Content | null, text: string | null, readMessages: (messages: readonly unknown[]) => ReadText): ReadText {
  return content?.kind === 'messages' ? readMessages(content.messages) : readPlain(text ?? '');
}

function ioRowOf(span: OtlpSpan, canonical: CanonicalSpan, meta: SenderMeta, feature: string): SpanIoRow | null {
  const policy = meta.features[feature] ?? 'none';
  const { documents } = canonical;
  const output: Content | null = documents.length > 0 ? { kind: 'value', value: { documents } } : canonical.output;
  if (policy === 'none' || (canonical.input === null && output === null)) return null;
  const input = canonical.input === null ? null : inputText(canonical.input);
  const answer = output === null ? null : outputText(output);
  const readIn = readContent(canonical.input, input, readInputMessages);
  const readOut = readContent(output, answer, readOutputMessages);
  const base = {
    organisationId: meta.organisationId,
    environment: meta.environment,
    feature,
    traceId: span.traceId,
    spanId: span.spanId,
    startedAtNs: span.startedAtNs,
    inputPreview: readIn.preview,
    outputPreview: readOut.preview,
    inputSearch: policy === 'preview' ? readIn.preview : readIn.search,
    outputSearch: policy === 'preview' ? readOut.preview : readOut.search,
  };
  if (policy === 'preview')
    return { ...base, input: input === null ? null : readIn.preview, output: answer === null ? null : readOut.preview, isTruncated: false };
  const shortIn = input === null ? null : shorten(input, meta.maxPayloadBytes);
  const shortOut = answer === null ? null : shorten(answer, meta.maxPayloadBytes);
  return { ...base, input: shortIn?.text ?? null, output: shortOut?.text ?? null, isTruncated: Boolean(shortIn?.isCut || shortOut?.isCut) };
}

function spanRowOf(
  span: OtlpSpan,
  resource: Attributes,
  canonical: CanonicalSpan,
  meta: SenderMeta,
  feature: string,
  priceBook: PriceBook,
): SpanRow {
  const policy = meta.features[feature] ?? 'none';
  const costed = costOf(canonical, Number(span.startedAtNs / NS_PER_MS), priceBook);
  const { provider, requestModel, responseModel, tokens } = canonical;
  const isModelCall = MODEL_CALL_KINDS.has(canonical.kind);
  const models = isModelCall ? [responseModel ?? requestModel].filter((model) => model !== null) : [];
  return {
    organisationId: meta.organisationId,
    environment: meta.environment,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    callId: null,
    isEntry: isModelCall || span.parentSpanId === null,
    isRequest: isModelCall,
    startedAtNs: span.startedAtNs,
    durationNs: span.endedAtNs - span.startedAtNs,
    name: canonical.name.slice(0, 512),
    kind: canonical.kind,
    status: canonical.failure === null ? 'ok' : 'error',
    statusMessage: (canonical.failure?.message ?? span.status.message).slice(0, 2_000).toWellFormed(),
    errorType: canonical.errorType,
    httpStatus: canonical.httpStatus,
    feature,
    team: meta.team,
    user: canonical.user,
    session: canonical.session,
    customer: canonical.customer,
    tags: canonical.tags,
    keyId: meta.keyId,
    route: null,
    provider: provider?.name ?? null,
    requestedModel: requestModel,
    requestModel,
    responseModel,
    responseId: canonical.responseId,
    finishReasons: canonical.finishReasons,
    models,
    providers: provider === null ? [] : [provider.name],
    modelNames: isModelCall ? [...new Set([requestModel, responseModel].filter((model) => model !== null))] : [],
    usage: tokens?.usage ?? null,
    usageSource: tokens === null ? null : 'reported',
    ...costed.columns,
    ttftMs: canonical.firstToken?.ms ?? null,
    interTokenMeanMs: null,
    interTokenMaxMs: null,
    attempts: isModelCall ? 1 : 0,
    fallbackFrom: null,
    isStream: canonical.isStream,
    isSimulated: false,
    isRecovered: false,
    attributes: attributesOf(span, resource, canonical, costed, policy),
  };
}

const NO_ATTRIBUTES: Attributes = new Map();

/**
 * The rows of one journaled OTLP request. Pure: the same record gives the same rows. Whether a model call is counted once only is not decided here
 * (`count-once.ts`): that needs its neighbours.
 * @throws PlimsollError `invalid_argument` when the body cannot be read, which its receipt has ruled out
 */
export function rowsFromOtlp(meta: OtlpBatchMeta, body: Buffer, priceBook: PriceBook): SpanRows {
  const request = decodeBatch(body, meta);
  const spans: SpanRow[] = [];
  const io: SpanIoRow[] = [];
  const scores: ScoreRow[] = [];
  for (const span of request.spans) {
    const rows = rowsOfSpan(span, request.resources[span.resource] ?? NO_ATTRIBUTES, meta, priceBook);
    if (rows === null) continue;
    spans.push(rows.span);
    if (rows.io !== null) io.push(rows.io);
    scores.push(...rows.scores);
  }
  return { spans, io, scores };
}

interface RowsOfSpan {
  readonly span: SpanRow;
  readonly io: SpanIoRow | null;
  readonly scores: readonly ScoreRow[];
}

/** The rows of one span; null when it belongs to no feature that its sender may send for. */
function rowsOfSpan(span: OtlpSpan, resource: Attributes, meta: SenderMeta, priceBook: PriceBook): RowsOfSpan | null {
  const feature = featureOf(span, resource, meta);
  if (feature === null) return null;
  const facts = factsOfSpan(span.attributes);
  if (facts !== null) return { ...importedRows(span, resource, facts, meta, feature), scores: [] };
  const canonical = readSpan(span, resource);
  return {
    span: spanRowOf(span, resource, canonical, meta, feature, priceBook),
    io: ioRowOf(span, canonical, meta, feature),
    scores: canonical.scores.flatMap((score) => scoreRowFrom(score, span, meta, feature) ?? []),
  };
}

/** A judgement that came with a span, as one of our scores; null when it judged nothing. */
function scoreRowFrom(
  { name, value, label, explanation }: SpanScore,
  { traceId, spanId, endedAtNs }: OtlpSpan,
  sender: SenderMeta,
  feature: string,
): ScoreRow | null {
  const judged = value ?? label;
  if (judged === null || judged === '' || name === '') return null;
  const atMs = Number(endedAtNs / NS_PER_MS);
  return scoreRowOf(
    sender,
    {
      traceId,
      spanId,
      feature,
      name: name.slice(0, 256),
      value: typeof judged === 'string' ? judged.slice(0, 1_000) : judged,
      source: 'code',
      at: atMs,
      ...(explanation === null || explanation === '' ? {} : { comment: explanation.slice(0, 4_000) }),
    },
    atMs,
  );
}

/** A part as it may be kept while its run goes on: without texts where the feature keeps none. */
export function keptPart(part: RunPart, sender: SenderMeta): RunPart {
  const feature = featureOfRun(part, sender);
  if (feature !== null && sender.features[feature] !== 'none') return part;
  const attributes = Object.fromEntries(Object.entries(part.attributes).filter(([name]) => !isContent(name, ALL_CONTENT)));
  return { ...part, attributes };
}

/**
 * The rows of what was told of in pieces, at the endpoints of SDKs or in logs: texts only for the latter. What nobody saw end counts as no request:
 * its end may come yet.
 */
export function rowsFromRun(run: FinishedRun, priceBook: PriceBook): SpanRows {
  if (run.part.isLog === true) {
    const span = spanOfLogs(run.part);
    const feature = featureOfRun(run.part, run.sender);
    const io = feature === null ? null : ioRowOf(span, readSpan(span, NO_ATTRIBUTES), run.sender, feature);
    return { spans: [], io: io === null ? [] : [io], scores: [] };
  }
  const rows = rowsOfRun(run, priceBook);
  return rows === null
    ? { spans: [], io: [], scores: [] }
    : { spans: [rows.span], io: rows.io === null ? [] : [rows.io], scores: rows.scores };
}

function rowsOfRun({ part, sender, isUnfinished }: FinishedRun, priceBook: PriceBook): RowsOfSpan | null {
  const rows = rowsOfSpan(spanOfRun(part), resourceOfRun(part), sender, priceBook);
  if (rows === null || !isUnfinished) return rows;
  return {
    ...rows,
    span: {
      ...rows.span,
      ...NO_COST,
      isEntry: rows.span.parentSpanId === null,
      isRequest: false,
      attempts: 0,
      status: 'aborted',
      statusMessage: `No end of it was told within ${UNFINISHED_AFTER_MS / 60_000} minutes.`,
      attributes: { ...rows.span.attributes, [UNFINISHED_ATTRIBUTE]: true },
    },
  };
}
