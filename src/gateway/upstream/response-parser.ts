import { HEX_VALUE, NAME_BYTE, readDecimal, TEXT_BYTE } from '../http1/byte-classes.ts';
import { type FramingName, type HeaderNames, hashNameByte } from '../http1/header-names.ts';
import { readConnection, readKeepAliveMs } from '../http1/persistence.ts';
import type { ResponseHeaders } from '../provider.ts';

/** Status line, headers and trailers of an answer, heads of interim answers included. */
export const MAX_HEAD_BYTES = 64 * 1024;
export const MAX_HEADERS = 200;
/** A chunk's size with its extensions. */
const MAX_CHUNK_LINE_BYTES = 4096;
/** No answer has that many, and numbers up to it are exact. */
const MAX_CHUNK_BYTES = 2 ** 48;
const MAX_LENGTH_DIGITS = 15;

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_1 = 0x31;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

const HEAD_TOO_LONG = `its head is longer than ${MAX_HEAD_BYTES} bytes`;
const VERSION_PREFIX = Buffer.from('HTTP/1.');
/** `HTTP/1.1 200`. */
const STATUS_END = 12;
const NO_BYTES = Buffer.alloc(0);

/** In place of an offset: the line's end is not there yet. */
const INCOMPLETE = -1;
/** In place of an offset: `error` is set. */
const FAILED = -2;

type State =
  | 'status-line'
  | 'header'
  | 'body-of-length'
  | 'body-until-close'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | 'complete'
  | 'failed';

type MutableHeaders = Record<string, string | string[] | undefined>;

/** Has no inherited names: `constructor` or `__proto__` from a provider is a header like any other. */
const HeaderRecord = function HeaderRecord() {} as unknown as new () => MutableHeaders; // the prototype of a class cannot be replaced
HeaderRecord.prototype = Object.create(null);

/**
 * Incremental reader of HTTP/1.x answers (RFC 9112) to requests other than HEAD and CONNECT; as strict as llhttp by default, and stricter where
 * leniency could make two answers of one. After each `push` the fields say what it brought. It keeps nothing of the bytes it is given: they may
 * be overwritten once `push` has returned.
 */
export class ResponseParser {
  /** The head became complete in the last push: `status` and `headers` are set. Interim (1xx) answers are skipped. */
  hasHead = false;
  status = 0;
  headers: ResponseHeaders = new HeaderRecord();
  /** Body bytes of the last push, without chunk framing, in a buffer of their own; null for none. */
  body: Buffer | null = null;
  /** What is wrong with the bytes; null while they are an answer. */
  error: string | null = null;
  /** Some byte of this answer has come. */
  hasBytes = false;
  /** What the server's `keep-alive` promises; null when it names no time. */
  keepAliveMs: number | null = null;
  readonly #names: HeaderNames;
  #state: State = 'status-line';
  #headers: MutableHeaders = new HeaderRecord();
  #headBytes = 0;
  #headerCount = 0;
  #isVersion10 = false;
  #isKeptAlive = false;
  #isClosing = false;
  #hasExcess = false;
  #isChunked = false;
  #contentLength = -1;
  /** Bytes of the body, or of the current chunk, that are still to come. */
  #remaining = 0;
  /** The beginning of a line whose end has not come: [0, #carried). */
  #carry = NO_BYTES;
  #carried = 0;
  #bodyBuffer: Buffer | null = null;
  #bodyLength = 0;

  /** @param names may be shared by many parsers */
  constructor(names: HeaderNames) {
    this.#names = names;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** The answer is complete and the connection may carry another request. */
  get canReuse(): boolean {
    return this.#state === 'complete' && this.#isKeptAlive && !this.#hasExcess;
  }

  /** Makes it ready for the next answer. */
  reset(): void {
    this.hasHead = false;
    this.status = 0;
    this.body = null;
    this.error = null;
    this.hasBytes = false;
    this.#state = 'status-line';
    this.#headBytes = 0;
    this.#headerCount = 0;
    this.#hasExcess = false;
    this.#carry = NO_BYTES;
    this.#carried = 0;
    this.#beginHead();
  }

  #beginHead(): void {
    this.keepAliveMs = null;
    this.#headers = new HeaderRecord();
    this.#isVersion10 = false;
    this.#isKeptAlive = false;
    this.#isClosing = false;
    this.#isChunked = false;
    this.#contentLength = -1;
  }

  /** Takes the next bytes of the connection: [0, length) of `bytes`. */
  push(bytes: Buffer, length: number): void {
    this.hasHead = false;
    this.body = null;
    this.hasBytes = true;
    let offset = 0;
    while (offset < length) {
      switch (this.#state) {
        case 'body-of-length':
        case 'chunk-data':
          offset = this.#takeCounted(bytes, offset, length);
          break;
        case 'body-until-close':
          this.#takeBody(bytes, offset, length, length);
          offset = length;
          break;
        case 'complete':
          this.#hasExcess = true;
          offset = length;
          break;
        case 'failed':
          offset = length;
          break;
        default:
          offset = this.#takeLine(bytes, offset, length);
      }
    }
    const body = this.#bodyBuffer;
    if (body === null) return;
    this.body = body.length === this.#bodyLength ? body : body.subarray(0, this.#bodyLength);
    this.#bodyBuffer = null;
    this.#bodyLength = 0;
  }

