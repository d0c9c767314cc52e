/**
 * Tool ids in the form that a provider takes, each used once in a conversation: histories come from other providers, which use other characters
 * and repeat ids between turns.
 */
export class ToolIds {
  readonly #form: RegExp;
  readonly #make: (id: string, attempt: number) => string;
  readonly #used = new Set<string>();
  /** Hub id → provider's, of the newest call with this id: an answer belongs to it. */
  readonly #newest = new Map<string, string>();

  /** @param form of an id that is sent as it is @param make another for one that is not, or is taken; `attempt` counts from 1 */
  constructor(form: RegExp, make: (id: string, attempt: number) => string) {
    this.#form = form;
    this.#make = make;
  }

  /** The id of a call. */
  open(id: string): string {
    let unique = this.#form.test(id) ? id : this.#make(id, 1);
    for (let attempt = 2; this.#used.has(unique); attempt++) unique = this.#make(id, attempt);
    this.#used.add(unique);
    this.#newest.set(id, unique);
    return unique;
  }

  /** The id of the call that an answer belongs to. */
  answer(id: string): string {
    return this.#newest.get(id) ?? id;
  }
}
