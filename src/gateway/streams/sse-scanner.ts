const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Receives each complete event. Buffers are views that stay valid; nothing may be written to them. */
export interface SseListener {
  /**
   * @param raw  holds the event's own bytes [rawStart, rawEnd), blank line included, as they came
   * @param data holds the `data:` lines joined by LF at [dataStart, dataEnd)
   * @param name value of `event:`, null without one
   * @returns false to stop: the rest of the input is then ignored
   */
  onEvent(raw: Buffer, rawStart: number, rawEnd: number, data: Buffer, dataStart: number, dataEnd: number, name: string | null): boolean;
  /** An event without data (comments, ids, retry): bytes to pass on. */
  onComment(raw: Buffer, rawStart: number, rawEnd: number): void;
}

/**
 * Incremental scanner of server-sent events over bytes (WHATWG HTML §9.2.6): CRLF, LF and CR line ends, comments, several data lines, a
 * byte order mark, cut anywhere. Input is not copied while events end with a chunk; only the tail of a split event is.
 */
export class SseScanner {
  readonly #listener: SseListener;
  readonly #maxEventBytes: number;
  /** Bytes of an event that has not ended, [0, #filled); room beyond for what comes. */
  #carry: Buffer | null = null;
  #filled = 0;
  /** State of the open event, relative to the buffer that is scanned. */
  #eventStart = 0;
  #lineStart = 0;
  #dataStart = -1;
  #dataEnd = -1;
  #moreData: Buffer[] | null = null;
  #name: string | null = null;
  #lastName = '';
  /** The last line ended with CR: a following LF belongs to it. */
  #afterCr = false;
  #isFirst = true;
  #isStopped = false;

  /** @param maxEventBytes longest event; a longer one makes `push` return false */
  constructor(listener: SseListener, maxEventBytes: number) {
    this.#listener = listener;
    this.#maxEventBytes = maxEventBytes;
  }

  /** Why `push` answered false. */
  get problem(): string {
    return `sent an event of more than ${this.#maxEventBytes} bytes`;
  }

