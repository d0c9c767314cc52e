const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Whether a name in valid JSON is written with an escape; linear, and next to nothing where the text has no backslash. */
function hasEscapedName(text: string): boolean {
  let backslash = text.indexOf('\\');
  let start = backslash < 0 ? -1 : text.indexOf('"');
  while (start >= 0 && backslash >= 0) {
    const end = stringEnd(text, start);
    if (backslash < start) backslash = text.indexOf('\\', start);
    if (backslash > start && backslash < end && text.charCodeAt(skipSpace(text, end)) === COLON) return true;
    start = text.indexOf('"', end);
  }
  return false;
}

/** @returns the index after the closing quote */
function stringEnd(text: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); code = text.charCodeAt(at)) at++;
  return at;
}

/** An object or array that is being filled; `name` is that of the member whose value comes next. */
interface Open {
  readonly value: Record<string, unknown> | unknown[];
  name: string;
}

/** What an assignment would give to a setter (`__proto__`) becomes a member, as in JSON.parse. */
function put(into: Open, value: unknown): void {
  if (Array.isArray(into.value)) into.value.push(value);
  else Object.defineProperty(into.value, into.name, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads text that JSON.parse has accepted, each name on its own. No recursion: depth costs no stack. */
function readNames(text: string, readNumber: (source: string) => unknown): unknown {
  const root: Open = { value: [], name: '' };
  const open: Open[] = [root];
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const into = open[open.length - 1] as Open; // the root stays
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = stringEnd(text, at);
      const value = JSON.parse(text.slice(at, end)) as string;
      const after = skipSpace(text, end);
      const isName = text.charCodeAt(after) === COLON;
      if (isName) into.name = value;
      else put(into, value);
      at = isName ? after + 1 : end;
    } else if (code === 0x7b || code === 0x5b) {
      const value = code === 0x7b ? {} : [];
      put(into, value);
      open.push({ value, name: '' });
      at++;
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
      at++;
    } else if (code === 0x2c) at++;
    else {
      const start = at;
      while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at++;
      const token = text.slice(start, at);
      put(into, token === 'true' ? true : token === 'false' ? false : token === 'null' ? null : readNumber(token));
    }
  }
  return (root.value as unknown[])[0];
}

/**
 * JSON.parse for text of others. V8 since 12.8 takes a name that is written with an escape for another one that it has seen before in that place:
 * after `{"a":1,"\\\\":2}` it reads `{"a":1,"\\u0040":2}` as the former, so that who sends the first decides how the second is read, whoever sent
 * that. Text with such names is read without V8's help.
 * @param readNumber what becomes of a number, by how it is written; a double when absent
 * @throws SyntaxError
 * @see https://github.com/nodejs/node/issues/63785
 */
export function parseJsonText(text: string, readNumber: ((source: string) => unknown) | null = null): unknown {
  const value: unknown = readNumber === null ? JSON.parse(text) : JSON.parse(text, reviver(readNumber));
  return hasEscapedName(text) ? readNames(text, readNumber ?? Number) : value;
}

function reviver(readNumber: (source: string) => unknown) {
  // The source text of primitives is newer than the compiler's library.
  return (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined ? readNumber(context.source) : value;
}
