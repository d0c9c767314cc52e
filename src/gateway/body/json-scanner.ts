import { PlimsollError } from '../../kernel/errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** 1 for every byte that ends a run of plain string bytes: quote, backslash, control characters. */
const STRING_STOP = new Uint8Array(256);
for (let byte = 0; byte < 0x20; byte++) STRING_STOP[byte] = 1;
STRING_STOP[QUOTE] = 1;
STRING_STOP[BACKSLASH] = 1;

/** 1 for the characters that may follow a backslash, except `u`. */
const SIMPLE_ESCAPE = new Uint8Array(256);
for (const character of '"\\/bfnrt') SIMPLE_ESCAPE[character.charCodeAt(0)] = 1;

/** Runs of plain bytes up to this long are cheaper in the byte loop than in calls. */
const SHORT_RUN_BYTES = 96;
/** Runs from this length on are looked at in words. */
const WORDS_FROM_BYTES = 256;
const TOP_BITS = 0x80808080 | 0;
const SPACES = 0x20202020;

/**
 * Words at the beginning that hold no control character, in steps of four. A byte below 0x20 sets its top bit in (word − 0x20…) & ¬word; a borrow
 * from such a byte can set another one, but never without it ("Bit Twiddling Hacks", determine if a word has a byte less than n).
 */