  /** @returns false when an event exceeds the limit: the stream cannot be followed further */
  push(chunk: Buffer): boolean {
    if (this.#isStopped || chunk.length === 0) return true;
    let buffer = chunk;
    let from = 0;
    let end = chunk.length;
    if (this.#carry !== null) {
      from = this.#filled;
      buffer = this.#append(this.#carry, chunk);
      end = this.#filled;
    }
    this.#scan(buffer, from, end);
    if (this.#isStopped) return true;
    return this.#keepTail(buffer, end);
  }

  /** The input is over: an event whose blank line is missing still counts (some servers end with a bare `data: [DONE]`). */
  end(): void {
    const isOpen = this.#dataStart >= 0 || this.#lineStart < this.#filled;
    if (this.#carry !== null && isOpen && !this.#isStopped) this.push(BLANK_LINE);
  }

  #append(carry: Buffer, chunk: Buffer): Buffer {
    const needed = this.#filled + chunk.length;
    let buffer = carry;
    if (needed > buffer.length) {
      buffer = Buffer.allocUnsafe(Math.max(needed, buffer.length * 2));
      carry.copy(buffer, 0, 0, this.#filled);
    }
    chunk.copy(buffer, this.#filled);
    this.#filled = needed;
    this.#carry = buffer;
    return buffer;
  }

  /** Moves the unfinished event into a buffer of our own: what was scanned may already be on its way to the client. */
  #keepTail(buffer: Buffer, end: number): boolean {
    const start = this.#eventStart;
    if (start === end) {
      this.#carry = null;
      this.#filled = 0;
      this.#eventStart = 0;
      this.#lineStart = 0;
      return true;
    }
    if (end - start > this.#maxEventBytes) return false;
    if (start === 0 && buffer === this.#carry) return true;
    const tail = Buffer.allocUnsafe(Math.max(512, (end - start) * 2));
    buffer.copy(tail, 0, start, end);
    this.#carry = tail;
    this.#filled = end - start;
    this.#eventStart = 0;
    this.#lineStart -= start;
    if (this.#dataStart >= 0) {
      this.#dataStart -= start;
      this.#dataEnd -= start;
    }
    return true;
  }

  #scan(buffer: Buffer, from: number, end: number): void {
    let index = this.#isFirst ? 0 : from;
    if (this.#isFirst && !this.#skipByteOrderMark(buffer, end)) return;
    // JSON text never holds a raw CR, so that most streams take the memchr path.
    const firstCr = buffer.indexOf(CR, from);
    const hasCr = firstCr >= 0 && firstCr < end;
    if (this.#afterCr && index < end) {
      this.#afterCr = false;
      if (buffer[index] === LF) {
        // The event that this line end closed is gone already; its LF travels with the next one.
        index++;
        this.#lineStart = index;
      }
    }
    while (index < end) {
      let lineEnd: number;
      if (hasCr) {
        lineEnd = index;
        while (lineEnd < end && buffer[lineEnd] !== LF && buffer[lineEnd] !== CR) lineEnd++;
        if (lineEnd === end) return;
      } else {
        lineEnd = buffer[index] === LF ? index : buffer.indexOf(LF, index);
        if (lineEnd < 0 || lineEnd >= end) return;
      }
      index = lineEnd + 1;
      if (buffer[lineEnd] === CR) {
        if (index === end) this.#afterCr = true;
        else if (buffer[index] === LF) index++;
      }
      if (lineEnd > this.#lineStart) this.#onLine(buffer, this.#lineStart, lineEnd);
      else if (!this.#onBlankLine(buffer, index)) return;
      this.#lineStart = index;
    }
  }

  /** @returns false while too few bytes are there to tell */
  #skipByteOrderMark(buffer: Buffer, end: number): boolean {
    if (buffer[0] === 0xef) {
      if (end < 3) return false;
      if (buffer[1] === 0xbb && buffer[2] === 0xbf) this.#lineStart = 3;
    }
    this.#isFirst = false;
    return true;
  }

  #onLine(buffer: Buffer, start: number, end: number): void {
    const first = buffer[start];
    if (first === 0x64 && startsWith(buffer, start, end, 'data')) {
      const valueStart = valueOffset(buffer, start + 4, end);
      if (valueStart < 0) return;
      if (this.#dataStart < 0) {
        this.#dataStart = valueStart;
        this.#dataEnd = end;
      } else {
        this.#moreData ??= [];
        this.#moreData.push(Buffer.from(buffer.subarray(valueStart, end)));
      }
    } else if (first === 0x65 && startsWith(buffer, start, end, 'event')) {
      const valueStart = valueOffset(buffer, start + 5, end);
      if (valueStart >= 0) this.#name = this.#eventName(buffer, valueStart, end);
    }
  }

  /** Most events of a stream have the name of the one before: then no string is made. */
  #eventName(buffer: Buffer, start: number, end: number): string {
    const last = this.#lastName;
    if (end - start === last.length && startsWith(buffer, start, end, last) && buffer[start] === last.charCodeAt(0)) return last;
    const name = buffer.toString('utf8', start, end);
    // Bytes are compared with UTF-16 units above: for ASCII only is that the same.
    if (name.length === end - start) this.#lastName = name;
    return name;
  }

  #onBlankLine(buffer: Buffer, eventEnd: number): boolean {
    const eventStart = this.#eventStart;
    const dataStart = this.#dataStart;
    const dataEnd = this.#dataEnd;
    const moreData = this.#moreData;
    const name = this.#name;
    this.#eventStart = eventEnd;
    this.#dataStart = -1;
    this.#moreData = null;
    this.#name = null;
    if (dataStart < 0) {
      this.#listener.onComment(buffer, eventStart, eventEnd);
      return true;
    }
    let goesOn: boolean;
    if (moreData === null) goesOn = this.#listener.onEvent(buffer, eventStart, eventEnd, buffer, dataStart, dataEnd, name);
    else {
      const joined = Buffer.concat([buffer.subarray(dataStart, dataEnd), ...moreData.flatMap((line) => [NEW_LINE, line])]);
      goesOn = this.#listener.onEvent(buffer, eventStart, eventEnd, joined, 0, joined.length, name);
    }
    this.#isStopped = !goesOn;
    return goesOn;
  }
}

const NEW_LINE = Buffer.from('\n');
const BLANK_LINE = Buffer.from('\n\n');

function startsWith(buffer: Buffer, start: number, end: number, word: string): boolean {
  if (end - start < word.length) return false;
  for (let index = 1; index < word.length; index++) if (buffer[start + index] !== word.charCodeAt(index)) return false;
  return true;
}

/** @returns where a field's value starts, given the offset after its name; -1 when the name goes on and this is another field */
function valueOffset(buffer: Buffer, offset: number, end: number): number {
  if (offset === end) return end;
  if (buffer[offset] !== COLON) return -1;
  return offset + 1 < end && buffer[offset + 1] === SPACE ? offset + 2 : offset + 1;
}
