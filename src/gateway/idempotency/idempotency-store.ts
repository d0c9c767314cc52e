import type { Clock } from '../../kernel/clock.ts';
import type { Call } from '../call.ts';

/** A complete answer as it went to the client. */
export interface KeptAnswer {
  readonly callId: string;
  /** Alias of the target that answered. */
  readonly model: string | null;
  readonly isStream: boolean;
  /** The JSON body, or all events of the stream. */
  readonly body: Buffer;
}

/** Somebody who waits for the answer of a call that still runs. */
export interface Waiter {
  /** Null = the call failed: its failure is not kept. */
  resolve(answer: KeptAnswer | null): void;
}

interface Running {
  readonly fingerprint: string;
  readonly leader: Call;
  readonly waiters: Set<Waiter>;
}

interface Done {
  readonly fingerprint: string;
  readonly answer: KeptAnswer;
  readonly expiresAtMs: number;
}

export type Begun =
  | { readonly kind: 'lead' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'answer'; readonly answer: KeptAnswer }
  | { readonly kind: 'wait'; readonly leader: Call; readonly waiters: Set<Waiter> };

const DEFAULT_TTL_MS = 24 * 3_600_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** What an entry costs besides its body, roughly; bounds the number of small ones. */
const ENTRY_BYTES = 512;

/**
 * Answers by idempotency key, in the memory of one worker. Bounded by bytes: the oldest leave first, an answer of more than an eighth of the room
 * is not kept at all. Calls that run are held by the calls themselves and cost no room.
 */
export class IdempotencyStore {
  readonly #clock: Clock;
  readonly #running = new Map<string, Running>();
  /** In the order in which they were completed, which with one time to live is that of their end. */
  readonly #done = new Map<string, Done>();
  #ttlMs = DEFAULT_TTL_MS;
  #maxBytes = DEFAULT_MAX_BYTES;
  #bytes = 0;
  repeats = 0;
  conflicts = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  configure(limits: { readonly ttlMs: number; readonly maxBytes: number } | undefined): void {
    this.#ttlMs = limits?.ttlMs ?? DEFAULT_TTL_MS;
    this.#maxBytes = limits?.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#evict();
  }

  get stats(): { entries: number; bytes: number; repeats: number; conflicts: number } {
    return { entries: this.#done.size, bytes: this.#bytes, repeats: this.repeats, conflicts: this.conflicts };
  }

  /** @param id key and virtual key @param fingerprint of the whole request @param call leads when there is nothing to repeat */
  begin(id: string, fingerprint: string, call: Call): Begun {
    const nowMs = this.#clock.nowMs();
    const done = this.#done.get(id);
    if (done !== undefined && done.expiresAtMs <= nowMs) this.#delete(id, done);
    else if (done !== undefined) return this.#judge(done.fingerprint === fingerprint, { kind: 'answer', answer: done.answer });
    const running = this.#running.get(id);
    if (running !== undefined)
      return this.#judge(running.fingerprint === fingerprint, { kind: 'wait', leader: running.leader, waiters: running.waiters });
    this.#running.set(id, { fingerprint, leader: call, waiters: new Set() });
    return { kind: 'lead' };
  }

  #judge(isSame: boolean, begun: Begun): Begun {
    if (isSame) return begun;
    this.conflicts++;
    return { kind: 'conflict' };
  }

  /** The leading call is over. @param answer null = it failed: the next request with the key is a new one */
  finish(id: string, answer: KeptAnswer | null): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    if (answer !== null && answer.body.length + ENTRY_BYTES <= this.#maxBytes / 8) {
      this.#done.set(id, { fingerprint: running.fingerprint, answer, expiresAtMs: this.#clock.nowMs() + this.#ttlMs });
      this.#bytes += answer.body.length + ENTRY_BYTES;
      this.#evict();
    }
    for (const waiter of running.waiters) waiter.resolve(answer);
  }

  #evict(): void {
    const nowMs = this.#clock.nowMs();
    for (const [id, done] of this.#done) {
      if (done.expiresAtMs > nowMs && this.#bytes <= this.#maxBytes) return;
      this.#delete(id, done);
    }
  }

  #delete(id: string, done: Done): void {
    this.#done.delete(id);
    this.#bytes -= done.answer.body.length + ENTRY_BYTES;
  }
}
