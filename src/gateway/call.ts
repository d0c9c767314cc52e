import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { newSpanId, newTraceId, newUuidV7, parseTraceparent } from '../kernel/ids.ts';
import type {
  CallAttempt,
  CallOpened,
  CallOperation,
  CallPurpose,
  CallRouting,
  CallSettled,
  CallStage,
  OutputValidation,
  TargetRules,
} from '../traces/call-record.ts';
import type { ApplicableLimits } from './admission/limit-book.ts';
import type { Refusal } from './admission/refusal.ts';
import type { Reservation } from './admission/reservation.ts';
import { type ChatBody, parseChatBody } from './body/chat-body.ts';
import type { CallCache } from './cache/call-cache.ts';
import type { Flight } from './cache/flight.ts';
import type { CallerJson } from './call-json.ts';
import type { ClientDialect, DecodedRequest } from './client-dialect.ts';
import type { CompiledSnapshot, CompiledTarget, Destination } from './compiled-snapshot.ts';
import type { ClientRequest, ClientResponse } from './downstream/client-exchange.ts';
import type { SnapshotFeature, SnapshotKey } from './snapshot.ts';

/** A JSON answer that is complete and waits for its ledger row before it is sent. */
export interface JsonAnswer {
  readonly kind: 'json';
  readonly body: Buffer;
}

/** A stream whose content is with the client; the last bytes wait for the ledger row. */
export interface StreamAnswer {
  readonly kind: 'stream';
  /** Content that came in the same turn as the end and leaves with it, in one write. */
  readonly content: Buffer | null;
  readonly lastBytes: Buffer | null;
}

/** Answer texts for the payload record, read only when the policy asks for them. */
export interface AnswerTexts {
  /** OpenAI's `choices[].message` as JSON text in UTF-8. */
  messagesJson(): Buffer;
  /** Text of the first choice. */
  text(): string;
  readonly isTruncated: boolean;
}

export interface InterTokenGaps {
  count: number;
  sumMs: number;
  maxMs: number;
}

/** What a call may use at most; the dearest and longest of its targets decides. */
export interface CallEstimate {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars × 10⁹. */
  readonly nanoUsd: number;
}

/** Who calls; known once `authenticate` has run. */
export interface Caller {
  readonly key: SnapshotKey;
  readonly feature: SnapshotFeature;
  /** Absent for callers that are not in the snapshot. */
  readonly json?: CallerJson;
}

/** What a `call.settled` record adds to `call.opened`; the sampling parameters are added as text. */
export type CallOutcome = Omit<CallSettled, keyof CallOpened | 'requestParameters'>;

/** One `/v1` call on its way through the stages: each stage fills in what it found out, `settle` turns all of it into one record. */
export class Call {
  slot = -1;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  /** What the client speaks. */
  readonly dialect: ClientDialect;
  /** The snapshot that was current when the call came; it keeps it to the end. */
  readonly snapshot: CompiledSnapshot;
  readonly callId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly startedAtMs: number;
  /** Monotonic milliseconds; offsets count from here. */
  readonly startedMs: number;
  caller: Caller | null = null;
  user: string | null = null;
  session: string | null = null;
  customer: string | null = null;
  tags: Readonly<Record<string, string>> = {};
  body: ChatBody | null = null;
  destination: Destination | null = null;
  /** What the feature's policy left out of the destination; null = the feature has none. */
  targetRules: TargetRules | null = null;
  /** Limits of the caller; null = none. */
  limits: ApplicableLimits | null = null;
  estimate: CallEstimate | null = null;
  /** Output tokens that the call is held to although it asked for no number; null = none. */
  outputTokensCap: number | null = null;
  /** Held from admission to settlement; null before, and for calls that nothing limits. */
  reservation: Reservation | null = null;
  /** Why it was not let in. */
  refusal: Refusal | null = null;
  /** The route that was asked for, when a limit sent the call to a cheaper one. */
  downgradedFrom: string | null = null;
  /** Where to try, in this order. */
  targets: readonly CompiledTarget[] = [];
  /** How the route chose; null where there was nothing to choose. */
  routing: CallRouting | null = null;
  /** Null = a client's own call; else one that the gateway makes by itself. */
  purpose: CallPurpose | null = null;
  /** The client's call that this one belongs to, or whose answer it repeats. */
  parentCallId: string | null = null;
  /** What went to the client of a stream, where somebody wants to have it again. */
  copy: Buffer[] | null = null;
  /** Under which the answer is kept for repeats; null = it is not. */
  idempotencyId: string | null = null;
  /** The answer is another call's, and cost nothing. */
  isRepeat = false;
  /** Later requests with the same idempotency key that wait for this answer: for them it is finished although its client left. */
  followers = 0;
  opened: CallOpened | null = null;
  /** `opened` as it was journaled. */
  openedJson: string | null = null;
  /** How the call ended; null while it runs, and for calls without a record. */
  outcome: CallOutcome | null = null;
  isSettled = false;
  /** Exact decimal dollars; null when unpriced. */
  costUsd: string | null = null;
  readonly attempts: CallAttempt[] = [];
  /** That of the last of them. */
  lastTarget: CompiledTarget | null = null;
  /** `attemptJson` of each of them. */
  attemptsJson = '';
  readonly stages: CallStage[] = [];
  readonly warnings: string[] = [];
  /** Response headers (flat name, value list) that the provider's answer adds. */
  readonly answerHeaders: string[] = [];
  answer: JsonAnswer | StreamAnswer | null = null;
  /** Says in the client's dialect that its stream broke off; null while none runs, and where a fixed event does it. */
  brokenStream: { fail(error: PlimsollError): string } | null = null;
  /** Null = nothing had to be checked. */
  outputValidation: OutputValidation | null = null;
  /** Messages to send behind the client's own: the model is asked to correct its answer. */
  repair: readonly unknown[] | null = null;
  texts: AnswerTexts | null = null;
  error: PlimsollError | null = null;
  /** Offset of the first content; null when none came. */
  ttftMs: number | null = null;
  readonly gaps: InterTokenGaps = { count: 0, sumMs: 0, maxMs: 0 };
  /** The client closed its connection before the answer was complete. */
  isClientGone = false;
  /** Why the gateway ends the call: no other target is tried. Null = it does not. */
  stopReason: PlimsollError | null = null;
  /** What runs now (reading the body, an attempt, a wait); it must end when the client leaves or the gateway stops. */
  running: { fail(error: PlimsollError): void } | null = null;
  readonly #clock: Clock;
  /** What the cache found out; null for features without one. */
  cache: CallCache | null = null;
  /** Keeps what goes to the client, for the cache and for calls that wait for the same answer; null = nobody wants it. */
  flight: Flight | null = null;
  #parsedBody: Record<string, unknown> | null = null;
  #decoded: DecodedRequest | null = null;
  #hasWarned = false;
  #stage: CallStage['name'] | null = null;
  #stageStartMs = 0;

