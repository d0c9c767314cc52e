import type { Socket } from 'node:net';
import type { HeaderNames } from '../http1/header-names.ts';
import type { Slotted } from '../slot-list.ts';
import type { ClientRequest, ClientResponse } from './client-exchange.ts';
import { type BodySource, PlainRequest } from './plain-request.ts';
import { PlainResponse, type ResponseOwner } from './plain-response.ts';
import { readPlainHead } from './request-head.ts';

const NOTHING = Buffer.alloc(0);
/** Bytes of requests whose turn has not come, from which on the connection is not read. */
const MAX_EARLY_BYTES = 64 * 1024;

/** The front door, as its connections see it. */
export interface ConnectionHost {
  readonly headerNames: HeaderNames;
  readonly keepAliveLines: string;
  /** Monotonic, of the last sweep. */
  readonly sweptMs: number;
  readonly isClosing: boolean;
  date(): string;
  /** Whether requests to this URL are answered here. */
  takes(url: string): boolean;
  handle(request: ClientRequest, response: ClientResponse): void;
  /** node:http takes the connection over, `bytes` first. The socket flows, with nothing in its buffer: what it reads no longer passes there. */
  handOver(connection: ClientConnection, bytes: Buffer): void;
  onGone(connection: ClientConnection): void;
}

/** A connection that has brought nothing but plain requests so far: one at a time, the next one once the answer before is out. */
export class ClientConnection implements Slotted, BodySource, ResponseOwner {
  slot = -1;
  readonly socket: Socket;
  /** When the request began, or the last answer ended or was taken by the client; monotonic, of the sweep before. */
  sinceMs: number;
  readonly #host: ConnectionHost;
  #request: PlainRequest | null = null;
  /** Null between the calls. */
  #response: PlainResponse | null = null;
  /** Requests that came before the answer to the one before was out. */
  #early: Buffer = NOTHING;
  #isHandling = false;
  #isPaused = false;
  #isLeaving = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.socket = socket;
    this.#host = host;
    this.sinceMs = host.sweptMs;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  /** Between two calls, with everything sent. */
  get isIdle(): boolean {
    return this.#isFree && this.socket.writableLength === 0;
  }

  /** It is the client who has something to do: send the rest of a body, or take its answer. */
  get waitsForClient(): boolean {
    if (this.#request !== null && !this.#request.complete) return true;
    return this.#response === null && this.socket.writableLength > 0;
  }

  /** The client has seen something of an answer to the request that is there. */
  get hasAnswered(): boolean {
    return this.#response === null || this.#response.headersSent;
  }

  get isClosing(): boolean {
    return this.#host.isClosing;
  }

  get #isFree(): boolean {
    return this.#request === null && this.#early.length === 0;
  }

  get date(): string {
    return this.#host.date();
  }

  get keepAliveLines(): string {
    return this.#host.keepAliveLines;
  }

  /** Parts with the socket: none of its events comes here any more. */
  release(): void {
    const { socket } = this;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
  }

