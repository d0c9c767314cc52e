import { decidingAttempt } from '../../costs/repricing/report.ts';
import type { LedgerAttempt, LedgerRow, RepricedCall } from '../../costs/store.ts';
import { inputTokens, outputTokens, type Usage } from '../../models/usage.ts';
import { classifyAnswer } from '../../traces/answer-class.ts';
import type { ScoreRow } from '../../traces/scores/store.ts';
import { type SpanIoRow, type SpanRow, UNFINISHED_ATTRIBUTE } from '../../traces/store.ts';
import type { FramedIo, TextPart } from './text-parts.ts';

/** One value of a JSONCompactEachRow line. bigint is written as a quoted integer, which the server reads exactly. */
type Cell = string | number | boolean | null | readonly string[] | readonly number[] | Readonly<Record<string, string>>;

/** Half a surrogate pair cannot be stored as UTF-8 and would fail the whole batch. */
function text(value: string | null): string {
  if (value === null) return '';
  return value.isWellFormed() ? value : value.toWellFormed();
}

function texts(values: readonly string[]): string[] {
  return values.map(text);
}

/** A count for an unsigned column. What is not one is unknown: a single bad number must not fail the batch. */
function count(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function epochMs(value: number): number {
  return Math.trunc(value);
}

function tagMap(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [text(name), text(value)]));
}

/** Order of the classes inside the column `usage`. On disk: append only. */
export const USAGE_ORDER = [
  'inputUncachedTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'audioInputTokens',
  'outputTextTokens',
  'reasoningTokens',
  'audioOutputTokens',
] as const satisfies readonly (keyof Usage)[];

function usageCell(usage: Usage | null): number[] {
  return usage === null ? [] : USAGE_ORDER.map((name) => count(usage[name]) ?? 0);
}

/** The time in which the answer's tokens came out: after the first token for a real stream, else the whole call. */
function generationNs(span: SpanRow): bigint {
  if (!span.isStream || span.ttftMs === null || span.interTokenMeanMs === null) return span.durationNs;
  const afterFirst = span.durationNs - BigInt(Math.round(span.ttftMs * 1_000_000));
  return afterFirst > 0n ? afterFirst : span.durationNs;
}

/** Between what was asked and what was answered; `splitWords` tells them apart again. */
const WORDS_BETWEEN = '\n\u001e\n';

function joinWords(row: SpanIoRow): string {
  return row.inputSearch + WORDS_BETWEEN + row.outputSearch;
}

export function splitWords(words: string): { readonly input: string; readonly output: string } {
  const [input = '', output = ''] = words.split(WORDS_BETWEEN);
  return { input, output };
}

export function hasWords(row: SpanIoRow): boolean {
  return row.inputSearch !== '' || row.outputSearch !== '';
}

/** What the store would else read from the attributes' JSON, a parse for each column. */
function attributeText({ attributes }: SpanRow, name: string): string {
  const value = attributes[name];
  return typeof value === 'string' ? text(value) : value === undefined || value === null ? '' : JSON.stringify(value);
}

/** A whole number of 64 bits, decimal; null when it is none. */
function attributeInteger(span: SpanRow, name: string): string | null {
  const value = attributeText(span, name);
  return /^-?\d{1,19}$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value) ? value : null;
}

type Columns<Row> = readonly (readonly [column: string, value: (row: Row) => Cell])[];

