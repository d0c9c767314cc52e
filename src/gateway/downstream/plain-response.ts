import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ClientResponse } from './client-exchange.ts';
import { type WrittenHead, writeHeadText } from './response-head.ts';

/** Up to this size head and body leave as one text or buffer: cheaper than a gathered write. */
const MAX_ONE_WRITE_BYTES = 16 * 1024;
const CRLF_BYTES = 2;
const LAST_CHUNK = '0\r\n\r\n';
const EMPTY = Buffer.alloc(0);

/** What a response needs of its connection. */
export interface ResponseOwner {
  readonly socket: Socket;
  /** Value of the `date` header. */
  readonly date: string;
  /** Header lines of a connection that stays open. */
  readonly keepAliveLines: string;
  /** No connection is kept any more. */
  readonly isClosing: boolean;
  /** All of the answer was written. */
  onAnswerEnd(isKeptAlive: boolean): void;
  /** Where that was not so at its end: all of it is with the operating system now. */
  onAnswerTaken(): void;
}

/** The answer to a `PlainRequest`. The head leaves with the first bytes of the body. */
export class PlainResponse extends EventEmitter implements ClientResponse {
  shouldKeepAlive: boolean;
  writableEnded = false;
  writableFinished = false;
  /** Null until `writeHead`, and again once it is on its way. */
  #head: WrittenHead | null = null;
  #hasHead = false;
  #isChunked = false;
  readonly #owner: ResponseOwner;

  constructor(owner: ResponseOwner, isKeptAlive: boolean) {
    super();
    this.#owner = owner;
    this.shouldKeepAlive = isKeptAlive;
  }

  get headersSent(): boolean {
    return this.#hasHead;
  }

  get writableLength(): number {
    return this.#owner.socket.writableLength;
  }

  get destroyed(): boolean {
    return this.#owner.socket.destroyed;
  }

  writeHead(status: number, head: readonly string[]): this {
    if (this.#hasHead) throw new Error('The head of this answer was written before.');
    this.#head = writeHeadText(status, head);
    this.#hasHead = true;
    this.#isChunked = !this.#head.hasLength;
    if (this.#head.isClosing) this.shouldKeepAlive = false;
    return this;
  }

  write(bytes: Buffer | string, written?: () => void): boolean {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (this.writableEnded || !this.#owner.socket.writable) return false;
    this.#requireHead();
    // A chunk without bytes would be the end.
    if (buffer.length === 0 && this.#isChunked) {
      if (written !== undefined) this.#owner.socket.write(EMPTY, written);
      return true;
    }
    const isTaken = this.#send(buffer, '');
    if (written !== undefined) this.#owner.socket.write(EMPTY, written);
    return isTaken;
  }

  end(bytes?: Buffer | string, encoding?: 'latin1'): this {
    if (this.writableEnded) return this;
    const { socket } = this.#owner;
    if (!socket.writable) {
      this.writableEnded = true;
      return this;
    }
    this.#requireHead();
    this.writableEnded = true;
    if (typeof bytes === 'string' && encoding === 'latin1' && this.#head?.hasLength) socket.write(this.#takeHead() + bytes, 'latin1');
    else this.#send(bytes === undefined ? EMPTY : typeof bytes === 'string' ? Buffer.from(bytes, encoding) : bytes, LAST_CHUNK);
    if (socket.writableLength === 0) this.writableFinished = socket.errored === null;
    else
      socket.write(EMPTY, (error) => {
        if (error) return;
        this.writableFinished = true;
        this.#owner.onAnswerTaken();
      });
    this.#owner.onAnswerEnd(this.shouldKeepAlive);
    return this;
  }

  /** Once the answer is out the connection may belong to the next call. */
  destroy(): void {
    if (!this.writableFinished) this.#owner.socket.destroy();
  }

  /** @param lastChunk what stands behind the bytes when they are the last ones of a body in chunks */
  #send(bytes: Buffer, lastChunk: string): boolean {
    const { socket } = this.#owner;
    const before = this.#head === null ? '' : this.#takeHead();
    const { length } = bytes;
    if (!this.#isChunked) {
      if (length === 0) return before === '' || socket.write(before, 'latin1');
      if (before === '') return socket.write(bytes);
      return before.length + length <= MAX_ONE_WRITE_BYTES ? socket.write(joined(before, bytes, '')) : this.#gathered(before, bytes, '');
    }
    const start = length === 0 ? before : `${before}${length.toString(16)}\r\n`;
    const end = length === 0 ? lastChunk : `\r\n${lastChunk}`;
    if (start.length + length + CRLF_BYTES <= MAX_ONE_WRITE_BYTES) return socket.write(joined(start, bytes, end));
    return this.#gathered(start, bytes, end);
  }

  #gathered(before: string, bytes: Buffer, after: string): boolean {
    const { socket } = this.#owner;
    socket.cork();
    if (before !== '') socket.write(before, 'latin1');
    const isTaken = socket.write(bytes);
    if (after !== '') socket.write(after, 'latin1');
    socket.uncork();
    return isTaken;
  }

  /** Bytes without a head would be taken for the answer to another request. */
  #requireHead(): void {
    if (!this.#hasHead) throw new Error('The head of this answer was not written.');
  }

  #takeHead(): string {
    const head = this.#head as WrittenHead; // who calls this knows it
    this.#head = null;
    const { date, keepAliveLines, isClosing } = this.#owner;
    if (isClosing) this.shouldKeepAlive = false;
    return `${head.text}date: ${date}\r\n${this.shouldKeepAlive ? keepAliveLines : 'connection: close\r\n'}${this.#isChunked ? 'transfer-encoding: chunked\r\n\r\n' : '\r\n'}`;
  }
}

function joined(before: string, bytes: Buffer, after: string): Buffer {
  const whole = Buffer.allocUnsafe(before.length + bytes.length + after.length);
  let offset = before === '' ? 0 : whole.write(before, 0, 'latin1');
  offset += bytes.copy(whole, offset);
  if (after !== '') whole.write(after, offset, 'latin1');
  return whole;
}
