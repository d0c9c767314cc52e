/** The check would cost more than an answer is worth. */
export class TooExpensive extends Error {
  constructor() {
    super('the check costs too much for this schema and answer');
    this.name = 'TooExpensive';
  }
}

/** Bounds the work of one check. A schema and an answer come from strangers: together they can ask for exponential time. */
export class WorkBudget {
  #left = 0;

  /** @param units about 50 ns each */
  refill(units: number): void {
    this.#left = units;
  }

  /** @throws TooExpensive when nothing is left */
  take(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new TooExpensive();
  }
}