  constructor(request: ClientRequest, response: ClientResponse, dialect: ClientDialect, snapshot: CompiledSnapshot, clock: Clock) {
    this.request = request;
    this.response = response;
    this.dialect = dialect;
    this.snapshot = snapshot;
    this.#clock = clock;
    this.startedAtMs = clock.nowMs();
    this.startedMs = clock.monotonicMs();
    this.callId = newUuidV7(this.startedAtMs);
    const parent = parseTraceparent(request.headers.traceparent as string | undefined); // Node joins repeated headers to one string
    this.traceId = parent?.traceId ?? newTraceId();
    this.parentSpanId = parent?.parentSpanId ?? null;
    this.spanId = newSpanId();
    response.on('close', this.#onClose);
  }

  readonly #onClose = (): void => {
    if (this.response.writableFinished) return;
    this.isClientGone = true;
    // Others wait for the same answer: it goes on for them.
    if (!this.isAbandoned) return;
    this.running?.fail(new PlimsollError('client_closed', 'The client closed the connection before the answer was complete.'));
  };

  /** Nobody is left who wants the answer. */
  get isAbandoned(): boolean {
    return this.isClientGone && this.followers === 0 && !this.flight?.hasFollowers;
  }

  /** Notes what goes to the client, where somebody wants to have it again. The bytes are copied: the buffer that they lie in may be used again. */
  keepCopy(bytes: Buffer): void {
    this.copy?.push(Buffer.from(bytes));
  }

  /** Path and query of the URL; a key in it was taken out. */
  get path(): string {
    return this.request.url ?? '';
  }

  /** Ends the call from outside. */
  stop(error: PlimsollError): void {
    this.stopReason = error;
    this.running?.fail(error);
  }

  /** The client's request as a value, parsed at most once; only what translates or looks inside needs it. */
  parsedBody(): Readonly<Record<string, unknown>> {
    if (this.body === null) throw new PlimsollError('internal', 'The body was asked for before it was read');
    this.#parsedBody ??= parseChatBody(this.body);
    return this.#parsedBody;
  }

  /** The request in the hub's dialect, translated at most once. @throws PlimsollError `invalid_argument` for what has no counterpart there */
  hubRequest(): Readonly<Record<string, unknown>> {
    const { body, warnings } = this.peekHubRequest();
    if (!this.#hasWarned) this.warnings.push(...warnings);
    this.#hasWarned = true;
    return body;
  }

  /** As `hubRequest`, for looking inside: the client is not told what a translation would drop. @throws as `hubRequest` */
  peekHubRequest(): DecodedRequest {
    const { translation } = this.dialect;
    this.#decoded ??=
      translation === null ? { body: this.parsedBody(), warnings: [] } : translation.decodeRequest(this.parsedBody(), this.path);
    return this.#decoded;
  }

  /** Both clocks of this moment. */
  now(): { readonly nowMs: number; readonly epochMs: number } {
    return { nowMs: this.#clock.monotonicMs(), epochMs: this.#clock.nowMs() };
  }

  get operation(): CallOperation {
    return this.dialect.operation?.name ?? 'chat';
  }

  /** Id of the answer of a provider that gives none, in OpenAI's form. */
  get answerId(): string {
    return `chatcmpl-${this.callId}`;
  }

  /** Milliseconds since the call came. */
  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.startedMs;
  }

  /** Ends the stage before and starts the next one. */
  enterStage(name: CallStage['name']): void {
    const nowMs = this.elapsedMs();
    this.#endStage(nowMs, 'ok');
    this.#stage = name;
    this.#stageStartMs = nowMs;
  }

  /** Ends the open stage. */
  leaveStage(status: CallStage['status']): void {
    this.#endStage(this.elapsedMs(), status);
  }

  #endStage(nowMs: number, status: CallStage['status']): void {
    if (this.#stage === null) return;
    this.stages.push({
      name: this.#stage,
      startOffsetMs: roundMs(this.#stageStartMs),
      durationMs: roundMs(nowMs - this.#stageStartMs),
      status,
    });
    this.#stage = null;
  }

  /** One piece of answer content came. @param nowMs monotonic */
  markContent(nowMs: number, lastContentMs: number | null): void {
    if (lastContentMs === null) {
      this.ttftMs ??= nowMs - this.startedMs;
      return;
    }
    const gapMs = nowMs - lastContentMs;
    this.gaps.count++;
    this.gaps.sumMs += gapMs;
    if (gapMs > this.gaps.maxMs) this.gaps.maxMs = gapMs;
  }
}

/** Microsecond resolution: the rest is noise that only makes records longer. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
