import type { ErrorCode } from '../kernel/errors.ts';
import type { Usage } from '../models/usage.ts';

/**
 * Wire formats of model calls. `openai-chat` is the hub: what has to be translated passes through it, so that N client formats and M provider
 * formats need N + M translations and not N × M.
 */
export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'bedrock-converse' | 'cohere-chat';

/** What one answer said about itself, whatever its dialect. */
export interface AnswerFacts {
  readonly responseId: string | null;
  readonly responseModel: string | null;
  readonly finishReasons: readonly string[];
  /** Null = the provider reported none. */
  readonly usage: Usage | null;
  /** The provider's own usage object, as parsed. */
  readonly providerUsage: unknown;
  /** UTF-16 code units of answer text, to estimate tokens when usage is missing. */
  readonly outputCharacters: number;
}

/** What one event of a provider's stream means in the hub's format. */
export interface StreamStep {
  /** `chat.completion.chunk` objects to send, in order. */
  readonly chunks: readonly unknown[];
  /** True when a chunk carries answer content (not only a role or usage): the first one marks time to first token. */
  readonly hasContent: boolean;
  /** True when the answer is complete; the gateway then ends the client's stream. */
  readonly isDone: boolean;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** Only what this event told; the gateway keeps the latest of each. */
  readonly facts: Partial<AnswerFacts>;
}

/** One per stream; keeps its own state. */
export interface StreamDecoder {
  /** @param event value of the SSE `event:` field, null without one; @param data its `data:` lines joined by LF */
  onEvent(event: string | null, data: string): StreamStep;
  /** The provider closed its stream cleanly. An answer that was not complete by then is an error. */
  end(): StreamStep;
}

/**
 * How answers of a dialect that is not the hub's are read. Pure: no clock, no network. The same reader serves a translated call (its chunks go to
 * the client) and a forwarded one (the bytes go to the client, the reader only learns usage, content and completeness from them).
 */
export interface AnswerTranslation {
  /** Provider's JSON answer → hub `chat.completion`. @throws PlimsollError `provider_bad_response` */
  decodeResponse(body: unknown, requestedModel: string, createdSeconds: number): { completion: unknown; facts: AnswerFacts };
  createStreamDecoder(options: { requestedModel: string; createdSeconds: number; includeUsage: boolean }): StreamDecoder;
}

/** Chat in a dialect that is not the hub's. Pure: no clock, no network. */
export interface ChatTranslation extends AnswerTranslation {
  /**
   * Hub chat request (parsed) → provider body.
   * @throws PlimsollError `invalid_argument` for what cannot be translated; harmless drops are named in `warnings`
   */
  encodeRequest(body: Readonly<Record<string, unknown>>, upstreamModel: string): { body: unknown; warnings: string[] };
}

/** How one provider takes chat in one wire format. */
export interface ChatEndpoint {
  /** A client that speaks it has its bytes forwarded. */
  readonly dialect: DialectName;
  /** Appended to the provider's base URL; the model stands in the path of some. @param settings non-secret settings of the provider */
  path(upstreamModel: string, isStream: boolean, settings: Readonly<Record<string, string>>): string;
  /** How a stream is cut into events; absent = server-sent events. */
  readonly framing?: 'sse' | 'aws-event-stream';
  /** Null only for `openai-chat`: the bytes are read by a scanner. */
  readonly answers: AnswerTranslation | null;
  /** From the hub; null for `openai-chat` (the hub itself) and for endpoints that only forward their own dialect. */
  readonly encodeRequest: ChatTranslation['encodeRequest'] | null;
}

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ClassifiedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A provider: how to address it, how to read it. One file each. */
export interface ProviderAdapter {
  readonly kind: string;
  /** What it speaks. The first endpoint that can encode from the hub (or is the hub) serves clients of every other dialect. */
  readonly chat: readonly ChatEndpoint[];
  /** Authentication and dialect headers; null credential = the provider needs none. */
  headers(credential: string | null): Record<string, string>;
  /** The provider's usage object → disjoint classes; null when it is not one. */
  readUsage(usage: unknown): Usage | null;
  /** An answer with status ≥ 400 (or an error event, with the status it stands for) → our closed code and a message without secrets. */
  classifyError(status: number, body: string, headers: ResponseHeaders): ClassifiedError;
}
