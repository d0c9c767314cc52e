import type { IncomingHttpHeaders } from 'node:http';
import { contentHash } from '../kernel/ids.ts';
import type { Usage } from '../models/usage.ts';
import type { ChatRequest, WireFailure } from './chat-request.ts';
import type { PlannedAnswer } from './completion.ts';
import { isJsonObject } from './schema-values.ts';

/** One event of a stream and when it is due. */
export interface WireEvent {
  /** Name of the event; null = a line of data only, as OpenAI does. */
  readonly event: string | null;
  readonly data: string;
  /** Milliseconds from the request. */
  readonly offsetMs: number;
  /** Output tokens generated up to and with this event (count): what the provider bills when the connection ends here. */
  readonly generatedTokens: number;
}

/** How events become bytes. */
export interface Framing {
  readonly contentType: string;
  frame(event: WireEvent, isFirst: boolean): string | Buffer;
  /** The same event with the fault `malformed_sse`. */
  frameBroken(event: WireEvent, isFirst: boolean): string | Buffer;
  /** Bytes after the last event. */
  readonly end: string;
}

/** What an answer carries besides its plan. */
export interface ReplyStamp {
  /** Hex, different for each answer of a server. */
  readonly id: string;
  readonly createdSeconds: number;
  readonly seed: number;
  /** Changes with the version of the model. */
  readonly systemFingerprint: string;
}

/** What faults and bills need to know of a call, whatever its operation. */
export interface CallTarget {
  readonly model: string;
  /** sha-256 of everything that decides the answer. */
  readonly fingerprint: string;
  readonly lastUserText: string;
  /** From `metadata.sim_fault`. */
  readonly metadataFault: string | null;
}

/** A request for generated text, with the functions that write the answer in its dialect. */
export interface GenerateCall {
  readonly kind: 'generate';
  readonly request: ChatRequest;
  readonly framing: Framing;
  renderBody(plan: PlannedAnswer, stamp: ReplyStamp): unknown;
  renderEvents(plan: PlannedAnswer, stamp: ReplyStamp): WireEvent[];
  /** Called once a part of the answer was sent, for providers that keep answers. */
  remember?(plan: PlannedAnswer, stamp: ReplyStamp): void;
}

/** What is billed besides tokens. */
export interface BilledUnits {
  readonly images: number;
  readonly audioSeconds: number;
  readonly speechCharacters: number;
  readonly searches: number;
}
export const NO_UNITS: BilledUnits = Object.freeze({ images: 0, audioSeconds: 0, speechCharacters: 0, searches: 0 });

export interface DirectAnswer {
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly usage: Usage;
  readonly units: BilledUnits;
  /** Milliseconds from the request to the answer. */
  readonly durationMs: number;
  /** Does not stand on the invoice. */
  readonly isFree?: boolean;
}

/** A request whose answer is computed at once: embeddings, images, speech … */
export interface DirectCall {
  readonly kind: 'direct';
  readonly target: CallTarget;
  answer(stamp: ReplyStamp): DirectAnswer;
}

/** Free of charge and of faults: lists of models, counted tokens, stored answers. */
export interface WireReply {
  readonly kind: 'reply';
  readonly body: unknown;
}

export interface WireInput {
  /** Groups of the endpoint's pattern. */
  readonly groups: Readonly<Record<string, string | undefined>>;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** Parsed JSON; the raw bytes when the endpoint asks for them. */
  readonly body: unknown;
  readonly models: readonly ListedModel[];
}

/** A model as lists of models show it. */
export interface ListedModel {
  readonly name: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
}

export type WireOutcome = GenerateCall | DirectCall | WireReply | { readonly kind: 'failure'; readonly failure: WireFailure };

/** One operation of a wire format. */
export interface WireEndpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Matched against the path without its first slash and without the prefix of the dialect. */
  readonly path: RegExp;
  /** The body is not JSON (multipart). */
  readonly takesRawBody?: boolean;
  handle(input: WireInput): WireOutcome | Promise<WireOutcome>;
}

/** What is common to all operations of a provider: its errors and its words. */
export interface WireDialect {
  readonly name: 'openai' | 'anthropic' | 'gemini' | 'cohere' | 'bedrock' | 'mistral';
  readonly requestIdHeader: string;
  readonly words: {
    unknownModel(model: string): string;
    readonly badKey: string;
    unknownPath(method: string, path: string): string;
    contextTooLong(inputTokens: number, contextTokens: number): string;
    readonly filtered: string;
    readonly overloaded: string;
    readonly serverError: string;
  };
  /** Statuses that differ from the usual ones. */
  readonly statuses: Partial<Readonly<Record<WireFailure['reason'], number>>>;
  errorBody(failure: WireFailure, requestId: string): unknown;
  errorHeaders?(failure: WireFailure): Readonly<Record<string, string>>;
  errorEvent(failure: WireFailure, requestId: string): Pick<WireEvent, 'event' | 'data'>;
}

/** Fields that change how an answer travels, not what it says. */
const NOT_DECIDING = new Set([
  'stream',
  'stream_options',
  'metadata',
  'user',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
]);

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical(value[key])]),
  );
}

/** sha-256 of the parts of a body that decide the answer; the order of keys does not matter. */
export function fingerprintOf(body: Readonly<Record<string, unknown>>): string {
  return contentHash(JSON.stringify(canonical(Object.fromEntries(Object.entries(body).filter(([key]) => !NOT_DECIDING.has(key))))));
}

/** Text of the fault in `metadata.sim_fault`, if any. */
export function metadataFaultOf(metadata: unknown): string | null {
  return isJsonObject(metadata) && typeof metadata.sim_fault === 'string' ? metadata.sim_fault : null;
}

export function failed(failure: WireFailure): { readonly kind: 'failure'; readonly failure: WireFailure } {
  return { kind: 'failure', failure };
}

/** Splits tokens into the texts of the chunks of a stream. */
export function chunksOf(tokens: readonly string[], tokensPerChunk: number): { readonly text: string; readonly tokens: number }[] {
  const chunks: { text: string; tokens: number }[] = [];
  for (let at = 0; at < tokens.length; at += tokensPerChunk) {
    const piece = tokens.slice(at, at + tokensPerChunk);
    chunks.push({ text: piece.join(''), tokens: piece.length });
  }
  return chunks;
}

/** Hands out due times (the first chunk at the time to the first token, each further one after its gap) and counts what was generated. */
export class Pacer {
  #offsetMs: number;
  #chunk = -1;
  #generatedTokens: number;
  readonly #plan: PlannedAnswer;

  constructor(plan: PlannedAnswer) {
    this.#plan = plan;
    this.#offsetMs = plan.ttftMs;
    // Hidden reasoning comes before anything visible.
    this.#generatedTokens = plan.thinking === '' ? plan.usage.reasoningTokens : 0;
  }

  /** Due time of the chunk that was handed out last, and the tokens up to it. */
  get now(): { readonly offsetMs: number; readonly generatedTokens: number } {
    return { offsetMs: this.#offsetMs, generatedTokens: this.#generatedTokens };
  }

  /** Counts tokens that belong to the chunk handed out last. */
  count(tokens: number): void {
    this.#generatedTokens += tokens;
  }

  /** Goes on to the next chunk. */
  next(tokens: number): { readonly offsetMs: number; readonly generatedTokens: number } {
    this.#chunk++;
    if (this.#chunk > 0) this.#offsetMs += this.#plan.gapMs(this.#chunk - 1);
    this.#generatedTokens += tokens;
    return this.now;
  }
}
