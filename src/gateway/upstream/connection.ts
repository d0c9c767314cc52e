import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { HeaderNames } from '../http1/header-names.ts';
import type { Exchange } from './exchange.ts';
import { type Endpoint, openSocket } from './open-socket.ts';
import { ResponseParser } from './response-parser.ts';
import { UpstreamError } from './upstream-error.ts';

/** Up to this size head and body are copied into one buffer: cheaper than a gathered write (see bench/upstream-client.ts). */
const MAX_ONE_WRITE_BYTES = 8 * 1024;
/** Of a longer body, what is copied to the head. */
const MAX_COPIED_BYTES = 2 * 1024;
/** Longer than the 4 s of other clients, shorter than what load balancers allow (AWS 60 s): a new connection costs a TLS handshake. */
const KEEP_ALIVE_MS = 30_000;
const MAX_KEEP_ALIVE_MS = 600_000;
/** A request may be on its way for this long when the server's own time runs out. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/** What the connections of all pools share. */
export interface ConnectionShare {
  readonly clock: Clock;
  /** Reads are synchronous and the parser keeps nothing of them: one buffer serves all sockets. */
  readonly readBuffer: Buffer;
  readonly headerNames: HeaderNames;
}

/** The pool, as its connections see it. */
export interface ConnectionOwner {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  /** Of the newest TLS connection. */
  tlsSession: Buffer | null;
  onConnect(connection: Connection): void;
  /** It has answered and can carry another request. */
  onIdle(connection: Connection): void;
  /** It was closed while it was idle, or as good as: found when a request had been sent on it. Called before `onGone`. */
  onStale(connection: Connection): void;
  /** It is gone; called once. @param error why no connection came to be; null when it had been one */
  onGone(connection: Connection, error: UpstreamError | null): void;
}

/** One socket, one request in flight at most. */
export class Connection {
  isConnected = false;
  /** When it must not be used any more; monotonic. */
  idleUntilMs = 0;
  /** When it was last given nothing to do; monotonic. */
  idleSinceMs = 0;
  readonly #owner: ConnectionOwner;
  readonly #share: ConnectionShare;
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  readonly #connectTimer: Timer;
  #isGone = false;
  #isPaused = false;
  #hasAnswered = false;
  #exchange: Exchange | null = null;