  /** Ends it now when it is between two calls, else with the answer to the request that is there. */
  close(): void {
    if (this.#isFree) this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  cut(request: PlainRequest): void {
    if (request === this.#request) this.socket.destroy();
  }

  onDemand(request: PlainRequest): void {
    if (request !== this.#request) return;
    this.#readAsWanted();
    // Not from within the call that asked for it, as with any stream.
    if (!this.#isHandling) process.nextTick(this.#deliver);
  }

  readonly #deliver = (): void => this.#request?.deliver();

  /** Reads the socket, or does not, so that only so much waits here. */
  #readAsWanted(): void {
    if (this.#isLeaving) return;
    const request = this.#request;
    const isWanted = request !== null && !request.complete ? request.wantsMore : this.#early.length < MAX_EARLY_BYTES;
    if (isWanted !== this.#isPaused) return;
    this.#isPaused = !isWanted;
    if (isWanted) this.socket.resume();
    else this.socket.pause();
  }

  readonly #onData = (bytes: Buffer): void => {
    const { socket } = this;
    // Our side of the connection has ended: what still comes will not be answered.
    if (!socket.writable) return;
    const request = this.#request;
    if (request !== null && !request.complete) this.#continue(request, bytes);
    else if (this.#isFree && !socket.writableNeedDrain) this.#begin(bytes);
    else this.#keep(bytes);
  };

  /** More of a body. */
  #continue(request: PlainRequest, bytes: Buffer): void {
    this.#keep(this.#feed(request, bytes, 0));
    request.deliver();
    // Where its answer was out before; the listeners may have answered just now, too.
    if (request === this.#request && request.complete && this.#response === null) this.#next();
    else this.#readAsWanted();
  }

  /** @returns what stands behind the body */
  #feed(request: PlainRequest, bytes: Buffer, start: number): Buffer {
    const end = Math.min(bytes.length, start + request.missingBytes);
    request.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    return end === bytes.length ? NOTHING : bytes.subarray(end);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#early = this.#early.length === 0 ? bytes : Buffer.concat([this.#early, bytes]);
    this.#readAsWanted();
  }

  #begin(bytes: Buffer): void {
    const head = readPlainHead(bytes, this.#host.headerNames);
    if (head === null || !this.#host.takes(head.url)) {
      this.#leave(bytes);
      return;
    }
    const request = new PlainRequest(head, this);
    const response = new PlainResponse(this, head.isKeptAlive && !this.#host.isClosing);
    this.#request = request;
    this.#response = response;
    this.sinceMs = this.#host.sweptMs;
    this.#keep(this.#feed(request, bytes, head.end));
    this.#isHandling = true;
    try {
      this.#host.handle(request, response);
    } finally {
      this.#isHandling = false;
    }
    request.deliver();
    this.#readAsWanted();
  }

  #leave(bytes: Buffer): void {
    if (!this.#isPaused) {
      this.#host.handOver(this, bytes);
      return;
    }
    this.#isLeaving = true;
    this.#early = bytes;
    this.#isPaused = false;
    this.socket.resume();
    setImmediate(() => {
      if (this.socket.writable) this.#host.handOver(this, this.#early);
    });
  }

  onAnswerEnd(isKeptAlive: boolean): void {
    this.#response = null;
    this.sinceMs = this.#host.sweptMs;
    const request = this.#request;
    request?.discard();
    if (!isKeptAlive) this.socket.destroySoon();
    else if (request?.complete) this.#next();
    else this.#readAsWanted();
  }

  onAnswerTaken(): void {
    if (this.#request === null) this.sinceMs = this.#host.sweptMs;
  }

  /** The call before is over, its body and its answer. */
  #next(): void {
    this.#request = null;
    if (this.#host.isClosing) {
      this.socket.destroySoon();
      return;
    }
    this.#readAsWanted();
    // Not on the stack of the call before.
    if (this.#early.length > 0) setImmediate(this.#beginEarly);
  }

  /** A client that does not take its answers gets no further ones: `drain` comes back here. */
  readonly #beginEarly = (): void => {
    const bytes = this.#early;
    if (this.#isLeaving || this.#request !== null || bytes.length === 0 || !this.socket.writable || this.socket.writableNeedDrain) return;
    this.#early = NOTHING;
    this.#begin(bytes);
  };

  readonly #onDrain = (): void => {
    if (this.#response === null) this.#beginEarly();
    else this.#response.emit('drain');
  };

  /** A client that has closed its side is gone, as node:http sees it; an answer that has ended may still reach it. */
  readonly #onEnd = (): void => {
    if (this.#response === null) this.socket.destroySoon();
    else this.socket.destroy();
  };

  /** `close` follows. */
  readonly #onError = (): void => {};

  readonly #onClose = (): void => {
    this.#host.onGone(this);
    const request = this.#request;
    const response = this.#response;
    this.#request = null;
    this.#response = null;
    request?.emit('close');
    response?.emit('close');
  };
}
