const SMOOTHING = 0.1;
/** Slower than that many times the best seen: more calls at a time would only wait for one another. */
const SLOW = 2.5;

/**
 * How many calls run at a time: one more for each round that went well, half after a refusal for too many, no more while answers get slower.
 * @see Chiu & Jain 1989, Computer Networks and ISDN Systems 17:1 (additive increase, multiplicative decrease)
 */
export class AdaptiveConcurrency {
  readonly #most: number;
  #limit: number;
  #succeeded = 0;
  #bestMs = Number.POSITIVE_INFINITY;
  #meanMs: number | null = null;
  /** Refusals of calls that began before the last decrease say nothing new. */
  #decreasedAtMs = Number.NEGATIVE_INFINITY;

  constructor(most: number, start = Math.min(8, most)) {
    this.#most = most;
    this.#limit = start;
  }

  get limit(): number {
    return this.#limit;
  }

  succeeded(durationMs: number): void {
    this.#meanMs = this.#meanMs === null ? durationMs : this.#meanMs + SMOOTHING * (durationMs - this.#meanMs);
    this.#bestMs = Math.min(this.#bestMs, this.#meanMs);
    if (++this.#succeeded < this.#limit) return;
    this.#succeeded = 0;
    // Below 50 ms it is our own queue that is measured.
    if (this.#meanMs <= Math.max(50, SLOW * this.#bestMs)) this.#limit = Math.min(this.#most, this.#limit + 1);
  }

  /** @param startedAtMs of the call that was refused */
  refused(startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#decreasedAtMs) return;
    this.#decreasedAtMs = nowMs;
    this.#succeeded = 0;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}
