import { crc32 } from 'node:zlib';
import type { SseListener } from './sse-scanner.ts';

/** Total length, headers length, CRC of these two; then headers, payload, CRC of all before. */
const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;

/** Bytes of a header value by type; -1 = a 16-bit length stands before it. */
const VALUE_BYTES: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];
const STRING_TYPE = 7;

/**
 * Incremental scanner of `application/vnd.amazon.eventstream`, cut anywhere. Each message is handed on as an event: its payload as data, its name as
 * `:event-type`, or `exception:<type>` for an exception and `error:<code>` for an error.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export class EventStreamScanner {
  /** Why `push` answered false; '' while it has not. */
  problem = '';
  readonly #listener: SseListener;
  readonly #maxEventBytes: number;
  #carry: Buffer | null = null;
  #isStopped = false;

  /** @param maxEventBytes longest message */
  constructor(listener: SseListener, maxEventBytes: number) {
    this.#listener = listener;
    this.#maxEventBytes = maxEventBytes;
  }

  /** @returns false when the stream cannot be followed further; `problem` says why */
  push(chunk: Buffer): boolean {
    if (this.#isStopped) return this.problem === '';
    const bytes = this.#carry === null ? chunk : Buffer.concat([this.#carry, chunk]);
    let start = 0;
    while (!this.#isStopped && bytes.length - start >= PRELUDE_BYTES) {
      const length = bytes.readUInt32BE(start);
      if (!this.#checkPrelude(bytes, start, length)) return false;
      if (bytes.length - start < length) break;
      if (!this.#read(bytes, start, start + length)) return false;
      start += length;
    }
    // A copy: what was scanned may be a view of a larger network read.
    this.#carry = start === bytes.length ? null : Buffer.from(bytes.subarray(start));
    return true;
  }

  /** The input is over. A message that has not ended is not handed on: what it would have said is missing. */
  end(): void {
    this.#isStopped = true;
  }

  #fail(problem: string): false {
    this.problem = problem;
    this.#isStopped = true;
    return false;
  }

  #checkPrelude(bytes: Buffer, start: number, length: number): boolean {
    if (crc32(bytes.subarray(start, start + 8)) !== bytes.readUInt32BE(start + 8))
      return this.#fail('sent a frame whose length has a wrong checksum');
    const headersLength = bytes.readUInt32BE(start + 4);
    if (length < PRELUDE_BYTES + headersLength + CRC_BYTES) return this.#fail('sent a frame that is shorter than its headers');
    return length <= this.#maxEventBytes || this.#fail(`sent an event of more than ${this.#maxEventBytes} bytes`);
  }

  #read(bytes: Buffer, start: number, end: number): boolean {
    if (crc32(bytes.subarray(start, end - CRC_BYTES)) !== bytes.readUInt32BE(end - CRC_BYTES))
      return this.#fail('sent a frame with a wrong checksum');
    const dataStart = start + PRELUDE_BYTES + bytes.readUInt32BE(start + 4);
    const headers = readHeaders(bytes, start + PRELUDE_BYTES, dataStart);
    if (headers === null) return this.#fail('sent a frame whose headers cannot be read');
    if (!this.#listener.onEvent(bytes, start, end, bytes, dataStart, end - CRC_BYTES, nameOf(headers))) this.#isStopped = true;
    return true;
  }
}

function nameOf(headers: ReadonlyMap<string, string>): string | null {
  switch (headers.get(':message-type')) {
    case 'exception':
      return `exception:${headers.get(':exception-type') ?? ''}`;
    case 'error':
      return `error:${headers.get(':error-code') ?? ''}`;
    default:
      return headers.get(':event-type') ?? null;
  }
}

/** Headers with text values; null when they do not fill [start, end) exactly. */
function readHeaders(bytes: Buffer, start: number, end: number): Map<string, string> | null {
  const headers = new Map<string, string>();
  let at = start;
  while (at < end) {
    const nameEnd = at + 1 + (bytes[at] as number);
    if (nameEnd + 1 > end) return null;
    const name = bytes.toString('latin1', at + 1, nameEnd);
    const type = bytes[nameEnd] as number;
    let valueStart = nameEnd + 1;
    let length = VALUE_BYTES[type];
    if (length === undefined) return null;
    if (length === -1) {
      if (valueStart + 2 > end) return null;
      length = bytes.readUInt16BE(valueStart);
      valueStart += 2;
    }
    if (valueStart + length > end) return null;
    if (type === STRING_TYPE) headers.set(name, bytes.toString('utf8', valueStart, valueStart + length));
    at = valueStart + length;
  }
  return headers;
}