  /** The server closed its side. @returns true when that completes the answer */
  end(): boolean {
    if (this.#state === 'body-until-close') this.#state = 'complete';
    return this.#state === 'complete';
  }

  #takeCounted(bytes: Buffer, offset: number, end: number): number {
    const stop = Math.min(end, offset + this.#remaining);
    // More chunks may follow in these bytes: one buffer gathers them all.
    this.#takeBody(bytes, offset, stop, this.#isChunked ? end : stop);
    this.#remaining -= stop - offset;
    if (this.#remaining === 0) this.#state = this.#isChunked ? 'chunk-end' : 'complete';
    return stop;
  }

  /** @param bound offset before which all body bytes of this push end */
  #takeBody(bytes: Buffer, start: number, stop: number, bound: number): void {
    this.#bodyBuffer ??= Buffer.allocUnsafe(bound - start);
    bytes.copy(this.#bodyBuffer, this.#bodyLength, start, stop);
    this.#bodyLength += stop - start;
  }

  /** Reads one line in place, or carries its beginning over to the next push. @returns the offset after what it took */
  #takeLine(bytes: Buffer, offset: number, end: number): number {
    if (this.#carried === 0) {
      const next = this.#readLine(bytes, offset, end);
      if (next >= 0) return next;
      if (next === INCOMPLETE) this.#carryOver(bytes, offset, end);
      return end;
    }
    let stop = offset;
    while (stop < end && bytes[stop] !== LF) stop++;
    const isWhole = stop < end;
    if (isWhole) stop++;
    if (!this.#carryOver(bytes, offset, stop) || !isWhole) return stop;
    const line = this.#carry;
    const length = this.#carried;
    this.#carry = NO_BYTES;
    this.#carried = 0;
    this.#readLine(line, 0, length);
    return stop;
  }

  #carryOver(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#carried + end - start;
    if (this.#headBytes + length > MAX_HEAD_BYTES) return this.#refuse(HEAD_TOO_LONG);
    if (length > this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(256, length * 2));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, start, end);
    this.#carried = length;
    return true;
  }

  /** @returns the offset after the line at `start`; INCOMPLETE, or FAILED */
  #readLine(bytes: Buffer, start: number, end: number): number {
    switch (this.#state) {
      case 'status-line':
        return this.#readStatusLine(bytes, start, end);
      case 'chunk-size':
        return this.#readChunkSize(bytes, start, end);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, start, end);
      default:
        return this.#readHeader(bytes, start, end);
    }
  }

  #readStatusLine(bytes: Buffer, start: number, end: number): number {
    const known = Math.min(VERSION_PREFIX.length, end - start);
    for (let index = 0; index < known; index++) {
      if (bytes[start + index] !== VERSION_PREFIX[index]) return this.#fail('it does not begin with HTTP/1');
    }
    let stop = start;
    while (stop < end && TEXT_BYTE[bytes[stop] as number] === 1) stop++;
    const next = this.#lineEnd(bytes, stop, end);
    if (next < 0) return next;
    const minor = bytes[start + VERSION_PREFIX.length];
    const status = stop < start + STATUS_END ? -1 : readDecimal(bytes, start + STATUS_END - 3, start + STATUS_END, 3);
    const isSeparated = bytes[start + 8] === SPACE && (stop === start + STATUS_END || bytes[start + STATUS_END] === SPACE);
    if ((minor !== DIGIT_0 && minor !== DIGIT_1) || status < 100 || !isSeparated) return this.#fail('its status line is malformed');
    if (!this.#countHead(next - start)) return FAILED;
    this.status = status;
    this.#isVersion10 = minor === DIGIT_0;
    this.#isKeptAlive = minor === DIGIT_1;
    this.#state = 'header';
    return next;
  }

