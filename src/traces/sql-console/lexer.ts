import { PlimsollError } from '../../kernel/errors.ts';

export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'sign';
  /** As written; of a quoted name what is between the quotes. */
  readonly text: string;
  readonly offset: number;
}

/** Names in quotes with other characters would blur what the engine's own parser tells us of them. */
const PLAIN_NAME = /^[\p{L}\p{N}_ .:$%/()+*,-]{1,128}$/u;

/** Line and column of a place in a text, both from 1. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - start + 1 };
}

/** @throws PlimsollError `invalid_argument`, always, with line and column */
export function refuseAt(text: string, offset: number, message: string): never {
  const { line, column } = positionOf(text, offset);
  throw new PlimsollError('invalid_argument', `Line ${line}, column ${column}: ${message}`, { details: { param: 'query', line, column } });
}

/** @returns the index behind the closing quote; a backslash and a doubled quote escape */
function quotedEnd(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return -1;
}

/**
 * Words of a SQL text as ClickHouse reads them. Comments are left out; what has an end that is not there, and what ClickHouse knows and nobody
 * needs here (heredocs, backslashes, NUL), is refused: there is nothing that we and the engine could read in two ways.
 * @throws PlimsollError `invalid_argument` with line and column
 */
export function lexSql(text: string): Token[] {
  const tokens: Token[] = [];
  const word = /[A-Za-z_][A-Za-z0-9_]*/y;
  const number = /(?:0[xX][0-9A-Fa-f]+|\d+(?:_\d+)*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? '';
    if (/[ \t\r\n]/.test(character)) at++;
    else if (text.startsWith('--', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) refuseAt(text, at, 'This comment has no end.');
      // Servers differ in whether comments nest.
      if (text.slice(at + 2, end).includes('/*')) refuseAt(text, at, 'Comments must not hold comments.');
      at = end + 2;
    } else if (character === "'" || character === '"' || character === '`') {
      const end = quotedEnd(text, at);
      if (end < 0) refuseAt(text, at, `This ${character} has no end.`);
      const inside = text.slice(at + 1, end - 1);
      if (character !== "'" && !PLAIN_NAME.test(inside))
        refuseAt(text, at, 'A name in quotes may hold letters, digits, spaces and . : $ % / ( ) + * , - only.');
      tokens.push({ kind: character === "'" ? 'string' : 'quoted', text: inside, offset: at });
      at = end;
    } else {
      word.lastIndex = at;
      number.lastIndex = at;
      const found = word.exec(text) ?? number.exec(text);
      if (found !== null) {
        tokens.push({ kind: /[A-Za-z_]/.test(character) ? 'word' : 'number', text: found[0], offset: at });
        at += found[0].length;
      } else if (/[()[\]{},.:;*+\-/%=<>!?|@^]/.test(character)) {
        tokens.push({ kind: 'sign', text: character, offset: at });
        at++;
      } else refuseAt(text, at, `${JSON.stringify(character)} is not part of any statement that may be run here.`);
    }
  }
  return tokens;
}
