/** How long a refusal of the source is taken for its word, so that a flood of calls that do not fit asks nobody. */
const FULL_MS = 50;
/** A lease that no call has touched for so long gives its spare part back. */
const IDLE_MS = 1_000;

/** What this gateway may use of a counter without asking; the other side of it is a `LeaseReport`. Monotonic milliseconds. */
export class Lease {
  /** Can be taken now. */
  spare = 0;
  /** Windows: all that was counted since this process began. */
  used = 0;
  /** Asked for by calls that wait: all of it, and the smallest of it. */
  want = 0;
  least = Number.POSITIVE_INFINITY;
  /** Something has changed that the source does not know. */
  isDirty = true;
  /** The source was told of it at least once. */
  isKnown = false;
  /** Used by all gateways, and free, when the source last answered. */
  usedByAll = 0;
  free: number;
  /** Until then what is spare may be used: the source believes that this gateway lives. */
  validUntilMs = Number.NEGATIVE_INFINITY;
  #touchedMs = 0;
  #fullUntilMs = Number.NEGATIVE_INFINITY;
  #fullAmount = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    this.free = capacity;
  }

  isValid(nowMs: number): boolean {
    return nowMs < this.validUntilMs;
  }

  touch(nowMs: number): void {
    this.#touchedMs = nowMs;
    this.isDirty = true;
  }

  isIdle(nowMs: number): boolean {
    return nowMs - this.#touchedMs >= IDLE_MS;
  }

  ask(amount: number): void {
    this.want += amount;
    this.least = Math.min(this.least, amount);
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
