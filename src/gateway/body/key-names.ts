/** Whether bytes [start, end) spell `word` (ASCII, without escapes). */
export function spells(bytes: Buffer, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index++) if (bytes[start + index] !== word.charCodeAt(index)) return false;
  return true;
}

/** Finds which of a fixed set of names some bytes spell, without making a string. */
export class KeyNames {
  /** Names by first byte. */
  readonly #byFirst: (readonly string[] | undefined)[] = [];

  constructor(names: readonly string[]) {
    for (const name of names) {
      const first = name.charCodeAt(0);
      this.#byFirst[first] = [...(this.#byFirst[first] ?? []), name];
    }
  }

  /** @returns the name, or null when the bytes spell none of them */
  find(bytes: Buffer, start: number, end: number): string | null {
    const candidates = this.#byFirst[bytes[start] ?? 0];
    if (candidates === undefined) return null;
    for (const name of candidates) if (spells(bytes, start, end, name)) return name;
    return null;
  }
}
