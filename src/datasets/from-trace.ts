import { PlimsollError } from '../kernel/errors.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { Span, TraceDetail } from '../traces/model.ts';
import { contentText } from '../traces/preview.ts';
import { FEEDBACK_NAMES, type Score } from '../traces/scores/model.ts';
import { assertJson, isObject, type JsonValue } from './json-value.ts';
import type { CaseDraft, CaseToolCall } from './model.ts';

function parsed(text: string | null, place: string): JsonValue | undefined {
  if (text === null || text === '') return undefined;
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch {
    return undefined; // a preview, or cut
  }
  assertJson(value, place);
  return value;
}

const asList = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const ROLES: Readonly<Record<string, string>> = { model: 'assistant', human: 'user', ai: 'assistant' };

type DraftMessage = { role: string; content: JsonValue; [name: string]: JsonValue };

/** One message in any client's form. Gemini's `parts` are its content, and its lack of a role means the user. */
function toMessage(message: JsonValue): DraftMessage[] {
  if (typeof message === 'string') return [{ role: 'user', content: message }];
  if (!isObject(message)) return [];
  const { role = 'user', content, parts, type, ...rest } = message;
  // An item of OpenAI's responses that is no message: a call of a tool, or its result.
  if (content === undefined && parts === undefined && typeof type === 'string' && type !== 'message')
    return [{ role: type.endsWith('_output') ? 'tool' : 'assistant', content: null, type, ...rest }];
  const name = typeof role === 'string' ? role : 'user';
  return [{ role: ROLES[name] ?? name, content: simplified(content ?? parts ?? null), ...rest }];
}

/** A list of one text part is that text. */
function simplified(content: JsonValue): JsonValue {
  const [only, ...others] = asList(content);
  return others.length === 0 &&
    isObject(only) &&
    typeof only.text === 'string' &&
    Object.keys(only).every((name) => name === 'text' || name === 'type')
    ? only.text
    : content;
}

/** Messages of a request body: OpenAI's chat and responses, Anthropic, Gemini, or a bare list. Null = no conversation. */
function messagesOf(body: JsonValue): DraftMessage[] | null {
  if (Array.isArray(body)) return body.flatMap(toMessage);
  if (!isObject(body)) return null;
  const conversation = body.messages ?? body.input ?? body.contents;
  if (typeof conversation !== 'string' && !Array.isArray(conversation)) return null;
  const system = body.system ?? body.instructions ?? body.systemInstruction ?? body.system_instruction;
  const parts = isObject(system) ? (system.parts ?? null) : (system ?? null);
  const head: DraftMessage[] = parts === null ? [] : [{ role: 'system', content: simplified(parts) }];
  return [...head, ...(typeof conversation === 'string' ? [{ role: 'user', content: conversation }] : conversation.flatMap(toMessage))];
}

function argumentsOf(text: JsonValue | undefined): JsonValue {
  if (typeof text !== 'string') return text ?? {};
  try {
    return parseJsonText(text) as JsonValue; // JSON
  } catch {
    return text;
  }
}

function outputOf(span: Span): { output: string; toolCalls: CaseToolCall[] } | null {
  if (span.output === null || span.output === '') return null;
  const value = parsed(span.output, 'answer');
  if (value === undefined || typeof value === 'string') return { output: typeof value === 'string' ? value : span.output, toolCalls: [] };
  const messages = (Array.isArray(value) ? value : [value]).filter(isObject);
  const [first] = messages;
  if (first === undefined || (first.content === undefined && first.tool_calls === undefined && first.parts === undefined))
    return { output: JSON.stringify(value), toolCalls: [] };
  const toolCalls = asList(first.tool_calls).flatMap((call) => {
    const target = isObject(call) && isObject(call.function) ? call.function : call;
    return isObject(target) && typeof target.name === 'string' ? [{ name: target.name, arguments: argumentsOf(target.arguments) }] : [];
  });
  return { output: contentText(first.content ?? first.parts), toolCalls };
}

