import type { PlimsollError } from '../kernel/errors.ts';
import type { BodyPieces, ChatBody } from './body/chat-body.ts';
import type { JsonScanner } from './body/json-scanner.ts';
import type { ClientOperation } from './operations/client-operation.ts';
import type { DialectName } from './provider.ts';

/** What both kinds of stream writers share. */
interface StreamEnding {
  /** The answer is complete: the last events. */
  end(): string;
  /** The answer broke off: what tells of it. The connection is cut after it, never ended. */
  fail(error: PlimsollError): string;
}

/** Turns the hub's chunks into the events of a client's dialect. One per stream; keeps its own state. Pure. */
export interface StreamEncoder extends StreamEnding {
  /**
   * @param chunk a `chat.completion.chunk` object
   * @returns events as they go over the wire; '' for none
   * @throws PlimsollError `provider_bad_response` for what cannot be an answer
   */
  onChunk(chunk: unknown): string;
}

/** Writes the events of a forwarded stream in another framing than the provider's. One per stream. Pure. */
export interface StreamReframer extends StreamEnding {
  /** @param data of one event, as it came */
  onData(data: string): string;
}

/** A client's request in the hub's form, and what could not be said there. */
export interface DecodedRequest {
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** Between a client's dialect and the hub. Pure: no clock, no network. */
export interface ClientTranslation {
  /**
   * Client's request (parsed) → hub chat request (parsed), whose `model` and `stream` are the client's.
   * @throws PlimsollError `invalid_argument` for what has no counterpart; harmless drops are named in `warnings`
   */
  decodeRequest(body: Readonly<Record<string, unknown>>, path: string): DecodedRequest;
  /**
   * Hub `chat.completion` → the client's answer.
   * @throws PlimsollError `provider_bad_response` for what cannot be an answer
   */
  encodeAnswer(completion: unknown, request: Readonly<Record<string, unknown>>): unknown;
  createStreamEncoder(options: {
    readonly requestedModel: string;
    readonly createdSeconds: number;
    readonly request: Readonly<Record<string, unknown>>;
    readonly path: string;
  }): StreamEncoder;
}

/** Most output tokens of an answer, and what the provider calls that in the hub's dialect. */
export interface OutputCap {
  readonly name: 'max_tokens' | 'max_completion_tokens';
  readonly tokens: number;
}

/** A wire format that clients speak to us. */
export interface ClientDialect {
  readonly name: DialectName;
  /** What is refused, left out or changed for a provider of another dialect, for the reference page. */
  readonly limits: readonly string[];
  /** What is asked for; absent = chat. */
  readonly operation?: ClientOperation;
  /** Finds what the gateway needs in the bytes, without building values. @param path of the URL: some dialects name the model there. @throws PlimsollError `invalid_argument` */
  scan(bytes: Buffer, scanner: JsonScanner, path: string, contentType?: string): ChatBody;
  /**
   * The body for a provider of the same dialect: the client's bytes but for the model name and our own member.
   * @param upstreamModelJson the model id as JSON text
   * @param outputCap to add, because a limit holds the call to it and the request names no number of its own; null = nothing to add
   */
  forwardBody(body: ChatBody, upstreamModelJson: Buffer, outputCap: OutputCap | null): BodyPieces;
  /** Request headers (lower case) that go to a provider of the same dialect with the body. */
  readonly forwardedHeaders?: readonly string[];
  /** For forwarded streams that the client wants in another framing; absent or null = the bytes go as they come. */
  createReframer?(path: string): StreamReframer | null;
  /** Null only for the hub. */
  readonly translation: ClientTranslation | null;
  /**
   * Whether an answer to this request fits no other, though the hub's request is the same: it repeats the client's request, or holds what only this
   * one asked to see. Such answers are kept for requests that are equal in every member. Absent = never.
   */
  hasOwnForm?(request: Readonly<Record<string, unknown>>): boolean;
  /** Answer to a question for the input tokens of a request; absent where the dialect knows no such question. */
  encodeTokenCount?(inputTokens: number): unknown;
  /** Body of an error answer, in the shape that the dialect's SDKs turn into their exception classes. @param requestId our trace id; null before there is one */
  errorBody(error: PlimsollError, requestId: string | null): unknown;
  /** The event (as it goes over the wire) that tells of a broken stream that was forwarded. */
  errorEvent(error: PlimsollError): string;
}