  constructor(owner: ConnectionOwner, share: ConnectionShare) {
    this.#owner = owner;
    this.#share = share;
    this.#parser = new ResponseParser(share.headerNames);
    const { endpoint, connectTimeoutMs } = owner;
    const onread = { buffer: share.readBuffer, callback: (length: number) => this.#onRead(length) };
    this.#socket = openSocket(endpoint, onread, owner.tlsSession);
    this.#socket.once(endpoint.isTls ? 'secureConnect' : 'connect', () => this.#onConnect());
    if (endpoint.isTls) {
      this.#socket.on('session', (session: Buffer) => {
        owner.tlsSession = session;
      });
    }
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#socket.on('close', () => this.#fail('CONNECTION_CLOSED', 'The connection was closed.'));
    this.#connectTimer = share.clock.setTimer(connectTimeoutMs, () => this.#onConnectTimeout());
  }

  get isBusy(): boolean {
    return this.#exchange !== null;
  }

  /** Only while it is idle. */
  send(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    exchange.handler.onRequestStart();
    // The handler may have given up.
    if (this.#exchange === exchange) this.#write(exchange.head, exchange.takeBody());
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Cuts the connection. The handler of its exchange hears `error`; with null, nothing. */
  destroy(error: UpstreamError | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#connectTimer.cancel();
    const exchange = this.#release();
    this.#socket.destroy();
    if (error?.isStale === true) this.#owner.onStale(this);
    this.#owner.onGone(this, this.isConnected ? null : error);
    if (error !== null) exchange?.handler.onResponseError(error);
  }

  #write(head: string, body: readonly Buffer[]): void {
    const socket = this.#socket;
    let length = 0;
    for (const part of body) length += part.length;
    const text = `${head}content-length: ${length}\r\n\r\n`;
    if (text.length + length > MAX_ONE_WRITE_BYTES) {
      // What is short and stands at the beginning leaves with the head.
      let copied = 0;
      let copiedBytes = 0;
      for (; copied < body.length; copied++) {
        const partBytes = body[copied]?.length ?? 0;
        if (copiedBytes + partBytes > MAX_COPIED_BYTES) break;
        copiedBytes += partBytes;
      }
      socket.cork();
      socket.write(headWith(text, body, copied, copiedBytes));
      for (let index = copied; index < body.length; index++) socket.write(body[index] as Buffer); // index < length
      socket.uncork();
      return;
    }
    socket.write(headWith(text, body, body.length, length));
  }

  #onConnect(): void {
    this.#connectTimer.cancel();
    this.isConnected = true;
    this.idleUntilMs = this.#share.clock.monotonicMs() + KEEP_ALIVE_MS;
    this.#owner.onConnect(this);
  }

  #onRead(length: number): boolean {
    const exchange = this.#exchange;
    if (exchange === null) {
      // Nobody asked: it must not become the answer to the next request.
      this.destroy(null);
      return true;
    }
    const parser = this.#parser;
    parser.push(this.#share.readBuffer, length);
    // From here on the read buffer may be filled again.
    try {
      if (parser.hasHead) exchange.handler.onResponseStart(parser.status, parser.headers);
      if (parser.body !== null && this.#exchange === exchange) exchange.handler.onResponseData(parser.body);
    } catch (cause) {
      this.#fail('HANDLER_FAILED', 'The answer could not be handled.', cause);
    }
    if (this.#exchange !== exchange) return true;
    if (parser.error !== null) this.#fail('MALFORMED_ANSWER', `The answer is not proper HTTP/1.1: ${parser.error}.`);
    else if (parser.isComplete) this.#complete(exchange);
    return true;
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange !== null && this.#parser.end()) this.#complete(exchange);
    else this.#fail('CONNECTION_CLOSED', 'The server closed the connection before its answer was complete.');
  }

  #complete(exchange: Exchange): void {
    const parser = this.#parser;
    const { keepAliveMs } = parser;
    const idleMs = keepAliveMs === null ? KEEP_ALIVE_MS : Math.min(keepAliveMs - KEEP_ALIVE_MARGIN_MS, MAX_KEEP_ALIVE_MS);
    // A request that is still being written would end up in the middle of the next one.
    const canReuse = parser.canReuse && idleMs > 0 && this.#socket.writableLength === 0;
    this.#hasAnswered = true;
    this.#release();
    if (canReuse) {
      this.idleSinceMs = this.#share.clock.monotonicMs();
      this.idleUntilMs = this.idleSinceMs + idleMs;
      this.#owner.onIdle(this);
    } else this.destroy(null);
    try {
      exchange.handler.onResponseEnd();
    } catch (cause) {
      exchange.handler.onResponseError(this.#error('HANDLER_FAILED', 'The answer could not be handled.', cause));
    }
  }

  /** Parts with the exchange and is ready for the next one. */
  #release(): Exchange | null {
    const exchange = this.#exchange;
    if (exchange === null) return null;
    this.#exchange = null;
    exchange.connection = null;
    this.#parser.reset();
    this.resume();
    return exchange;
  }

  #onError(error: Error & { code?: unknown }): void {
    const isTimeout = error.code === 'ETIMEDOUT' || (error instanceof AggregateError && error.errors.some(isTimedOut));
    if (isTimeout && !this.isConnected) this.#onConnectTimeout(error);
    else this.#fail(typeof error.code === 'string' ? error.code : error.name, error.message, error);
  }

  #onConnectTimeout(cause?: unknown): void {
    this.#fail('CONNECT_TIMEOUT', `No connection came about within ${this.#owner.connectTimeoutMs} ms.`, cause);
  }

  #fail(code: string, message: string, cause?: unknown): void {
    if (this.#isGone) return;
    this.destroy(this.#error(code, message, cause));
  }

  #error(code: string, message: string, cause?: unknown): UpstreamError {
    const wasSent = this.#exchange !== null;
    return new UpstreamError(code, message, { wasSent, isStale: wasSent && this.#hasAnswered && !this.#parser.hasBytes }, cause);
  }
}

function headWith(head: string, body: readonly Buffer[], count: number, bodyBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + bodyBytes);
  let offset = bytes.write(head, 0, 'latin1');
  for (let index = 0; index < count; index++) offset += body[index]?.copy(bytes, offset) ?? 0;
  return bytes;
}

function isTimedOut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT';
}