const SPAN_COLUMNS: Columns<SpanRow> = [
  ['organisation_id', (span) => text(span.organisationId)],
  ['environment', (span) => text(span.environment)],
  ['is_entry', (span) => span.isEntry],
  ['is_request', (span) => span.isRequest],
  ['started_at_ns', (span) => span.startedAtNs.toString()],
  ['trace_id', (span) => text(span.traceId)],
  ['span_id', (span) => text(span.spanId)],
  ['parent_span_id', (span) => text(span.parentSpanId)],
  ['call_id', (span) => text(span.callId)],
  ['duration_ns', (span) => span.durationNs.toString()],
  ['generation_ns', (span) => generationNs(span).toString()],
  ['name', (span) => text(span.name)],
  ['kind', (span) => span.kind],
  ['status', (span) => span.status],
  ['status_message', (span) => text(span.statusMessage)],
  ['error_type', (span) => span.errorType ?? ''],
  ['http_status', (span) => count(span.httpStatus) ?? 0],
  ['feature', (span) => text(span.feature)],
  ['team', (span) => text(span.team)],
  ['user_id', (span) => text(span.user)],
  ['session_id', (span) => text(span.session)],
  ['customer', (span) => text(span.customer)],
  ['tags', (span) => tagMap(span.tags)],
  ['key_id', (span) => text(span.keyId)],
  ['route', (span) => text(span.route)],
  ['provider', (span) => text(span.provider)],
  ['model', (span) => text(span.responseModel ?? span.requestModel)],
  ['requested_model', (span) => text(span.requestedModel)],
  ['request_model', (span) => text(span.requestModel)],
  ['response_model', (span) => text(span.responseModel)],
  ['response_id', (span) => text(span.responseId)],
  ['finish_reasons', (span) => texts(span.finishReasons)],
  ['models', (span) => texts(span.models)],
  ['providers', (span) => texts(span.providers)],
  ['model_names', (span) => texts(span.modelNames)],
  ['input_tokens', (span) => count(span.usage && inputTokens(span.usage))],
  ['output_tokens', (span) => count(span.usage && outputTokens(span.usage))],
  ['usage', (span) => usageCell(span.usage)],
  ['usage_source', (span) => span.usageSource ?? ''],
  ['cost_pico_usd', (span) => span.costPicoUsd?.toString() ?? null],
  ['cost_status', (span) => span.costStatus ?? ''],
  ['price_id', (span) => text(span.priceId)],
  ['ttft_ms', (span) => span.ttftMs],
  ['inter_token_mean_ms', (span) => span.interTokenMeanMs],
  ['inter_token_max_ms', (span) => span.interTokenMaxMs],
  ['attempts', (span) => span.attempts],
  ['fallback_from', (span) => text(span.fallbackFrom)],
  ['is_stream', (span) => span.isStream],
  ['is_simulated', (span) => span.isSimulated],
  ['is_recovered', (span) => span.isRecovered],
  ['is_unfinished', (span) => span.attributes[UNFINISHED_ATTRIBUTE] === true],
  ['attributes', (span) => text(JSON.stringify(span.attributes))],
  ['target', (span) => attributeText(span, 'plimsoll.model')],
  ['attempt_role', (span) => attributeText(span, 'plimsoll.attempt.role')],
  ['purpose', (span) => attributeText(span, 'plimsoll.purpose')],
  ['routing_strategy', (span) => attributeText(span, 'plimsoll.routing.strategy')],
  ['routing_tier', (span) => attributeText(span, 'plimsoll.routing.tier')],
  ['saving_pico_usd', (span) => attributeInteger(span, 'plimsoll.routing.estimated_saving_pico_usd')],
  ['output_verdict', (span) => attributeText(span, 'plimsoll.output.verdict')],
];

const IO_COLUMNS: Columns<FramedIo> = [
  ['organisation_id', (row) => text(row.organisationId)],
  ['environment', (row) => text(row.environment)],
  ['trace_id', (row) => text(row.traceId)],
  ['span_id', (row) => text(row.spanId)],
  ['feature', (row) => text(row.feature)],
  ['started_at_ms', (row) => (row.startedAtNs / 1_000_000n).toString()],
  ['input', (row) => (row.input === null ? null : text(row.input))],
  ['output', (row) => (row.output === null ? null : text(row.output))],
  ['input_preview', (row) => text(row.inputPreview)],
  ['output_preview', (row) => text(row.outputPreview)],
  ['answer_class', (row) => classifyAnswer(row.outputPreview) ?? ''],
  ['is_truncated', (row) => row.isTruncated],
  ['text_group', (row) => row.textGroup],
  ['input_parts', (row) => row.inputParts],
  ['output_parts', (row) => row.outputParts],
];

