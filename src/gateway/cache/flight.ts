import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';
import { chunkJson } from '../hub/text-chunk.ts';
import type { AnswerOrigin, CachedAnswer } from './answer-cache.ts';
import { scopeOf } from './cache-key.ts';

/** How a flight ended. */
export interface Landing {
  /** Why there is no answer; null = there is one. */
  readonly error: PlimsollError | null;
  readonly origin: AnswerOrigin | null;
  /** What says that a stream is over; comes after the last piece. */
  readonly lastBytes: Buffer | null;
  /** Null also when it is too large to be kept: then only the pieces of a stream could be shared. */
  readonly answer: CachedAnswer | null;
}

/** A call that waits for the answer of another one. */
export interface Follower {
  /** The next bytes of the stream that the leader's client gets. */
  onPiece(bytes: Buffer): void;
  onLanding(landing: Landing): void;
}

const HUB = 'openai-chat';

/**
 * An answer on its way from a provider: what the leader's client is sent is kept, for the cache and for followers, which get it as it comes. It
 * goes on when the leader's client leaves while followers are there, and ends when the last of them leaves.
 */
export class Flight {
  /** Epoch milliseconds: the age of the answer counts from its beginning. */
  readonly startedAtMs: number;
  readonly feature: string;
  /** `name=value`, of the leader. */
  readonly tags: readonly string[];
  /** Newest purge that the leader knew of. */
  readonly purgeSequence: number;
  readonly #leader: Call;
  readonly #maxBytes: number;
  readonly #followers = new Set<Follower>();
  #pieces: Buffer[] = [];
  readonly #cadence: number[] = [];
  #bytes = 0;
  #firstMs = 0;
  /** In the hub's form, when the leader's client speaks another one. */
  #completion: Buffer | null = null;
  /** The same of a stream, a chunk a line, by who reads it: of several attempts at once one wins. */
  #chunks: Map<unknown, string[]> | null = null;
  /** Whose stream goes to the client. */
  #source: unknown = null;
  /** Too large to be kept, or not one answer. */
  #isVoid = false;
  #model: string | null = null;
  /** Null while it flies. */
  landing: Landing | null = null;

  constructor(leader: Call, maxBytes: number) {
    this.#leader = leader;
    this.#maxBytes = maxBytes;
    this.startedAtMs = leader.startedAtMs;
    this.feature = leader.caller?.feature.name ?? '';
    this.tags = Object.entries(leader.tags).map(([name, value]) => `${name}=${value}`);
    this.purgeSequence = leader.snapshot.cache.purges.at(-1)?.sequence ?? 0;
  }

  get hasFollowers(): boolean {
    return this.#followers.size > 0;
  }

  /** Followers are not made to wait for a leader's client that reads slowly; an answer that is too large to be kept waits as ever. */
  get holdsBack(): boolean {
    return !this.hasFollowers || this.#isVoid;
  }

  get isJoinable(): boolean {
    return !this.#isVoid && (this.landing === null || this.landing.answer !== null);
  }

  /** Alias of the model that answers; null before the first piece. */
  get model(): string | null {
    return this.#model;
  }

  /** A stream in the very form that this call wants: its pieces can be passed on. */
  isSameStream(call: Call): boolean {
    const leader = this.#leader;
    return (
      leader.body?.isStream === true &&
      call.body?.isStream === true &&
      leader.dialect.name === call.dialect.name &&
      leader.body.includeUsage === call.body.includeUsage &&
      leader.body.isEventStream === call.body.isEventStream
    );
  }

  /** @returns the pieces that have come so far */
  join(follower: Follower): readonly Buffer[] {
    this.#followers.add(follower);
    return this.#pieces;
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.landing === null && this.#leader.isAbandoned)
      this.#leader.running?.fail(new PlimsollError('client_closed', 'Every client that wanted this answer has left.'));
  }

