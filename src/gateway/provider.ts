import { z } from 'zod';
import type { ErrorCode } from '../kernel/errors.ts';
import type { PicoUsd } from '../kernel/money.ts';
import type { MeteredUnits } from '../models/metered-units.ts';
import type { Usage } from '../models/usage.ts';
import type { CallOperation } from '../traces/call-record.ts';
import type { Credentials } from './credentials.ts';

/**
 * Wire formats of model calls. `openai-chat` is the hub: what has to be translated passes through it, so that N client formats and M provider
 * formats need N + M translations and not N × M.
 */
export type DialectName =
  | 'openai-chat'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'gemini'
  | 'bedrock-converse'
  | 'cohere-chat'
  | 'mistral-chat';

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
  /** Pieces that were measured; absent for chat. */
  readonly units?: MeteredUnits;
  /** As the answer names the tier that served it, beside the usage; absent = it does not. */
  readonly serviceTier?: string | undefined;
}

/** What is asked of a model besides chat. */
export type Operation = Exclude<CallOperation, 'chat'>;

/** What an answer besides chat used. */
export interface Metered {
  /** Null = it reported no tokens. */
  readonly usage: Usage | null;
  readonly units: MeteredUnits;
}

/** A provider's answer in the client's form. */
export interface DecodedAnswer extends Metered {
  readonly answer: unknown;
  /** The provider's own usage object, as parsed. */
  readonly providerUsage: unknown;
}

