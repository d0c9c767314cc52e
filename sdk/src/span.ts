/** What is known of one call when it is over. */
export interface ObservedCall {
  readonly traceId: string;
  readonly operation: 'chat' | 'embeddings' | 'text_completion';
  readonly provider: 'openai' | 'anthropic';
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Of streams: milliseconds to the first content. */
  readonly firstContentMs: number | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly requestModel: string | null;
  readonly isStream: boolean;
  readonly input: string | null;
  readonly output: string | null;
  readonly answer: ObservedAnswer;
  /** Null = it ended well. */
  readonly error: { readonly type: string; readonly message: string; readonly httpStatus: number | null } | null;
  /** The caller left a stream before its end. */
  readonly isAborted: boolean;
}

/** Counts as OpenTelemetry has them: input includes what was read from and written to caches, output includes reasoning. Null = not said. */
export interface ObservedAnswer {
  responseModel: string | null;
  responseId: string | null;
  finishReasons: string[];
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  reasoningTokens: number | null;
}

type Value =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly Value[] } };

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
  readonly status: { readonly code: number; readonly message?: string };
}

/** OTLP's SPAN_KIND_CLIENT, STATUS_CODE_OK and STATUS_CODE_ERROR. */
const CLIENT = 3;
const OK = 1;
const ERROR = 2;

export function newHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function emptyAnswer(): ObservedAnswer {
  return {
    responseModel: null,
    responseId: null,
    finishReasons: [],
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
  };
}

function toValue(value: string | number | boolean | readonly string[]): Value {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: `${value}` } : { doubleValue: value };
  return { arrayValue: { values: value.map(toValue) } };
}

function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1_000)) * 1_000n}`;
}

/** The span of a call, by OpenTelemetry's GenAI conventions. */
export function toSpan(call: ObservedCall): OtlpSpan {
  const { answer, error } = call;
  const attributes: Readonly<Record<string, string | number | boolean | readonly string[] | null>> = {
    'gen_ai.operation.name': call.operation,
    'gen_ai.provider.name': call.provider,
    'gen_ai.request.model': call.requestModel,
    'gen_ai.request.stream': call.isStream ? true : null,
    'gen_ai.response.model': answer.responseModel,
    'gen_ai.response.id': answer.responseId,
    'gen_ai.response.finish_reasons': answer.finishReasons.length > 0 ? answer.finishReasons : null,
    'gen_ai.response.time_to_first_chunk': call.firstContentMs === null ? null : call.firstContentMs / 1_000,
    'gen_ai.usage.input_tokens': answer.inputTokens,
    'gen_ai.usage.output_tokens': answer.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': answer.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': answer.cacheWriteTokens,
    'gen_ai.usage.reasoning.output_tokens': answer.reasoningTokens,
    'gen_ai.conversation.id': call.session,
    'user.id': call.user,
    'gen_ai.input.messages': call.input,
    'gen_ai.output.messages': call.output,
    'error.type': error?.type ?? null,
    'http.response.status_code': error?.httpStatus ?? null,
    'plimsoll.sdk.aborted': call.isAborted ? true : null,
  };
  return {
    traceId: call.traceId,
    spanId: newHex(8),
    name: `${call.operation} ${call.requestModel ?? 'unknown'}`,
    kind: CLIENT,
    startTimeUnixNano: nanoseconds(call.startedAtMs),
    endTimeUnixNano: nanoseconds(call.startedAtMs + call.durationMs),
    attributes: Object.entries(attributes).flatMap(([key, value]) => (value === null ? [] : [{ key, value: toValue(value) }])),
    status: error === null ? { code: OK } : { code: ERROR, message: error.message },
  };
}