function plainWords(words: Int32Array): number {
  const end = words.length - 3;
  let index = 0;
  for (; index < end; index += 4) {
    const a = words[index] as number;
    const b = words[index + 1] as number;
    const c = words[index + 2] as number;
    const d = words[index + 3] as number;
    const below = ((a - SPACES) & ~a) | ((b - SPACES) & ~b) | ((c - SPACES) & ~c) | ((d - SPACES) & ~d);
    if ((below & TOP_BITS) !== 0) break;
  }
  return index;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/**
 * Walks JSON text (RFC 8259, UTF-8) byte by byte and accepts exactly what JSON.parse accepts, without building values.
 * The caller asks for objects and arrays it wants to look into and skips the rest; offsets are into the buffer given to `reset`.
 * Reusable: one scanner serves all calls of a thread, since a scan never awaits.
 */
export class JsonScanner {
  /** Offset of the next unread byte. */
  position = 0;
  /** Whether the string skipped last contains a backslash. */
  hasEscape = false;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  /** First backslash and first quote at or after the place they were last looked for: kept, so that no byte is searched twice. */
  #backslash = -1;
  #quote = -1;
  #depth = 0;
  /** Kind of each open container within one `skipValue`: 1 object, 0 array. */
  readonly #stack: Uint8Array;
  readonly #maxDepth: number;

  /** @param maxDepth most nested containers that are accepted (≥ 1) */
  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
    this.#stack = new Uint8Array(maxDepth + 1);
  }

  reset(bytes: Buffer, start = 0, end = bytes.length): void {
    this.#bytes = bytes;
    this.#backslash = -1;
    this.#quote = -1;
    this.position = start;
    this.#end = end;
    this.#depth = 0;
  }

  /** Byte at the position after white space; -1 at the end of the text. Moves to it. */
  peek(): number {
    const bytes = this.#bytes;
    while (this.position < this.#end) {
      const byte = bytes[this.position] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.position++;
    }
    return -1;
  }

  /** Enters an object or array whose opening byte is at the position; false when it is empty (and then left again). */
  enter(open: 0x7b | 0x5b): boolean {
    if (this.peek() !== open) this.fail();
    if (++this.#depth > this.#maxDepth) this.#failDepth();
    this.position++;
    if (this.peek() !== (open === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) return true;
    this.position++;
    this.#depth--;
    return false;
  }

  /** After a member or element: true when another follows, false when the container ended. */
  next(close: 0x7d | 0x5d): boolean {
    const byte = this.peek();
    if (byte === COMMA) {
      this.position++;
      return true;
    }
    if (byte !== close) this.fail();
    this.position++;
    this.#depth--;
    return false;
  }

  /** Skips a member name and its colon, and moves to the value. The name's bytes are [start + 1, returned). */
  skipKey(): number {
    if (this.peek() !== QUOTE) this.fail();
    this.skipString();
    const keyEnd = this.position - 1;
    if (this.peek() !== COLON) this.fail();
    this.position++;
    this.peek();
    return keyEnd;
  }

  /** The text must end here, apart from white space. */
  finish(): void {
    if (this.peek() !== -1) this.fail();
  }

  skipString(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let index = this.position + 1;
    this.hasEscape = false;
    for (;;) {
      const nearEnd = Math.min(end, index + SHORT_RUN_BYTES);
      while (index < nearEnd && STRING_STOP[bytes[index] as number] === 0) index++;
      if (index === nearEnd && nearEnd < end) {
        index = this.#skipLongRun(index);
        while (index < end && STRING_STOP[bytes[index] as number] === 0) index++;
      }
      if (index >= end) this.fail(end);
      const byte = bytes[index] as number;
      if (byte === QUOTE) {
        this.position = index + 1;
        return;
      }
      if (byte !== BACKSLASH) this.fail(index);
      this.hasEscape = true;
      const escaped = index + 1 < end ? (bytes[index + 1] as number) : -1;
      if (escaped === 0x75) {
        for (let digit = index + 2; digit < index + 6; digit++) if (digit >= end || !isHexDigit(bytes[digit] as number)) this.fail(digit);
        index += 6;
      } else {
        if (escaped === -1 || SIMPLE_ESCAPE[escaped] === 0) this.fail(index + 1);
        index += 2;
      }
    }
  }

  /**
   * Skips plain string bytes many at a time: native code finds the next quote or backslash, and no control character stands before it.
   * @returns an offset ≥ `from`, all before it plain
   */
  #skipLongRun(from: number): number {
    const bytes = this.#bytes;
    if (this.#backslash < from) this.#backslash = this.#find(BACKSLASH, from);
    if (this.#quote < from) this.#quote = this.#find(QUOTE, from);
    const limit = Math.min(this.#quote, this.#backslash);
    if (limit - from < WORDS_FROM_BYTES) return from;
    let index = from;
    while (((bytes.byteOffset + index) & 3) !== 0) if (STRING_STOP[bytes[index++] as number] === 1) return from;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + index, (limit - index) >> 2);
    return index + 4 * plainWords(words);
  }

  /** @returns the end when there is none; never looks past it */
  #find(byte: number, from: number): number {
    const offset =
      this.#end === this.#bytes.length ? this.#bytes.indexOf(byte, from) - from : this.#bytes.subarray(from, this.#end).indexOf(byte);
    return offset < 0 ? this.#end : from + offset;
  }

  /** Skips one value of any kind, validating all of it. */
  skipValue(): void {
    let open = 0;
    for (;;) {
      const byte = this.peek();
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (this.enter(byte)) {
          this.#stack[++open] = byte === OPEN_OBJECT ? 1 : 0;
          if (byte === OPEN_OBJECT) this.skipKey();
          continue;
        }
      } else if (byte === QUOTE) this.skipString();
      else this.#skipScalar(byte);
      for (;;) {
        if (open === 0) return;
        const isObject = this.#stack[open] === 1;
        if (this.next(isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          if (isObject) this.skipKey();
          break;
        }
        open--;
      }
    }
  }

  #skipScalar(first: number): void {
    if (first === 0x74) this.#skipWord('true');
    else if (first === 0x66) this.#skipWord('false');
    else if (first === 0x6e) this.#skipWord('null');
    else this.#skipNumber(first);
  }

  #skipWord(word: string): void {
    for (let index = 1; index < word.length; index++) {
      if (this.#at(this.position + index) !== word.charCodeAt(index)) this.fail(this.position + index);
    }
    this.position += word.length;
  }

  #skipNumber(first: number): void {
    let index = first === 0x2d ? this.position + 1 : this.position;
    const digit = this.#at(index);
    if (!isDigit(digit)) this.fail(index);
    index++;
    if (digit !== 0x30) while (isDigit(this.#at(index))) index++;
    if (this.#at(index) === 0x2e) {
      if (!isDigit(this.#at(++index))) this.fail(index);
      while (isDigit(this.#at(index))) index++;
    }
    if ((this.#at(index) | 0x20) === 0x65) {
      index++;
      if (this.#at(index) === 0x2b || this.#at(index) === 0x2d) index++;
      if (!isDigit(this.#at(index))) this.fail(index);
      while (isDigit(this.#at(index))) index++;
    }
    this.position = index;
  }

  /** @returns 0 past the end: no token continues with a zero byte */
  #at(index: number): number {
    return index < this.#end ? (this.#bytes[index] as number) : 0;
  }

  /** @throws PlimsollError `invalid_argument` with the offset of the first byte that cannot stand there */
  fail(offset = this.position): never {
    const what = offset >= this.#end ? 'it ends too early' : `unexpected byte at offset ${offset}`;
    throw new PlimsollError('invalid_argument', `The body is not valid JSON: ${what}.`, { details: { offset } });
  }

  #failDepth(): never {
    throw new PlimsollError('invalid_argument', `The body nests deeper than ${this.#maxDepth} levels.`, {
      details: { maxJsonDepth: this.#maxDepth },
    });
  }
}
