import { parseJsonText } from '../../kernel/parse-json.ts';
import { inputTokens, NO_USAGE, outputTokens, type Usage } from '../../models/usage.ts';
import type { Span, TraceDetail } from '../model.ts';
import { isRecord } from '../preview.ts';
import type { ReplayedCall } from './model.ts';

const DEFAULT_ENDPOINT = '/v1/chat/completions';
/** Another model's tokens of the same text may be more. */
const TOKENIZER_MARGIN = 1.25;
/** Output is held for at least so many tokens where the request names no limit. */
const LEAST_OUTPUT_TOKENS = 2_048;
/** Characters of a token, at the least, where the tokens were not counted. */
const CHARACTERS_PER_TOKEN = 2;

/** What has to be known of a recorded call to make it again. */
export interface RecordedCall {
  readonly call: ReplayedCall;
  readonly feature: string;
  /** Path of the request. */
  readonly endpoint: string;
  /** The body as the client sent it. */
  readonly body: string;
  readonly output: string | null;
  /** Tokens that a repetition uses at most, by estimate. */
  readonly upperUsage: Usage;
  /** Tokens that it used; null = not known. */
  readonly usage: Usage | null;
  /** Route or alias that was asked for. */
  readonly requestedModel: string;
}

export type Skipped = { readonly reason: string };

export function toReplayedCall(span: Span, traceId: string): ReplayedCall {
  return {
    traceId,
    spanId: span.spanId,
    model: span.responseModel ?? span.requestModel,
    status: span.status,
    errorType: span.errorType,
    statusMessage: span.statusMessage,
    startedAtMs: Number(BigInt(span.startedAtNs) / 1_000_000n),
    durationMs: Number(BigInt(span.durationNs)) / 1e6,
    ttftMs: span.ttftMs,
    inputTokens: span.usage === null ? null : inputTokens(span.usage),
    outputTokens: span.usage === null ? null : outputTokens(span.usage),
    costPicoUsd: span.costPicoUsd,
    costStatus: span.costStatus,
    finishReasons: span.finishReasons,
  };
}

function parseBody(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = parseJsonText(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.ceil(value) : null;
}

/** The request's own limit in any client's dialect; null = none. */
function askedOutputTokens(body: Readonly<Record<string, unknown>>): number | null {
  const config = isRecord(body.generationConfig) ? body.generationConfig : {};
  return (
    positive(body.max_completion_tokens) ??
    positive(body.max_tokens) ??
    positive(body.max_output_tokens) ??
    positive(config.maxOutputTokens)
  );
}

function upperUsage(span: Span, body: Readonly<Record<string, unknown>>, text: string): Usage {
  const input = span.usage === null ? text.length / CHARACTERS_PER_TOKEN : inputTokens(span.usage) * TOKENIZER_MARGIN;
  const answers = positive(body.n) ?? 1;
  const output = askedOutputTokens(body) ?? Math.max(LEAST_OUTPUT_TOKENS, 4 * (span.usage === null ? 0 : outputTokens(span.usage)));
  return { ...NO_USAGE, inputUncachedTokens: Math.ceil(input), outputTextTokens: output * answers };
}

/** Whether and how the call of an entry span can be made again. */
export function readRecordedCall(span: Span, { trace }: Pick<TraceDetail, 'trace'>): RecordedCall | Skipped {
  const operation = span.attributes['gen_ai.operation.name'];
  if (operation !== 'chat') return { reason: `operation ${String(operation ?? 'unknown')} is not replayed` };
  if (span.attributes['plimsoll.purpose'] !== undefined) return { reason: 'was no client’s call' };
  if (span.input === null || span.input === '') return { reason: 'request body was not recorded' };
  if (span.isTruncated) return { reason: 'recorded body was cut at the size limit' };
  const body = parseBody(span.input);
  if (body === null) return { reason: 'only a preview of the request was recorded' };
  if (typeof body.previous_response_id === 'string') return { reason: 'continues a conversation that its provider keeps' };
  const path = span.attributes['url.path'];
  return {
    call: toReplayedCall(span, trace.traceId),
    feature: trace.feature,
    endpoint: typeof path === 'string' ? path : DEFAULT_ENDPOINT,
    body: span.input,
    output: span.output,
    upperUsage: upperUsage(span, body, span.input),
    usage: span.usage,
    requestedModel: typeof body.model === 'string' ? body.model : (modelOfPath(typeof path === 'string' ? path : '') ?? ''),
  };
}

/** Of Gemini's paths: `/v1beta/models/{model}:generateContent`. */
function modelOfPath(path: string): string | null {
  return /\/models\/(.+):[A-Za-z]+$/.exec(path)?.[1] ?? null;
}

/**
 * Path and body that ask `model` for the same; null = as recorded.
 * @param replaceModel JSON text of an object with another value of its member `model`, all else as it was, to the byte
 */
export function requestOf(
  { endpoint, body }: Pick<RecordedCall, 'endpoint' | 'body'>,
  model: string | null,
  replaceModel: (body: string, model: string) => string,
): { path: string; body: string } {
  const isGemini = modelOfPath(endpoint) !== null;
  const path = isGemini && model !== null ? endpoint.replace(/\/models\/.+:/, () => `/models/${encodeURIComponent(model)}:`) : endpoint;
  // Gemini's streams are events only when asked for.
  const query = path.endsWith(':streamGenerateContent') ? '?alt=sse' : '';
  return { path: `${path}${query}`, body: model === null || isGemini ? body : replaceModel(body, model) };
}