/** How one provider takes an operation besides chat. Clients speak OpenAI's format there, for `rerank` Cohere's. */
export interface OperationEndpoint {
  /** Appended to the provider's base URL. */
  path(upstreamModel: string, settings: Settings): string;
  /** Models that it serves; absent = all. */
  readonly serves?: (upstreamModel: string) => boolean;
  /** Client's request (parsed) → provider body; absent = its bytes are forwarded. @throws PlimsollError `invalid_argument` for what cannot be translated */
  readonly encode?: (request: Readonly<Record<string, unknown>>, upstreamModel: string) => { body: unknown; warnings: readonly string[] };
  /** Provider's JSON answer → the client's; absent = its bytes are forwarded. @throws PlimsollError `provider_bad_response` */
  readonly decode?: (
    answer: unknown,
    request: Readonly<Record<string, unknown>>,
    requestedModel: string,
    headers: ResponseHeaders,
  ) => DecodedAnswer;
  /** Of a forwarded answer: its `usage` (Cohere: `meta`), parsed; undefined when it has none. */
  readMetered(reported: unknown): Metered;
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

export interface StreamDecoderOptions {
  readonly requestedModel: string;
  /** Epoch seconds. */
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
  /** Id of the answer for providers that give none. */
  readonly answerId?: string;
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
  /** Provider's JSON answer → hub `chat.completion`. @param answerId for providers that give none @throws PlimsollError `provider_bad_response` */
  decodeResponse(
    body: unknown,
    requestedModel: string,
    createdSeconds: number,
    answerId?: string,
  ): { completion: unknown; facts: AnswerFacts };
  createStreamDecoder(options: StreamDecoderOptions): StreamDecoder;
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
  /** Models that it serves; absent = all. */
  readonly serves?: (upstreamModel: string) => boolean;
  /** Last change to a forwarded body, for providers that take a dialect with other trimmings; absent = none. */
  readonly editForwarded?: (body: Buffer) => Buffer;
  /** Appended to the provider's base URL; the model stands in the path of some. @param settings non-secret settings of the provider */
  path(upstreamModel: string, isStream: boolean, settings: Settings): string;
  /** Where the provider counts the input tokens of a request in this dialect; absent = it does not. */
  readonly countTokensPath?: (upstreamModel: string, settings: Settings) => string;
  /** Where the provider keeps an answer that it has stored; absent = it stores none. */
  readonly storedAnswerPath?: (id: string) => string;
  /** How a stream is cut into events; absent = server-sent events. */
  readonly framing?: 'sse' | 'aws-event-stream';
  /** Null only for `openai-chat`: the bytes are read by a scanner. */
  readonly answers: AnswerTranslation | null;
  /**
   * From the hub; null for endpoints that only forward their own dialect, and for `openai-chat` where the plain chat format is enough
   * (`providers/openai/request.ts` takes out what clients of other dialects added to the hub).
   */
  readonly encodeRequest: ChatTranslation['encodeRequest'] | null;
}

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ClassifiedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Non-secret settings of a provider (`region`, `apiVersion` …) as its adapter's schema left them. */
export type Settings = Readonly<Record<string, string>>;

/** What the operator wrote about a provider, for checks that span several values. */
export interface GivenConfiguration {
  readonly settings: Settings;
  /** `apiKey` and the names of the secrets that are configured. */
  readonly secrets: ReadonlySet<string>;
  readonly hasBaseUrl: boolean;
}

/** A request as it will be sent, for adapters that sign each one. */
export interface SignableRequest {
  readonly host: string;
  /** With the query. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** How a short-lived access token is bought: one form-encoded POST (RFC 6749), done and repeated off the hot path. */
export interface TokenGrant {
  /** Equal ids share a token; holds no secret. */
  readonly id: string;
  readonly url: string;
  /** Body of the request, made anew for each: assertions expire. @throws PlimsollError `provider_auth_failed` for a credential that is not usable */
  form(nowMs: number): Promise<Readonly<Record<string, string>>>;
}

/** A provider: what it is, how to address it, how to read it. One file each, with a folder of its name where the dialect is its own. */
export interface ProviderAdapter {
  /** `kind` in plimsoll.yaml. */
  readonly kind: string;
  /** One line for the reference page. */
  readonly summary: string;
  /** Strict; every value is text. */
  readonly settings: z.ZodObject;
  /** Secrets besides `apiKey`: name → what it is. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Without a trailing slash; null when the operator must name one. */
  defaultBaseUrl(settings: Settings): string | null;
  /** Appended when the operator names a bare host, e.g. `/v1`. */
  readonly versionPath: string;
  /** Path of a cheap GET that needs the credential, for `plimsoll doctor`; null = none. */
  readonly probePath: string | null;
  /** What is missing or contradicts itself, and the fix; null when nothing is. */
  findProblem(given: GivenConfiguration): string | null;
  /** Whose list prices its models: a provider id of the price book; null = the address may tell, else unpriced. */
  readonly priceList: string | null;
  /** What it speaks. The first endpoint that can encode from the hub (or is the hub) serves clients of every other dialect. */
  readonly chat: readonly ChatEndpoint[];
  /** What it serves besides chat. */
  readonly operations: Readonly<Partial<Record<Operation, OperationEndpoint>>>;
  /** What is refused or left out because there is no counterpart, for the reference page. */
  readonly limits: readonly string[];
  /** Authentication and dialect headers that do not change from call to call. */
  headers(credentials: Credentials, settings: Settings): Record<string, string>;
  /** Headers that depend on the request. */
  readonly sign: ((request: SignableRequest, credentials: Credentials, settings: Settings, nowMs: number) => Record<string, string>) | null;
  /** Null when the credentials at hand need no token. */
  tokenGrant(credentials: Credentials, settings: Settings): TokenGrant | null;
  /** The provider's usage object → disjoint classes; null when it is not one. */
  readUsage(usage: unknown): Usage | null;
  /** What the provider itself says that the call cost; its function answers null when it says nothing. */
  readonly readCost: ((usage: unknown) => PicoUsd | null) | null;
  /** An answer with status ≥ 400 (or an error event, with the status it stands for) → our closed code and a message without secrets. */
  classifyError(status: number, body: string, headers: ResponseHeaders): ClassifiedError;
}

const NO_SETTINGS = z.strictObject({});

type Defaulted =
  | 'settings'
  | 'secrets'
  | 'versionPath'
  | 'probePath'
  | 'findProblem'
  | 'priceList'
  | 'operations'
  | 'limits'
  | 'sign'
  | 'tokenGrant'
  | 'readCost';

/** An adapter; what most providers do not need may be left out. */
export function defineProvider(adapter: Omit<ProviderAdapter, Defaulted> & Partial<Pick<ProviderAdapter, Defaulted>>): ProviderAdapter {
  return {
    settings: NO_SETTINGS,
    secrets: {},
    versionPath: '',
    probePath: null,
    findProblem: () => null,
    priceList: null,
    operations: {},
    limits: [],
    sign: null,
    tokenGrant: () => null,
    readCost: null,
    ...adapter,
  };
}
