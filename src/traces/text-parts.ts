/** A JSON text in pieces, of which the long ones are likely to come again: `joinText(cutText(text))` is the text, character by character. */
export interface CutText {
  /** The text with a hole (U+0000) for each part. A text without parts stands here as it is. */
  readonly frame: string;
  readonly parts: readonly string[];
  /** The first message that is not an instruction: the same for all requests of one conversation. Null when none is found. */
  readonly head: string | null;
}

const HOLE = '\u0000';
/** Shorter ones cost more apart than in their place. */
const SHORTEST_PART = 160;
const MAX_PARTS = 20_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;

/** Tools have a type or a name first, and no role. */
function isConversation(start: string): boolean {
  return /^\{[^{}]*"(?:role|parts|content)"\s*:/.test(start) && !/"role"\s*:\s*"(?:system|developer)"/.test(start);
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** @returns the index behind the closing quote, or -1 */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return -1;
}

/** @returns the index behind a list or object that opens at `start`, or -1 when the text ends before it does */
function nestedEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
      if (at < 0) return -1;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
    else if (code === 0x5d || code === 0x7d) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/** @returns the index behind the value at `start`, or -1 when it is cut off */
function valueEnd(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return stringEnd(text, start);
  if (code === OPEN_LIST || code === OPEN_OBJECT) return nestedEnd(text, start);
  let at = start;
  while (at < text.length && !',]} \n\r\t'.includes(text.charAt(at))) at++;
  return at;
}

/**
 * The elements of the top-level list, or of the lists in the top-level object, and its other long values: messages, tools, instructions in any
 * dialect's form. Works on the text, so that nothing of it changes; what is cut off or no JSON stays in the frame.
 */
export function cutText(text: string): CutText {
  const whole: CutText = { frame: text, parts: [], head: null };
  if (text.includes(HOLE)) return whole;
  const frame: string[] = [];
  const parts: string[] = [];
  let head: string | null = null;
  let kept = 0;
  const take = (from: number, to: number): void => {
    if (to - from < SHORTEST_PART || parts.length >= MAX_PARTS) return;
    frame.push(text.slice(kept, from));
    parts.push(text.slice(from, to));
    kept = to;
  };
  const skip = (at: number): number => {
    let next = at;
    while (next < text.length && (isSpace(text.charCodeAt(next)) || text[next] === ',')) next++;
    return next;
  };
  /** @returns the index behind the list, or -1 */
  const readList = (start: number): number => {
    for (let at = skip(start + 1); at < text.length; at = skip(at)) {
      if (text[at] === ']') return at + 1;
      const end = valueEnd(text, at);
      if (end <= at) return -1;
      if (head === null && isConversation(text.slice(at, Math.min(end, at + 64)))) head = text.slice(at, end);
      take(at, end);
      at = end;
    }
    return -1;
  };
  const first = skip(0);
  if (text.charCodeAt(first) === OPEN_LIST) readList(first);
  else if (text.charCodeAt(first) === OPEN_OBJECT) {
    for (let at = skip(first + 1); at < text.length && text.charCodeAt(at) === QUOTE; at = skip(at)) {
      let value = stringEnd(text, at);
      if (value < 0) break;
      while (value < text.length && (isSpace(text.charCodeAt(value)) || text[value] === ':')) value++;
      const end = text.charCodeAt(value) === OPEN_LIST ? readList(value) : valueEnd(text, value);
      if (end <= value) break;
      if (text.charCodeAt(value) !== OPEN_LIST) take(value, end);
      at = end;
    }
  }
  return parts.length === 0 ? { ...whole, head } : { frame: frame.join(HOLE) + HOLE + text.slice(kept), parts, head };
}

/** @param parts in the order of the holes; null = deleted: `missing` stands in its place */
export function joinText(frame: string, parts: readonly (string | null)[], missing: string): string {
  if (parts.length === 0) return frame;
  const pieces = frame.split(HOLE);
  return pieces.map((piece, place) => (place < parts.length ? piece + (parts[place] ?? missing) : piece)).join('');
}
