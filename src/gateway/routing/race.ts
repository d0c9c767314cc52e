import { PlimsollError } from '../../kernel/errors.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';

/** An attempt in a race. */
export interface Runner {
  fail(error: PlimsollError): void;
}

/** Attempts of one call that run at the same time. The first that has content is the answer; the others end at that moment. */
export class Race implements Runner {
  readonly #runners: { readonly runner: Runner; readonly target: CompiledTarget }[] = [];
  #winner: Runner | null = null;

  get isDecided(): boolean {
    return this.#winner !== null;
  }

  enter(runner: Runner, target: CompiledTarget): void {
    this.#runners.push({ runner, target });
  }

  /** Takes out who is over. */
  leave(runner: Runner): void {
    const index = this.#runners.findIndex((entry) => entry.runner === runner);
    if (index >= 0) this.#runners.splice(index, 1);
  }

  /** Where others are working for the same call: what they may cost is not in the call's record yet. */
  targetsBeside(runner: Runner): CompiledTarget[] {
    return this.#runners.filter((entry) => entry.runner !== runner).map(({ target }) => target);
  }

  /** @returns true for the winner, the first time and ever after */
  claim(runner: Runner): boolean {
    if (this.#winner !== null) return this.#winner === runner;
    this.#winner = runner;
    for (const { runner: other } of [...this.#runners])
      if (other !== runner) other.fail(new PlimsollError('superseded', 'Another attempt of the same call answered first.'));
    return true;
  }

  /** Ends all of them: the client left, or the gateway stops. */
  fail(error: PlimsollError): void {
    for (const { runner } of [...this.#runners]) runner.fail(error);
  }
}
