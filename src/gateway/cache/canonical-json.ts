import { parseJsonText } from '../../kernel/parse-json.ts';

/** A number that a double cannot hold: kept as it was written, so that two different ones stay different. */
class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Cheap test for text that may hold such a number: 16 digits in a row, or an exponent of three digits. */
const MAYBE_INEXACT = /[0-9.]{16}|[0-9][eE][+-]?[0-9]{3}/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

function isInexact(text: string): boolean {
  const [mantissa = '', exponent = ''] = text.toLowerCase().split('e');
  return mantissa.replace(/[-.]/g, '').replace(/^0+/, '').length > 15 || exponent.replace(/[+-]/, '').length > 2;
}

/** Like JSON.parse, but a number that a double cannot hold exactly stays what it was. For `canonicalJson` only. */
export function parseExactly(text: string): unknown {
  if (!MAYBE_INEXACT.test(text)) return parseJsonText(text);
  return parseJsonText(text, (source) => (isInexact(source) ? new ExactNumber(source) : Number(source)));
}

/**
 * Members of all objects in JSON text, duplicates counted. A parsed value with fewer members had a name twice.
 * @param bytes valid JSON
 */
export function countMembers(bytes: Buffer, start = 0, end = bytes.length): number {
  let count = 0;
  let index = start;
  while (index < end) {
    const byte = bytes[index];
    if (byte === COLON) count++;
    if (byte === QUOTE) index = skipString(bytes, index, end);
    else index++;
  }
  return count;
}

/** @returns the offset after the closing quote */
function skipString(bytes: Buffer, start: number, end: number): number {
  let index = start + 1;
  for (;;) {
    index = bytes.indexOf(QUOTE, index);
    if (index < 0 || index >= end) return end;
    let backslashes = 0;
    while (bytes[index - 1 - backslashes] === BACKSLASH) backslashes++;
    index++;
    if (backslashes % 2 === 0) return index;
  }
}

/** Text of a parsed JSON value that is the same for values that mean the same: members sorted, numbers in their shortest form. */
export class CanonicalWriter {
  /** Members of all objects written so far. */
  members = 0;
  /** A number was seen that a double cannot hold. */
  hasInexact = false;

  write(value: unknown): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    if (value instanceof ExactNumber) {
      this.hasInexact = true;
      return value.text.toLowerCase();
    }
    if (Array.isArray(value)) {
      let text = '[';
      for (let index = 0; index < value.length; index++) text += index === 0 ? this.write(value[index]) : `,${this.write(value[index])}`;
      return `${text}]`;
    }
    const object = value as Readonly<Record<string, unknown>>; // neither an array nor null
    const names = Object.keys(object).sort();
    this.members += names.length;
    let text = '{';
    for (const name of names) text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${this.write(object[name])}`;
    return `${text}}`;
  }
}

export function canonicalJson(value: unknown): string {
  return new CanonicalWriter().write(value);
}
