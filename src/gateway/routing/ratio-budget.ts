/** Thousandths of a token: whole numbers, so that nothing drifts. */
const UNIT = 1000;

/**
 * Bounds extra work to a share of the work: every call pays in `ratio`, every extra one takes out 1. Over any run of calls
 * `taken ≤ initial + ratio × calls`, and never more than `reserve` in a burst.
 * @see gRPC A6 (retry throttling), Finagle `RetryBudget`
 */
export class RatioBudget {
  readonly #reserve: number;
  #tokens: number;
  taken = 0;

  /**
   * @param reserve most whole tokens that are kept
   * @param initial whole tokens at the start, ≤ reserve
   */
  constructor(reserve: number, initial: number) {
    this.#reserve = reserve * UNIT;
    this.#tokens = initial * UNIT;
  }

  /** One call came. @param ratio 0 to 1 */
  deposit(ratio: number): void {
    this.#tokens = Math.min(this.#reserve, this.#tokens + Math.round(ratio * UNIT));
  }

  /** @returns false when there is no whole token left; nothing is taken then */
  tryTake(): boolean {
    if (this.#tokens < UNIT) return false;
    this.#tokens -= UNIT;
    this.taken++;
    return true;
  }
}