  /** Bytes of a stream that the leader's client is being sent. @param model alias */
  addPiece(bytes: Buffer, model: string | null, nowMs: number): void {
    this.#model = model;
    // Copied: what it lies in may be used again, and holds more than this answer.
    const piece = Buffer.from(bytes);
    this.#keep(piece, nowMs);
    for (const follower of [...this.#followers]) follower.onPiece(piece);
  }

  #keep(bytes: Buffer, nowMs: number): void {
    if (this.#isVoid) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      this.#voidIt();
      return;
    }
    if (this.#pieces.length === 0) this.#firstMs = nowMs;
    this.#pieces.push(bytes);
    this.#cadence.push(this.#bytes, Math.round(nowMs - this.#firstMs));
  }

  #voidIt(): void {
    this.#isVoid = true;
    this.#pieces = [];
    this.#chunks = null;
  }

  /** Chunks of a stream in the hub's form. @param source who reads it */
  addChunks(source: unknown, chunks: readonly unknown[]): void {
    if (this.#leader.dialect.name === HUB || this.#isVoid) return;
    this.#chunks ??= new Map();
    const known = this.#chunks.get(source) ?? [];
    for (const chunk of chunks) known.push(chunkJson(chunk));
    this.#chunks.set(source, known);
  }

  /** From now on it is this reader's stream that goes to the client; a second one means that the answer began anew. */
  begin(source: unknown): void {
    if (this.#source !== null) this.#voidIt();
    this.#source = source;
  }

  /** A JSON answer in the hub's form. */
  setCompletion(bytes: Buffer): void {
    if (this.#leader.dialect.name !== HUB) this.#completion = bytes;
  }

  /** The leader's stages are done, well or not: everybody who waits hears of it. @param nowMs monotonic */
  land(nowMs: number, ttlMs: number): void {
    const { error } = this.#leader;
    this.#arrive(error === null ? this.#complete(nowMs, ttlMs) : { error, origin: null, lastBytes: null, answer: null });
  }

  /** The answer will be of no use to others: they go on by themselves. */
  giveUp(): void {
    this.#arrive({ error: null, origin: null, lastBytes: null, answer: null });
  }

  #arrive(landing: Landing): void {
    this.landing = landing;
    this.#pieces = [];
    const followers = [...this.#followers];
    this.#followers.clear();
    for (const follower of followers) follower.onLanding(landing);
  }

  #complete(nowMs: number, ttlMs: number): Landing {
    const { answer } = this.#leader;
    const origin = originOf(this.#leader);
    let lastBytes: Buffer | null = null;
    if (answer?.kind === 'json') this.#keep(answer.body, nowMs);
    else if (answer !== null) {
      if (answer.content !== null) this.addPiece(answer.content, this.#model ?? origin?.model ?? null, nowMs);
      ({ lastBytes } = answer);
      if (lastBytes !== null) this.#keep(lastBytes, nowMs);
    }
    const isWhole = answer !== null && origin !== null && !this.#isVoid;
    return {
      error: null,
      origin,
      lastBytes,
      answer: isWhole ? this.#assemble(origin, ttlMs, lastBytes?.length ?? 0) : null,
    };
  }

  #assemble(origin: AnswerOrigin, ttlMs: number, lastBytes: number): CachedAnswer {
    const call = this.#leader;
    const isStream = call.body?.isStream ?? false;
    const chunks = this.#chunks?.get(this.#source);
    const hub = chunks === undefined ? this.#completion : Buffer.from(chunks.join('\n'));
    return {
      scope: scopeOf(call.snapshot.organisationId, call.snapshot.environment, this.feature),
      feature: this.feature,
      dialect: call.dialect.name,
      isStream,
      hasUsageChunk: call.body?.includeUsage ?? false,
      isEventStream: call.body?.isEventStream ?? true,
      body: Buffer.concat(this.#pieces),
      lastBytes,
      cadence: isStream ? this.#cadence : [],
      hub,
      origin,
      storedAtMs: this.startedAtMs,
      expiresAtMs: this.startedAtMs + ttlMs,
      tags: this.tags,
      purgeSequence: this.purgeSequence,
    };
  }
}

/** The attempt that answered is the last one. */
function originOf(call: Call): AnswerOrigin | null {
  const attempt = call.attempts.at(-1);
  if (attempt === undefined || attempt.status !== 'ok') return null;
  const { model, provider, requestModel, responseModel, responseId, finishReasons, usage, costPicoUsd } = attempt;
  return {
    callId: call.callId,
    traceId: call.traceId,
    model,
    provider,
    requestModel,
    responseModel,
    responseId,
    finishReasons,
    usage,
    costPicoUsd,
  };
}
