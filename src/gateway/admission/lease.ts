/** How long a refusal of the source is taken for its word, so that a flood of calls that do not fit asks nobody. */
const FULL_MS = 10;
/** A lease that no call has touched for so long gives its spare part back. */
const IDLE_MS = 1_000;
/** A first block is so many times what the first calls need. */
const FIRST_BLOCK = 8;
const PACE_MS = 1_000;

/** What this gateway may use of a counter without asking; the other side of it is a `LeaseReport`. Monotonic milliseconds. */
export class Lease {
  /** Limit, member and period: what all gateways call the same. */
  readonly key: string;
  /** Can be taken now. Below 0 when calls took more than was lent: what a provider charged beyond the estimate. */
  spare = 0;
  /** Windows: all that was counted since this process began. */
  used = 0;
  /** Asked for by calls that wait: all of it, and the smallest of it. */
  want = 0;
  least = Number.POSITIVE_INFINITY;
  /** Something has changed that the source does not know. */
  isDirty = true;
  /** The source has heard of what was there before the lease. */
  isKnown = false;
  /** When the source last answered. */
  usedByOthers = 0;
  /** Until then what is spare may be used: the source believes that this gateway lives. */
  validUntilMs = Number.NEGATIVE_INFINITY;
  #touchedMs = 0;
  #fullUntilMs = Number.NEGATIVE_INFINITY;
  #fullAmount = Number.POSITIVE_INFINITY;
  /** Taken in this and the last stretch of `PACE_MS`. */
  #taken = 0;
  #takenBefore = 0;
  #paceSinceMs = Number.NEGATIVE_INFINITY;

  constructor(key: string) {
    this.key = key;
  }

  isValid(nowMs: number): boolean {
    return nowMs < this.validUntilMs;
  }

  touch(nowMs: number): void {
    this.#touchedMs = nowMs;
    this.isDirty = true;
  }

  /** What was asked for is kept as long as what was used. */
  grant(amount: number, nowMs: number): void {
    this.spare += amount;
    if (amount > 0) this.#touchedMs = nowMs;
  }

  take(amount: number, nowMs: number): void {
    this.touch(nowMs);
    this.spare -= amount;
    const elapsedMs = nowMs - this.#paceSinceMs;
    if (elapsedMs >= PACE_MS) {
      this.#takenBefore = elapsedMs < 2 * PACE_MS ? this.#taken : 0;
      this.#taken = 0;
      this.#paceSinceMs = nowMs;
    }
    this.#taken += amount;
  }

  isIdle(nowMs: number): boolean {
    return nowMs - this.#touchedMs >= IDLE_MS;
  }

  ask(amount: number): void {
    this.want += amount;
    this.least = Math.min(this.least, amount);
  }

  /** Worth having beyond what is wanted: what a second or two of calls take. So much, at most, is bound by a gateway that dies. */
  get ahead(): number {
    return Math.max(FIRST_BLOCK * this.want, this.#taken + this.#takenBefore);
  }

  /** The source has no `amount`, and nobody has it spare. */
  markFull(amount: number, nowMs: number): void {
    this.#fullUntilMs = nowMs + FULL_MS;
    this.#fullAmount = amount;
  }

  /** True while asking for `amount` would be in vain. */
  isFull(amount: number, nowMs: number): boolean {
    return nowMs < this.#fullUntilMs && amount >= this.#fullAmount;
  }
}
