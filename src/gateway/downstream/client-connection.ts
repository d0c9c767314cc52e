import type { Socket } from 'node:net';
import type { HeaderNames } from '../http1/header-names.ts';
import type { Slotted } from '../slot-list.ts';
import type { ClientRequest, ClientResponse } from './client-exchange.ts';
import { type BodySource, PlainRequest } from './plain-request.ts';
import { PlainResponse, type ResponseOwner } from './plain-response.ts';
import { readPlainHead } from './request-head.ts';

const NOTHING = Buffer.alloc(0);

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
  /** node:http takes the connection over, `bytes` first. */
  handOver(connection: ClientConnection, bytes: Buffer): void;
  onGone(connection: ClientConnection): void;
}

/** A connection that has brought nothing but plain requests so far: one at a time, the next one once the answer before is out. */
export class ClientConnection implements Slotted, BodySource, ResponseOwner {
  slot = -1;
  readonly socket: Socket;
  /** When the request began, or the last answer ended; monotonic, as exact as the sweeps are. */
  sinceMs: number;
  readonly #host: ConnectionHost;
  #request: PlainRequest | null = null;
  /** Null between the calls. */
  #response: PlainResponse | null = null;
  /** Requests that came before the answer to the one before was out. */
  #early: Buffer = NOTHING;
  #isReading = false;

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

  /** Between two calls. */
  get isIdle(): boolean {
    return this.#request === null && this.#early.length === 0;
  }

  /** The body of a request is not all there. */
  get isReceiving(): boolean {
    return this.#request !== null && !this.#request.complete;
  }

  /** The client has seen something of an answer. */
  get hasAnswered(): boolean {
    return this.#response?.headersSent ?? false;
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

  destroy(): void {
    this.socket.destroy();
  }

  pauseBody(): void {
    this.socket.pause();
  }

  resumeBody(): void {
    this.socket.resume();
    // Not from within the call that asked for it, as with any stream.
    if (!this.#isReading) process.nextTick(this.#deliver);
  }

  readonly #deliver = (): void => this.#request?.deliver();

  readonly #onData = (bytes: Buffer): void => {
    const request = this.#request;
    if (request === null && this.#early.length === 0) this.#begin(bytes);
    else if (request === null || request.complete) this.#keep(bytes);
    else {
      this.#keep(this.#feed(request, bytes, 0));
      request.deliver();
      if (request.complete && this.#response === null) this.#next();
    }
  };

  /** @returns what stands behind the body */
  #feed(request: PlainRequest, bytes: Buffer, start: number): Buffer {
    const end = Math.min(bytes.length, start + request.missingBytes);
    request.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    return end === bytes.length ? NOTHING : bytes.subarray(end);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#early = this.#early.length === 0 ? bytes : Buffer.concat([this.#early, bytes]);
    this.socket.pause();
  }

  #begin(bytes: Buffer): void {
    const head = readPlainHead(bytes, this.#host.headerNames);
    if (head === null || !this.#host.takes(head.url)) {
      this.#host.handOver(this, bytes);
      return;
    }
    const request = new PlainRequest(head, this);
    const response = new PlainResponse(this, head.isKeptAlive && !this.#host.isClosing);
    this.#request = request;
    this.#response = response;
    this.sinceMs = this.#host.sweptMs;
    this.#keep(this.#feed(request, bytes, head.end));
    this.#isReading = true;
    try {
      this.#host.handle(request, response);
    } finally {
      this.#isReading = false;
    }
    request.deliver();
  }

  onAnswerEnd(isKeptAlive: boolean): void {
    const { socket } = this;
    this.#response = null;
    this.sinceMs = this.#host.sweptMs;
    if (!isKeptAlive || this.#host.isClosing) {
      socket.destroySoon();
      return;
    }
    const request = this.#request;
    if (request === null) return;
    request.discard();
    if (request.complete) this.#next();
  }

  /** The call before is over, its body and its answer. */
  #next(): void {
    this.#request = null;
    if (this.#early.length === 0) return;
    this.socket.resume();
    // Not on the stack of the call before.
    setImmediate(() => {
      const bytes = this.#early;
      this.#early = NOTHING;
      if (!this.socket.destroyed) this.#begin(bytes);
    });
  }

  readonly #onDrain = (): void => {
    this.#response?.emit('drain');
  };

  /** A client that has closed its side is gone, as node:http sees it. */
  readonly #onEnd = (): void => {
    this.socket.destroySoon();
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
