/** What is looked at of a judge's reply; the rest says nothing that fits in the form asked for. */
const MAXIMUM_CHARACTERS = 262_144;
const MAXIMUM_DEPTH = 32;
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$-]*/uy;
const SPACE = /\s/;
const LITERALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  null: null,
  none: null,
  yes: 'yes',
  no: 'no',
  idk: 'idk',
};
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

export interface FoundJson {
  readonly value: unknown;
  /** False when the text ends inside: what was not finished is left out. */
  readonly isComplete: boolean;
}

/**
 * Objects and arrays in a text that a model wrote, in their order: between prose and fences, with single quotes, names without quotes, trailing commas,
 * line breaks and unescaped quotes in strings, Python's literals, cut off at the end. Names are in lower case; `__proto__` is a name like another.
 * An object that has a name twice with different values is no object: one of them may be a quotation of what was judged.
 * Takes time in proportion to the text, whatever is in it.
 */
export function findJson(text: string): FoundJson[] {
  const reader = new LenientReader(text.slice(0, MAXIMUM_CHARACTERS));
  const found: FoundJson[] = [];
  for (;;) {
    if (!reader.seek()) return found;
    const value = reader.readValue(0);
    if (value !== REFUSED) found.push({ value, isComplete: !reader.isCut });
  }
}

const REFUSED = Symbol('no JSON');
const UNFINISHED = Symbol('the text ends here');

class LenientReader {
  readonly #text: string;
  #at = 0;
  isCut = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Goes to the next bracket; false when there is none. Never goes back, so that each character is read once. */
  seek(): boolean {
    while (this.#at < this.#text.length && this.#here() !== '{' && this.#here() !== '[') this.#at++;
    return this.#at < this.#text.length;
  }

  /** @returns REFUSED for what cannot be JSON, UNFINISHED for a scalar that the end of the text cuts off */
  readValue(depth: number): unknown {
    const first = this.#here();
    if (first === '{' || first === '[') {
      this.#at++;
      if (depth >= MAXIMUM_DEPTH) return REFUSED;
      return first === '{' ? this.#readObject(depth + 1) : this.#readArray(depth + 1);
    }
    if (first === '"' || first === "'") return this.#readString(first);
    const number = this.#match(NUMBER);
    if (number !== null) return this.#atEnd() ? this.#cut() : Number(number);
    const word = this.#match(WORD)?.toLowerCase() ?? null;
    if (word === null) return REFUSED;
    if (this.#atEnd()) return this.#cut();
    return Object.hasOwn(LITERALS, word) ? LITERALS[word] : REFUSED;
  }

  #readArray(depth: number): unknown {
    const items: unknown[] = [];
    for (;;) {
      this.#skip();
      if (this.#atEnd()) {
        this.isCut = true;
        return items;
      }
      if (this.#here() === ']') {
        this.#at++;
        return items;
      }
      const item = this.readValue(depth);
      if (item === REFUSED) return REFUSED;
      if (item !== UNFINISHED) items.push(item);
      this.#skip();
      if (this.#here() === ',') this.#at++;
      else if (!this.#atEnd() && this.#here() !== ']') return REFUSED;
    }
  }

  #readObject(depth: number): unknown {
    const members = new Map<string, unknown>();
    let isAmbiguous = false;
    for (;;) {
      this.#skip();
      if (this.#atEnd()) {
        this.isCut = true;
        break;
      }
      if (this.#here() === '}') {
        this.#at++;
        break;
      }
      const quote = this.#here();
      const name = quote === '"' || quote === "'" ? this.#readString(quote) : (this.#match(WORD) ?? REFUSED);
      if (typeof name !== 'string') {
        if (name === UNFINISHED) continue;
        return REFUSED;
      }
      this.#skip();
      if (this.#atEnd()) continue;
      if (this.#here() !== ':') return REFUSED;
      this.#at++;
      this.#skip();
      if (this.#atEnd()) continue;
      const value = this.readValue(depth);
      if (value === REFUSED) return REFUSED;
      if (value === UNFINISHED) continue;
      const key = name.trim().toLowerCase();
      if (members.has(key) && JSON.stringify(members.get(key)) !== JSON.stringify(value)) isAmbiguous = true;
      members.set(key, value);
      this.#skip();
      if (this.#here() === ',') this.#at++;
      else if (!this.#atEnd() && this.#here() !== '}') return REFUSED;
    }
    // fromEntries defines members and calls no setter.
    return isAmbiguous ? REFUSED : Object.fromEntries(members);
  }

  /** A quote ends a string where JSON could go on after it; another one was not escaped. */
  #readString(quote: string): unknown {
    const pieces: string[] = [];
    let start = ++this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#here();
      if (character === '\\') {
        pieces.push(this.#text.slice(start, this.#at), this.#readEscape());
        start = this.#at + 1;
      } else if (character === quote && this.#endsString()) {
        pieces.push(this.#text.slice(start, this.#at++));
        return pieces.join('');
      }
    }
    return this.#cut();
  }

  /** Leaves the place at the escape's last character. */
  #readEscape(): string {
    const kind = this.#text.charAt(++this.#at);
    if (kind === 'u') {
      const digits = /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at + 1, this.#at + 5))?.[0];
      if (digits === undefined) return 'u';
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    return Object.hasOwn(ESCAPES, kind) ? (ESCAPES[kind] ?? '') : kind;
  }

  #endsString(): boolean {
    // A bounded look ahead keeps the whole linear.
    for (let next = this.#at + 1; next < this.#at + 160; next++) {
      const character = this.#text.charAt(next);
      if (character === '') return true;
      if (!SPACE.test(character)) return ',:}]'.includes(character);
    }
    return false;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at += match[0].length;
    return match[0];
  }

  #skip(): void {
    while (this.#at < this.#text.length && SPACE.test(this.#here())) this.#at++;
  }

  #cut(): symbol {
    this.isCut = true;
    this.#at = this.#text.length;
    return UNFINISHED;
  }

  #here(): string {
    return this.#text.charAt(this.#at);
  }

  #atEnd(): boolean {
    return this.#at >= this.#text.length;
  }
}
