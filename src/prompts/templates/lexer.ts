import { templateError } from './template-error.ts';

export type TokenKind = 'name' | 'number' | 'string' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** Strings: their value, escapes resolved. */
  readonly text: string;
  readonly at: number;
}

/** A stretch of the source: text as it is, `{{ … }}` or `{% … %}`. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output' | 'tag'; readonly tokens: readonly Token[]; readonly at: number; readonly end: number };

const OPENING = /\{\{|\{%|\{#/g;
/** Longest first. */
const SYMBOLS = [
  '===',
  '!==',
  '==',
  '!=',
  '<=',
  '>=',
  '//',
  '**',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '|',
  '.',
  '~',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '=',
];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const RAW = /^\{%-?\s*(raw|verbatim)\s*(-?)%\}/;

/** Cuts a source into segments; comments are gone, whitespace control is done, raw blocks are text. @throws PlimsollError `invalid_argument` */
export function readSegments(name: string, source: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let isTrimming = false;
  const text = (value: string): void => {
    const kept = isTrimming ? value.trimStart() : value;
    if (kept !== '') segments.push({ kind: 'text', text: kept });
  };
  const trimBefore = (): void => {
    const last = segments.at(-1);
    if (last?.kind !== 'text') return;
    segments.pop();
    const trimmed = last.text.trimEnd();
    if (trimmed !== '') segments.push({ kind: 'text', text: trimmed });
  };
  while (at < source.length) {
    OPENING.lastIndex = at;
    const found = OPENING.exec(source);
    if (found === null) {
      text(source.slice(at));
      break;
    }
    const start = found.index;
    text(source.slice(at, start));
    if (source[start + 2] === '-') trimBefore();
    const inner = start + (source[start + 2] === '-' ? 3 : 2);
    if (found[0] === '{#') {
      const end = source.indexOf('#}', inner);
      if (end < 0) throw templateError(name, source, start, 'The comment that begins here has no "#}".');
      isTrimming = source[end - 1] === '-' && end > inner;
      at = end + 2;
      continue;
    }
    const raw = found[0] === '{%' ? RAW.exec(source.slice(start, start + 200)) : null;
    if (raw !== null) {
      const closing = new RegExp(`\\{%(-?)\\s*end${raw[1]}\\s*(-?)%\\}`, 'g');
      closing.lastIndex = start + raw[0].length;
      const end = closing.exec(source);
      if (end === null) throw templateError(name, source, start, `"${raw[1]}" has no "{% end${raw[1]} %}".`);
      let body = source.slice(start + raw[0].length, end.index);
      if (raw[2] === '-') body = body.trimStart();
      if (end[1] === '-') body = body.trimEnd();
      if (body !== '') segments.push({ kind: 'text', text: body });
      isTrimming = end[2] === '-';
      at = end.index + end[0].length;
      continue;
    }
    const closing = found[0] === '{{' ? '}}' : '%}';
    const { tokens, end, isTrimmed } = readTokens(name, source, inner, closing, start);
    segments.push({ kind: found[0] === '{{' ? 'output' : 'tag', tokens, at: start, end });
    isTrimming = isTrimmed;
    at = end;
  }
  return segments;
}

function readTokens(
  name: string,
  source: string,
  from: number,
  closing: string,
  start: number,
): { tokens: Token[]; end: number; isTrimmed: boolean } {
  const tokens: Token[] = [];
  let at = from;
  let braces = 0;
  while (at < source.length) {
    const character = source[at] ?? '';
    if (/\s/.test(character)) {
      at++;
      continue;
    }
    // `}}` may also be the end of two objects.
    if (braces === 0 && source.startsWith(`-${closing}`, at)) return { tokens, end: at + 3, isTrimmed: true };
    if (braces === 0 && source.startsWith(closing, at)) return { tokens, end: at + 2, isTrimmed: false };
    if (character === '"' || character === "'") {
      const read = readString(name, source, at);
      tokens.push({ kind: 'string', text: read.text, at });
      at = read.end;
      continue;
    }
    const rest = source.slice(at, at + 256);
    const number = /^\d+(\.\d+)?([eE][+-]?\d+)?/.exec(rest);
    const word = /^[A-Za-z_$][\w$]*/.exec(rest);
    const symbol = SYMBOLS.find((candidate) => rest.startsWith(candidate));
    const read = number?.[0] ?? word?.[0] ?? symbol;
    if (read === undefined) throw templateError(name, source, at, `"${character}" is not part of an expression.`);
    tokens.push({ kind: number !== null ? 'number' : word !== null ? 'name' : 'symbol', text: read, at });
    if (read === '{') braces++;
    if (read === '}') braces--;
    at += read.length;
  }
  throw templateError(name, source, start, `"${closing === '}}' ? '{{' : '{%'}" has no "${closing}".`);
}

function readString(name: string, source: string, start: number): { text: string; end: number } {
  const quote = source[start];
  let text = '';
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at] ?? '';
    if (character === quote) return { text, end: at + 1 };
    if (character !== '\\') text += character;
    else {
      at++;
      const escaped = source[at] ?? '';
      text += ESCAPES[escaped] ?? escaped;
    }
  }
  throw templateError(name, source, start, 'The string that begins here has no end.');
}
