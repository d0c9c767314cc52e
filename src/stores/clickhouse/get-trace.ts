import { isErrorCode } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { CostStatus, Usage } from '../../models/usage.ts';
import type { Span, SpanKind, SpanTexts, TraceDetail, TraceStatus } from '../../traces/model.ts';
import type { TraceTexts } from '../../traces/store.ts';
import type { ClickHouseConnection } from './client.ts';
import { USAGE_ORDER } from './columns.ts';
import {
  byStart,
  deletionOf,
  ENTRY_COLUMNS,
  type EntryRecord,
  firstPreviews,
  SCOPE_FILTER,
  scopeParameters,
  summarise,
  withoutReplaced,
} from './entries.ts';
import { readIndex, readPreviews } from './entry-reads.ts';
import { readTexts } from './text-parts.ts';

const MAX_SPANS = 10_000;
/** Traces with more spans are sent without texts; they are asked for span by span. */
const MAX_SPANS_WITH_TEXTS = 300;
/** In which the texts of one span came. */
const MAX_PIECES = 100;
export const IO_COLUMNS =
  'span_id, input, output, input_preview, output_preview, is_truncated, text_group, input_parts, output_parts, deleted_by, deleted_after_days';
/** The same columns, empty where the texts are. */
const LIGHT_IO_COLUMNS = `span_id, NULL AS input, NULL AS output, '' AS input_preview, '' AS output_preview, is_truncated, toUInt64(0) AS text_group,
  CAST([], 'Array(String)') AS input_parts, CAST([], 'Array(String)') AS output_parts, deleted_by, deleted_after_days`;
/** Entries of a trace without texts in which one is looked for that says what the trace is about. */
const MAX_PREVIEWED_ENTRIES = 100;

interface SpanRecord extends EntryRecord {
  readonly kind: SpanKind;
  readonly status: TraceStatus;
  readonly status_message: string;
  readonly provider: string;
  readonly request_model: string;
  readonly response_model: string;
  readonly finish_reasons: string[];
  readonly usage: string[];
  readonly usage_source: 'reported' | 'estimated' | '';
  readonly price_id: string;
  readonly is_entry: number;
  readonly attributes: string;
}

export interface IoRecord {
  readonly text_group: string;
  readonly input_parts: readonly string[];
  readonly output_parts: readonly string[];
  readonly span_id: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly input_preview: string;
  readonly output_preview: string;
  readonly is_truncated: number;
  /** Place of the rule in the configuration; empty = nothing was deleted. */
  readonly deleted_by: string;
  readonly deleted_after_days: number;
}

export async function getTrace(
  connection: ClickHouseConnection,
  scope: Scope,
  traceId: string,
  wanted: TraceTexts,
): Promise<TraceDetail | null> {
  const bounds = (await readIndex(connection, scope, [traceId])).get(traceId);
  if (!bounds) return null;
  const parameters = { ...scopeParameters(scope), traceId, firstNs: bounds.first_ns, lastNs: bounds.last_ns };
  const hasTexts = wanted === 'always' || Number(bounds.spans) <= MAX_SPANS_WITH_TEXTS;
  const [rows, frames] = await Promise.all([
    connection.read<SpanRecord>(
      `SELECT ${ENTRY_COLUMNS}, kind, status_message, provider, request_model, response_model, finish_reasons, usage, usage_source, price_id,
         is_entry, attributes
       FROM spans WHERE ${SCOPE_FILTER} AND is_entry IN (0, 1) AND started_at_ns >= {firstNs:Int64} AND started_at_ns <= {lastNs:Int64}
         AND trace_id = {traceId:String}
       ORDER BY started_at_ns, span_id LIMIT ${MAX_SPANS}`,
      parameters,
    ),
    connection.read<IoRecord>(
      `SELECT ${hasTexts ? IO_COLUMNS : LIGHT_IO_COLUMNS} FROM span_io
       WHERE ${SCOPE_FILTER} AND trace_id = {traceId:String}${hasTexts ? '' : ' AND is_truncated = 1'} LIMIT ${MAX_SPANS}`,
      { ...scopeParameters(scope), traceId },
    ),
  ]);
  if (rows.length === 0) return null;
  const spans = withoutReplaced(rows);
  const entries = spans.filter((span) => span.is_entry === 1).sort(byStart);
  const io = textsBySpan(await readTexts(connection, scope, frames, msOf(bounds.first_ns), msOf(bounds.last_ns)));
  // A call that no client asked for is no request, and yet what its own trace is about.
  const shown =
    entries.length > 0
      ? entries
      : spans.slice(0, 1).map((span) => ({ ...span, is_request: span.kind === 'gateway' ? 1 : span.is_request }));
  const previewed = shown.slice(0, MAX_PREVIEWED_ENTRIES).map(({ span_id }) => span_id);
  const previews = hasTexts ? null : await readPreviews(connection, scope, [traceId], previewed);
  const entryTexts = shown.flatMap(
    (entry) => (previews === null ? io.get(entry.span_id) : previews.get(`${traceId}/${entry.span_id}`)) ?? [],
  );
  return {
    trace: {
      ...summarise(shown, { spanCount: Number(bounds.spans) - (rows.length - spans.length), ...firstPreviews(entryTexts) }),
      match: null,
    },
    hasTexts,
    spans: spans.map((span) => toSpan(span, io.get(span.span_id))),
  };
}

