/** Money that a replay may still use: what was spent, and what calls under way are held for, never pass the ceiling. */
export class Ceiling {
  readonly #limit: bigint;
  #spent: bigint;
  #held = 0n;

  /** Pico-dollars. */
  constructor(limit: bigint, spent: bigint) {
    this.#limit = limit;
    this.#spent = spent;
  }

  get spent(): bigint {
    return this.#spent;
  }

  fits(estimate: bigint): boolean {
    return this.#spent + this.#held + estimate <= this.#limit;
  }

  hold(estimate: bigint): void {
    this.#held += estimate;
  }

  /** @param cost what the call came to */
  settle(estimate: bigint, cost: bigint): void {
    this.#held -= estimate;
    this.#spent += cost;
  }
}
