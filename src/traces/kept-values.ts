/** Longest JSON of one attribute that is kept whole. */
const MAX_ATTRIBUTE_CHARACTERS = 32_768;

/** Whether an attribute is one of those that hold texts. @param content names; `a.#` = all that begin with `a.` and a digit */
export function isContent(name: string, content: readonly string[]): boolean {
  return content.some((entry) => name === entry || (entry.endsWith('.#') && isNumbered(name, entry)));
}

function isNumbered(name: string, entry: string): boolean {
  const digit = name.charCodeAt(entry.length - 1);
  return digit >= 0x30 && digit <= 0x39 && name.startsWith(entry.slice(0, -1));
}

export function cut(value: unknown): { value: unknown; isCut: boolean } {
  const length = typeof value === 'string' ? value.length : typeof value === 'object' && value !== null ? JSON.stringify(value).length : 0;
  if (length <= MAX_ATTRIBUTE_CHARACTERS) return { value, isCut: false };
  return {
    value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, MAX_ATTRIBUTE_CHARACTERS).toWellFormed(),
    isCut: true,
  };
}

/** At most so many bytes of UTF-8. */
export function shorten(text: string, maxBytes: number): { text: string; isCut: boolean } {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text, isCut: false };
  return {
    text: Buffer.from(text)
      .subarray(0, maxBytes)
      .toString('utf8')
      .replace(/\uFFFD$/, ''),
    isCut: true,
  };
}
