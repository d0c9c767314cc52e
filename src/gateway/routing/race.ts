import { PlimsollError } from '../../kernel/errors.ts';

/** An attempt in a race. */
export interface Runner {
  fail(error: PlimsollError): void;
}

/** Attempts of one call that run at the same time. The first that has content is the answer; the others end at that moment. */
export class Race implements Runner {
  readonly #runners: Runner[] = [];
  #winner: Runner | null = null;

  get isDecided(): boolean {
    return this.#winner !== null;
  }

  enter(runner: Runner): void {
    this.#runners.push(runner);
  }

  /** @returns true for the winner, the first time and ever after */
  claim(runner: Runner): boolean {
    if (this.#winner !== null) return this.#winner === runner;
    this.#winner = runner;
    for (const other of this.#runners)
      if (other !== runner) other.fail(new PlimsollError('superseded', 'Another attempt of the same call answered first.'));
    return true;
  }

  /** Ends all of them: the client left, or the gateway stops. */
  fail(error: PlimsollError): void {
    for (const runner of this.#runners) runner.fail(error);
  }
}