/** A span has several rows of texts when they came in pieces: with it, with its end, in logs. Of each side the longer text holds. */
export function textsBySpan(rows: readonly IoRecord[]): Map<string, IoRecord> {
  const io = new Map<string, IoRecord>();
  for (const row of rows) {
    const other = io.get(row.span_id);
    io.set(row.span_id, other === undefined ? row : joined(other, row));
  }
  return io;
}

function joined(a: IoRecord, b: IoRecord): IoRecord {
  const input = longer(a.input ?? a.input_preview, b.input ?? b.input_preview) ? b : a;
  const output = longer(a.output ?? a.output_preview, b.output ?? b.output_preview) ? b : a;
  return {
    ...a,
    input: input.input,
    output: output.output,
    input_preview: input.input_preview,
    output_preview: output.output_preview,
    is_truncated: Math.max(a.is_truncated, b.is_truncated),
  };
}

function longer(a: string, b: string): boolean {
  return b.length > a.length;
}

function msOf(ns: string): number {
  return Number(BigInt(ns) / 1_000_000n);
}

/** Null when the span has no texts, or is not stored. */
export async function getSpanTexts(
  connection: ClickHouseConnection,
  scope: Scope,
  traceId: string,
  spanId: string,
): Promise<SpanTexts | null> {
  const frames = await connection.read<IoRecord & { started_at_ms: string }>(
    `SELECT ${IO_COLUMNS}, started_at_ms FROM span_io WHERE ${SCOPE_FILTER} AND trace_id = {traceId:String} AND span_id = {spanId:String}
     ORDER BY started_at_ms LIMIT ${MAX_PIECES}`,
    { ...scopeParameters(scope), traceId, spanId },
  );
  const times = frames.map((frame) => Number(frame.started_at_ms));
  const texts = await readTexts(connection, scope, frames, times[0] ?? 0, times.at(-1) ?? 0);
  const io = textsBySpan(texts).get(spanId);
  return io === undefined ? null : { input: io.input, output: io.output, isTruncated: io.is_truncated === 1, textsDeleted: deletionOf(io) };
}

export function toUsage(counts: readonly string[]): Usage | null {
  if (counts.length === 0) return null;
  const usage = Object.fromEntries(USAGE_ORDER.map((name, place) => [name, Number(counts[place] ?? 0)]));
  return usage as Usage; // the keys come from USAGE_ORDER, which names all of them
}

export function parseAttributes(text: string): Record<string, unknown> {
  const value: unknown = parseJsonText(text === '' ? '{}' : text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}; // written by columns.ts as an object
}

function toSpan(span: SpanRecord, io: IoRecord | undefined): Span {
  return {
    spanId: span.span_id,
    parentSpanId: span.parent_span_id || null,
    name: span.name,
    kind: span.kind,
    startedAtNs: span.started_at_ns,
    durationNs: span.duration_ns,
    status: span.status,
    statusMessage: span.status_message,
    errorType: isErrorCode(span.error_type) ? span.error_type : null,
    provider: span.provider || null,
    requestModel: span.request_model || null,
    responseModel: span.response_model || null,
    finishReasons: span.finish_reasons,
    usage: toUsage(span.usage),
    usageSource: span.usage_source || null,
    costPicoUsd: span.cost_pico_usd,
    costStatus: (span.cost_status || null) satisfies CostStatus | null,
    priceId: span.price_id || null,
    ttftMs: span.ttft_ms,
    isEntry: span.is_entry === 1,
    attributes: parseAttributes(span.attributes),
    input: io?.input ?? null,
    output: io?.output ?? null,
    isTruncated: io?.is_truncated === 1,
    textsDeleted: deletionOf(io),
  };
}
