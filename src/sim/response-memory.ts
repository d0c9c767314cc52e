import type { ChatTurn } from './chat-request.ts';

/** An answer that a provider keeps, and the conversation up to and with it. */
export interface StoredResponse {
  readonly turns: readonly ChatTurn[];
  /** Ids of the tool calls in it, which later results may answer. */
  readonly callIds: ReadonlySet<string>;
  readonly body: unknown;
  /** Rough size of both in characters. */
  readonly characters: number;
}

const MOST_RESPONSES = 2_000;
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** Answers by id; the oldest are forgotten first. */
export class ResponseMemory {
  readonly #stored = new Map<string, StoredResponse>();
  #characters = 0;

  get(id: string): StoredResponse | null {
    return this.#stored.get(id) ?? null;
  }

  put(id: string, response: StoredResponse): void {
    this.remove(id);
    this.#stored.set(id, response);
    this.#characters += response.characters;
    for (const [oldest] of this.#stored) {
      if (this.#stored.size <= MOST_RESPONSES && this.#characters <= MOST_CHARACTERS) break;
      this.remove(oldest);
    }
  }

  /** @returns false when it was not there */
  remove(id: string): boolean {
    const stored = this.#stored.get(id);
    if (stored === undefined) return false;
    this.#characters -= stored.characters;
    return this.#stored.delete(id);
  }
}
