/** A secret in memory. Whatever prints, logs or serialises it shows a mark; only `reveal` gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MARK;
  }

  toJSON(): string {
    return MARK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MARK;
  }
}

const MARK = '[secret]';
