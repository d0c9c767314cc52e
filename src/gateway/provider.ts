import type { ErrorCode } from '../kernel/errors.ts';
import type { Usage } from '../models/usage.ts';

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

/** What one event of a provider's stream means in OpenAI's format. */
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

/** Chat in a dialect that is not OpenAI's. Pure: no clock, no network. */
export interface ChatTranslation {
  /**
   * OpenAI chat request (parsed) → provider body.
   * @throws PlimsollError `invalid_argument` for what cannot be translated; harmless drops are named in `warnings`
   */
  encodeRequest(body: Readonly<Record<string, unknown>>, upstreamModel: string): { body: unknown; warnings: string[] };
  /** Provider's JSON answer → OpenAI `chat.completion`. @throws PlimsollError `provider_bad_response` */
  decodeResponse(body: unknown, requestedModel: string, createdSeconds: number): { completion: unknown; facts: AnswerFacts };
  createStreamDecoder(options: { requestedModel: string; createdSeconds: number; includeUsage: boolean }): StreamDecoder;
}

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ClassifiedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A provider dialect: how to address it, how to read it. */
export interface ProviderAdapter {
  readonly kind: string;
  /** Appended to the provider's base URL. */
  readonly chatPath: string;
  /** Authentication and dialect headers; null credential = the provider needs none. */
  headers(credential: string | null): Record<string, string>;
  /** Null on OpenAI-dialect providers: bytes are forwarded. */
  readonly translation: ChatTranslation | null;
  /** The provider's usage object → disjoint classes; null when it is not one. */
  readUsage(usage: unknown): Usage | null;
  /** An answer with status ≥ 400 (or an error event, with the status it stands for) → our closed code and a message without secrets. */
  classifyError(status: number, body: string, headers: ResponseHeaders): ClassifiedError;
}