  /** A header, a trailer, or the blank line after them. */
  #readHeader(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let hash = 0;
    for (; at < end; at++) {
      const lowerCase = NAME_BYTE[bytes[at] as number] as number;
      if (lowerCase === 0) break;
      hash = hashNameByte(hash, lowerCase);
    }
    if (at === end) return INCOMPLETE;
    const nameEnd = at;
    if (nameEnd === start) {
      const next = this.#lineEnd(bytes, at, end);
      if (next < 0) return next;
      return this.#countHead(2) && this.#endHeaders() ? next : FAILED;
    }
    if (bytes[at] !== COLON) return this.#fail('it has a malformed header name');
    at++;
    while (at < end && (bytes[at] === SPACE || bytes[at] === HTAB)) at++;
    const valueStart = at;
    while (at < end && TEXT_BYTE[bytes[at] as number] === 1) at++;
    const next = this.#lineEnd(bytes, at, end);
    if (next < 0) return next;
    if (!this.#countHead(next - start)) return FAILED;
    if (++this.#headerCount > MAX_HEADERS) return this.#fail(`it has more than ${MAX_HEADERS} headers`);
    if (this.#state === 'trailer') return next;
    while (at > valueStart && (bytes[at - 1] === SPACE || bytes[at - 1] === HTAB)) at--;
    const { text: name, framing } = this.#names.find(bytes, start, nameEnd, hash);
    const value = bytes.toString('latin1', valueStart, at);
    if (framing !== null && !this.#learnFraming(framing, value, bytes, valueStart, at)) return FAILED;
    const before = this.#headers[name];
    if (before === undefined) this.#headers[name] = value;
    else if (typeof before === 'string') this.#headers[name] = [before, value];
    else before.push(value);
    return next;
  }

  #learnFraming(name: FramingName, value: string, bytes: Buffer, start: number, end: number): boolean {
    switch (name) {
      case 'content-length':
        // Two that agree are refused too, as llhttp does.
        if (this.#contentLength >= 0) return this.#refuse('it has more than one content-length');
        this.#contentLength = readDecimal(bytes, start, end, MAX_LENGTH_DIGITS);
        return this.#contentLength >= 0 || this.#refuse('its content-length is malformed');
      case 'transfer-encoding':
        if (this.#isChunked || value.toLowerCase() !== 'chunked') return this.#refuse('its transfer-encoding is not just "chunked"');
        this.#isChunked = true;
        return true;
      case 'connection': {
        const option = readConnection(value);
        if (option === 'close') this.#isClosing = true;
        else if (option === 'keep-alive') this.#isKeptAlive = true;
        return true;
      }
      case 'keep-alive':
        this.keepAliveMs = readKeepAliveMs(value);
        return true;
    }
  }

  #endHeaders(): boolean {
    if (this.#state === 'trailer') {
      this.#state = 'complete';
      return true;
    }
    const { status } = this;
    if (status === 101) return this.#refuse('it switches protocols');
    if (this.#isChunked && this.#contentLength >= 0) return this.#refuse('it has both content-length and transfer-encoding');
    if (status < 200) {
      this.#state = 'status-line';
      this.#beginHead();
      return true;
    }
    this.hasHead = true;
    this.headers = this.#headers;
    // Chunks in HTTP/1.0 are faulty framing (RFC 9112 §6.1).
    if (this.#isClosing || (this.#isChunked && this.#isVersion10)) this.#isKeptAlive = false;
    if (status === 204 || status === 304) {
      // A body that was announced all the same would stand before the next answer.
      if (this.#isChunked || this.#contentLength > 0) this.#isKeptAlive = false;
      this.#state = 'complete';
    } else if (this.#isChunked) this.#state = 'chunk-size';
    else if (this.#contentLength >= 0) {
      this.#remaining = this.#contentLength;
      this.#state = this.#contentLength === 0 ? 'complete' : 'body-of-length';
    } else {
      this.#isKeptAlive = false;
      this.#state = 'body-until-close';
    }
    return true;
  }

  #readChunkSize(bytes: Buffer, start: number, end: number): number {
    let size = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = HEX_VALUE[bytes[at] as number] as number;
      if (digit > 15) break;
      size = size * 16 + digit;
    }
    if (size > MAX_CHUNK_BYTES) return this.#fail('a chunk is larger than can be');
    if (at === end) return INCOMPLETE;
    if (at === start) return this.#fail('the size of a chunk is malformed');
    if (bytes[at] === SEMICOLON) while (at < end && TEXT_BYTE[bytes[at] as number] === 1) at++;
    if (at - start > MAX_CHUNK_LINE_BYTES) return this.#fail(`the extensions of a chunk are longer than ${MAX_CHUNK_LINE_BYTES} bytes`);
    const next = this.#lineEnd(bytes, at, end);
    if (next < 0) return next;
    this.#remaining = size;
    this.#state = size === 0 ? 'trailer' : 'chunk-data';
    return next;
  }

  #readChunkEnd(bytes: Buffer, start: number, end: number): number {
    const next = this.#lineEnd(bytes, start, end);
    if (next >= 0) this.#state = 'chunk-size';
    return next;
  }

  /** @returns the offset after the CR LF at `at`; INCOMPLETE when they are not both there; FAILED when something else is */
  #lineEnd(bytes: Buffer, at: number, end: number): number {
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== CR) return this.#fail('a line does not end in CR LF');
    if (at + 1 === end) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.#fail('a line does not end in CR LF');
  }

  #countHead(length: number): boolean {
    this.#headBytes += length;
    return this.#headBytes <= MAX_HEAD_BYTES || this.#refuse(HEAD_TOO_LONG);
  }

  /** @returns FAILED */
  #fail(error: string): number {
    this.error = error;
    this.#state = 'failed';
    return FAILED;
  }

  #refuse(error: string): false {
    this.#fail(error);
    return false;
  }
}
