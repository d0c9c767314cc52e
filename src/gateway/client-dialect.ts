import type { PlimsollError } from '../kernel/errors.ts';
import type { ChatBody } from './body/chat-body.ts';
import type { JsonScanner } from './body/json-scanner.ts';
import type { DialectName } from './provider.ts';

/** Turns the hub's chunks into the events of a client's dialect. One per stream; keeps its own state. Pure. */
export interface StreamEncoder {
  /** @param chunk a `chat.completion.chunk` object @returns events as they go over the wire; '' for none */
  onChunk(chunk: unknown): string;
  /** The answer is complete: the last events. */
  end(): string;
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
  /** Hub `chat.completion` → the client's answer. */
  encodeAnswer(completion: unknown, request: Readonly<Record<string, unknown>>): unknown;
  createStreamEncoder(options: {
    readonly requestedModel: string;
    readonly createdSeconds: number;
    readonly request: Readonly<Record<string, unknown>>;
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
  /** Finds what the gateway needs in the bytes, without building values. @param path of the URL: some dialects name the model there. @throws PlimsollError `invalid_argument` */
  scan(bytes: Buffer, scanner: JsonScanner, path: string): ChatBody;
  /**
   * The body for a provider of the same dialect: the client's bytes but for the model name and our own member.
   * @param upstreamModelJson the model id as JSON text
   * @param outputCap to add, because a limit holds the call to it and the request names no number of its own; null = nothing to add
   */
  forwardBody(body: ChatBody, upstreamModelJson: Buffer, outputCap: OutputCap | null): Buffer;
  /** Null only for the hub. */
  readonly translation: ClientTranslation | null;
  /** Body of an error answer, in the shape that the dialect's SDKs turn into their exception classes. */
  errorBody(error: PlimsollError): unknown;
  /** The event (as it goes over the wire) that tells of a broken stream. */
  errorEvent(error: PlimsollError): string;
}