const PART_COLUMNS: Columns<TextPart> = [
  ['organisation_id', (part) => text(part.organisationId)],
  ['environment', (part) => text(part.environment)],
  ['text_group', (part) => part.group],
  ['text_hash', (part) => part.hash],
  ['feature', (part) => text(part.feature)],
  ['started_at_ms', (part) => part.startedAtMs],
  ['text', (part) => text(part.text)],
];

const WORD_COLUMNS: Columns<SpanIoRow> = [
  ['organisation_id', (row) => text(row.organisationId)],
  ['environment', (row) => text(row.environment)],
  ['started_at_ns', (row) => row.startedAtNs.toString()],
  ['trace_id', (row) => text(row.traceId)],
  ['span_id', (row) => text(row.spanId)],
  ['feature', (row) => text(row.feature)],
  ['words', (row) => text(joinWords(row))],
];

function attemptsText(attempts: readonly LedgerAttempt[]): string {
  return text(JSON.stringify(attempts, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
}

const LEDGER_COLUMNS: Columns<LedgerRow> = [
  ['organisation_id', (row) => text(row.organisationId)],
  ['environment', (row) => text(row.environment)],
  ['call_id', (row) => text(row.callId)],
  ['trace_id', (row) => text(row.traceId)],
  ['started_at_ms', (row) => epochMs(row.startedAtMs)],
  ['feature', (row) => text(row.feature)],
  ['team', (row) => text(row.team)],
  ['user_id', (row) => text(row.user)],
  ['session_id', (row) => text(row.session)],
  ['customer', (row) => text(row.customer)],
  ['tags', (row) => tagMap(row.tags)],
  ['key_id', (row) => text(row.keyId)],
  ['requested_model', (row) => text(row.requestedModel)],
  ['operation', (row) => text(row.operation)],
  ['route', (row) => text(row.route)],
  ['status', (row) => row.status],
  ['error_type', (row) => row.errorType ?? ''],
  ['input_tokens', (row) => count(row.inputTokens)],
  ['output_tokens', (row) => count(row.outputTokens)],
  ['cost_pico_usd', (row) => row.costPicoUsd?.toString() ?? null],
  ['cost_status', (row) => row.costStatus],
  ['attempts', (row) => attemptsText(row.attempts)],
  ['is_simulated', (row) => row.isSimulated],
  ['is_recovered', (row) => row.isRecovered],
  ['cache_outcome', (row) => row.cacheOutcome ?? ''],
  ['saved_pico_usd', (row) => row.savedPicoUsd?.toString() ?? null],
  ['saved_input_tokens', (row) => count(row.savedInputTokens)],
  ['saved_output_tokens', (row) => count(row.savedOutputTokens)],
];

export interface StagedCall extends RepricedCall {
  readonly runId: string;
  readonly batch: number;
}

const REPRICING_COLUMNS: Columns<StagedCall> = [
  ['organisation_id', ({ after }) => text(after.organisationId)],
  ['environment', ({ after }) => text(after.environment)],
  ['run_id', ({ runId }) => runId],
  ['batch', ({ batch }) => batch],
  ['call_id', ({ after }) => text(after.callId)],
  ['started_at_ms', ({ after }) => epochMs(after.startedAtMs)],
  ['old_cost_pico_usd', ({ before }) => before.costPicoUsd?.toString() ?? null],
  ['old_cost_status', ({ before }) => before.costStatus],
  ['cost_pico_usd', ({ after }) => after.costPicoUsd?.toString() ?? null],
  ['cost_status', ({ after }) => after.costStatus],
  ['price_id', ({ after }) => text(decidingAttempt(after)?.priceId ?? null)],
  ['attempts', ({ after }) => attemptsText(after.attempts)],
  ['old_attempts', ({ before }) => attemptsText(before.attempts)],
  ['span_ids', ({ after }) => texts(after.attempts.map(({ spanId }) => spanId))],
  ['span_costs', ({ after }) => after.attempts.map(({ costPicoUsd }) => costPicoUsd?.toString() ?? '')],
  ['span_statuses', ({ after }) => after.attempts.map(({ costStatus }) => costStatus)],
  ['span_price_ids', ({ after }) => texts(after.attempts.map(({ priceId }) => priceId ?? ''))],
];

const SCORE_COLUMNS: Columns<ScoreRow> = [
  ['organisation_id', (row) => text(row.organisationId)],
  ['environment', (row) => text(row.environment)],
  ['feature', (row) => text(row.feature)],
  ['name', (row) => text(row.name)],
  ['score_id', (row) => row.scoreId],
  ['kind', (row) => row.kind],
  ['at_ms', (row) => epochMs(row.atMs)],
  ['received_at_ms', (row) => epochMs(row.receivedAtMs)],
  ['key_id', (row) => text(row.keyId)],
  ['trace_id', (row) => text(row.traceId)],
  ['span_id', (row) => text(row.spanId)],
  ['session_id', (row) => text(row.session)],
  ['external_id', (row) => text(row.externalId)],
  ['data_type', (row) => row.dataType],
  ['number', (row) => row.number],
  ['text', (row) => text(row.text)],
  ['source', (row) => row.source],
  ['evaluator', (row) => text(row.evaluator)],
  ['evaluator_trace_id', (row) => text(row.evaluatorTraceId)],
  ['user_id', (row) => text(row.user)],
  ['comment', (row) => text(row.comment)],
  ['value_pico_usd', (row) => row.valuePicoUsd?.toString() ?? null],
  ['metadata', (row) => text(JSON.stringify(row.metadata))],
  ['is_withdrawn', (row) => row.isWithdrawn],
];

export interface TableWriter<Row> {
  readonly table: string;
  readonly columns: readonly string[];
  line(row: Row): string;
}

function tableWriter<Row>(table: string, columns: Columns<Row>): TableWriter<Row> {
  const values = columns.map(([, value]) => value);
  return { table, columns: columns.map(([name]) => name), line: (row) => JSON.stringify(values.map((value) => value(row))) };
}

export const SPAN_WRITER = tableWriter('spans', SPAN_COLUMNS);
export const IO_WRITER = tableWriter('span_io', IO_COLUMNS);
export const PART_WRITER = tableWriter('text_parts', PART_COLUMNS);
export const WORD_WRITER = tableWriter('span_words', WORD_COLUMNS);
export const LEDGER_WRITER = tableWriter('ledger', LEDGER_COLUMNS);
export const SCORE_WRITER = tableWriter('scores', SCORE_COLUMNS);
export const REPRICING_WRITER = tableWriter('repricings', REPRICING_COLUMNS);

/** Keeps one insert well inside one block of the server, so that token and block stay one to one. */
const MAX_CHUNK_CHARACTERS = 6_000_000;

/** Lines in chunks whose limits depend on the rows alone: a replay cuts at the same places and so repeats the same tokens. */
export function* chunks<Row>(writer: TableWriter<Row>, rows: readonly Row[]): Generator<string> {
  let lines: string[] = [];
  let characters = 0;
  for (const row of rows) {
    const line = writer.line(row);
    if (lines.length > 0 && characters + line.length > MAX_CHUNK_CHARACTERS) {
      yield lines.join('\n');
      lines = [];
      characters = 0;
    }
    lines.push(line);
    characters += line.length + 1;
  }
  if (lines.length > 0) yield lines.join('\n');
}