/** Passages of the retriever's spans, in the order in which they were given; null when nothing was retrieved. */
function contextsOf(spans: readonly Span[]): { id: string | null; text: string }[] | null {
  const retrievers = spans.filter(({ kind }) => kind === 'retriever');
  // What was reranked is what the model was given.
  const givers = spans.some(({ kind }) => kind === 'reranker') ? spans.filter(({ kind }) => kind === 'reranker') : retrievers;
  if (givers.length === 0) return null;
  return givers.flatMap((span) => {
    const value = parsed(span.output, 'retrieved documents');
    return asList(isObject(value) ? value.documents : value).flatMap((document) => {
      if (typeof document === 'string') return [{ id: null, text: document }];
      if (!isObject(document)) return [];
      const text = document.content ?? document.text ?? document.page_content;
      return typeof text === 'string' ? [{ id: typeof document.id === 'string' ? document.id : null, text }] : [];
    });
  });
}

/** The span whose work is the case: the one that is named, else the first entry that was asked something, else the root. */
function subjectSpan({ trace, spans }: TraceDetail, spanId: string | null): Span {
  if (spanId !== null) {
    const named = spans.find((span) => span.spanId === spanId);
    if (named === undefined)
      throw new PlimsollError('not_found', `The trace ${trace.traceId} has no span ${spanId}.`, {
        details: { traceId: trace.traceId, spanId },
      });
    return named;
  }
  const root = spans.find((span) => span.parentSpanId === null || !spans.some((other) => other.spanId === span.parentSpanId));
  const hasInput = (span: Span): boolean => span.input !== null && span.input !== '';
  const subject = [root, ...spans.filter(({ isEntry }) => isEntry), ...spans].find((span) => span !== undefined && hasInput(span));
  if (subject === undefined)
    throw new PlimsollError(
      'invalid_argument',
      `The trace ${trace.traceId} holds no prompt: its texts were not recorded, or are gone by retention. Set the feature's payload policy to full to make cases of traces.`,
      {
        details: { traceId: trace.traceId },
      },
    );
  return subject;
}

/** The corrected answer that a user or a reviewer gave, the latest of them. */
export function correctedAnswerOf(scores: readonly Score[], spanId: string | null): Score | null {
  const corrections = scores.filter(
    ({ name, value, spanId: of }) =>
      name === FEEDBACK_NAMES.correctedAnswer && typeof value === 'string' && (of === null || spanId === null || of === spanId),
  );
  return corrections.sort((a, b) => b.at - a.at)[0] ?? null;
}

export interface FromTraceOptions {
  readonly spanId?: string | null;
}

/**
 * What was asked and answered, as a case: the same trace always gives the same one. Its conversation is its cluster, so that no split divides it.
 * Nothing is redacted yet.
 * @param scores of the trace; its corrected answer becomes the expected one
 * @throws PlimsollError `not_found`, `invalid_argument` when no whole prompt was recorded
 */
export function caseFromTrace(detail: TraceDetail, scores: readonly Score[], { spanId = null }: FromTraceOptions = {}): CaseDraft {
  const { trace, spans } = detail;
  const span = subjectSpan(detail, spanId);
  const refuse = (why: string): never => {
    throw new PlimsollError('invalid_argument', `The prompt of trace ${trace.traceId} ${why}, so that no case can be made of it.`, {
      details: { traceId: trace.traceId, spanId: span.spanId },
    });
  };
  const body = parsed(span.input, `prompt of trace ${trace.traceId}`);
  if (body === undefined && span.isTruncated) refuse('was cut at the size limit when it was recorded');
  if (body === undefined && (span.kind === 'gateway' || span.kind === 'llm')) refuse('was recorded as a preview only (payload policy)');
  const value = body ?? span.input ?? '';
  const messages = messagesOf(value);
  const variables = messages !== null ? {} : isObject(value) ? value : { input: value };
  const recorded = outputOf(span);
  const correction = correctedAnswerOf(scores, spanId);
  const model = span.responseModel ?? span.requestModel;
  return {
    input: { variables, messages: messages ?? [] },
    expected: { answer: typeof correction?.value === 'string' ? correction.value : null },
    contexts: contextsOf(spans),
    recorded,
    cluster: trace.session === null ? null : `session:${trace.session}`.slice(0, 256),
    at: trace.startedAt,
    metadata: { feature: trace.feature, ...(model === null ? {} : { model }) },
    provenance: {
      kind: correction === null ? 'trace' : 'feedback',
      traceId: trace.traceId,
      spanId: span.spanId,
      id: correction?.id ?? null,
      source: null,
    },
  };
}
