import type { Timer } from '../../kernel/clock.ts';
import { Connection, type ConnectionOwner, type ConnectionShare } from './connection.ts';
import { type AnswerHandler, Exchange, type OutgoingRequest } from './exchange.ts';
import { ExchangeQueue } from './exchange-queue.ts';
import { type Endpoint, endpointOf } from './open-socket.ts';
import { headerLines, RequestHeads } from './request-heads.ts';
import { UpstreamError } from './upstream-error.ts';

/** How often idle connections are looked through; one past its time is never used, whenever that is. */
const SWEEP_MS = 1000;

export interface ConnectionPoolOptions {
  /** `https://api.openai.com` */
  readonly origin: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
}

export interface ConnectionPoolStats {
  /** Open connections. */
  readonly connected: number;
  /** Requests on a connection. */
  readonly running: number;
  /** Requests that wait for one. */
  readonly queued: number;
}

/**
 * HTTP/1.1 connections to one origin: bounded, one request on each at a time, the one used last is used first. What finds no connection waits
 * in a queue, first in, first out.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  tlsSession: Buffer | null = null;
  readonly #share: ConnectionShare;
  readonly #maxConnections: number;
  readonly #heads: RequestHeads;
  readonly #queue = new ExchangeQueue();
  readonly #connections = new Set<Connection>();
  /** The last one is the next one. */
  readonly #idle: Connection[] = [];
  /** Those that are not open yet, each with the exchange because of which it was begun. */
  readonly #opening = new Map<Connection, Exchange>();
  #isFlushScheduled = false;
  #isClosed = false;
  #sweepTimer: Timer | null = null;

  constructor(options: ConnectionPoolOptions, share: ConnectionShare) {
    this.endpoint = endpointOf(options.origin);
    this.connectTimeoutMs = options.connectTimeoutMs;
    this.#maxConnections = options.maxConnections;
    this.#share = share;
    this.#heads = new RequestHeads(new URL(options.origin).host);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get stats(): ConnectionPoolStats {
    const connected = this.#connections.size - this.#opening.size;
    return { connected, running: connected - this.#idle.length, queued: this.#queue.size };
  }

  /**
   * Sends a request, never before this turn of the event loop has read what is there to read: an idle connection that the server has closed,
   * or on which it has sent something unasked, is then known and not used.
   * @param wantsNew true = only a connection that has carried no request yet will do; at the bound it gets the place of an idle one
   * @throws PlimsollError `config_invalid` for headers or a path that cannot be sent
   * @throws UpstreamError `POOL_CLOSED`
   */
  dispatch(request: OutgoingRequest, handler: AnswerHandler, wantsNew = false): Exchange {
    if (this.#isClosed) throw closed(false);
    const { path, headers, extraHeaders, body } = request;
    const head = this.#heads.post(path, headers);
    const wholeHead = extraHeaders.length === 0 ? head : head + headerLines(extraHeaders);
    const exchange = new Exchange(handler, wholeHead, Buffer.isBuffer(body) ? [body] : body, wantsNew, this.#abort);
    this.#queue.push(exchange);
    this.#scheduleFlush();
    return exchange;
  }

  /** Takes no more requests; those it has are carried out, then the connections close. */
  close(): void {
    this.#isClosed = true;
    this.#closeIdle();
  }

  /** Cuts all connections. Handlers of what runs or waits hear `POOL_CLOSED`. */
  destroy(): void {
    this.#isClosed = true;
    this.#sweepTimer?.cancel();
    const waiting: Exchange[] = [];
    for (let exchange = this.#queue.shift(); exchange !== null; exchange = this.#queue.shift()) waiting.push(exchange);
    for (const connection of [...this.#connections]) connection.destroy(closed(connection.isBusy));
    for (const exchange of waiting) exchange.handler.onResponseError(closed(false));
  }

  onConnect(connection: Connection): void {
    const opener = this.#opening.get(connection);
    this.#opening.delete(connection);
    const exchange = this.#queue.shift();
    if (opener !== undefined) opener.isCovered = false;
    if (exchange === null) this.onIdle(connection);
    else connection.send(exchange);
  }

  onIdle(connection: Connection): void {
    this.#idle.push(connection);
    if (this.#isClosed || this.#queue.size > 0) this.#scheduleFlush();
    else this.#sweepTimer ??= this.#share.clock.setTimer(SWEEP_MS, this.#sweep);
  }

  /** Those that have been idle for longer are most likely closed as well: nobody else is to find out with a request of theirs. */
  onStale({ idleSinceMs }: Connection): void {
    for (const connection of [...this.#idle]) if (connection.idleSinceMs <= idleSinceMs) connection.destroy(null);
  }

  onGone(connection: Connection, error: UpstreamError | null): void {
    this.#connections.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    const opener = this.#opening.get(connection);
    this.#opening.delete(connection);
    if (this.#queue.size > 0) this.#scheduleFlush();
    // Of those that wait, the one for which it was opened learns why it could not be; the others have, or get, connections of their own.
    if (opener === undefined || !opener.isQueued || error === null) return;
    this.#queue.remove(opener);
    opener.handler.onResponseError(error);
  }

  readonly #abort = (exchange: Exchange): void => {
    this.#queue.remove(exchange);
    exchange.connection?.destroy(null);
  };

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushScheduled = false;
    for (let exchange = this.#firstUncovered(); exchange !== null; exchange = this.#firstUncovered()) {
      if (exchange.wantsNew) {
        if (!this.#makeRoom()) break;
        this.#openFor(exchange);
        continue;
      }
      const connection = this.#takeIdle();
      if (connection === null) break;
      this.#queue.remove(exchange);
      connection.send(exchange);
    }
    this.#open();
    if (this.#isClosed && this.#queue.size === 0) this.#closeIdle();
  };

  /** The first in the queue but for those that wait for the new connection that they need. */
  #firstUncovered(): Exchange | null {
    let exchange = this.#queue.first;
    while (exchange?.wantsNew === true && exchange.isCovered) exchange = exchange.after;
    return exchange;
  }

  #takeIdle(): Connection | null {
    const nowMs = this.#share.clock.monotonicMs();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (nowMs < connection.idleUntilMs) return connection;
      connection.destroy(null);
    }
    return null;
  }

  /** One new connection for each exchange that no other connection is being opened for, as far as the bound allows. */
  #open(): void {
    let exchange = this.#queue.first;
    while (exchange !== null && this.#queue.size > this.#opening.size && this.#connections.size < this.#maxConnections) {
      if (!exchange.isCovered) this.#openFor(exchange);
      exchange = exchange.after;
    }
  }

  #openFor(exchange: Exchange): void {
    exchange.isCovered = true;
    const connection = new Connection(this, this.#share);
    this.#connections.add(connection);
    this.#opening.set(connection, exchange);
  }

  /** Closes the connection that has been idle for longest where there are as many as there may be. @returns false when none is idle */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#maxConnections) return true;
    const [oldest] = this.#idle;
    oldest?.destroy(null);
    return oldest !== undefined;
  }

  #closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy(null);
  }

  readonly #sweep = (): void => {
    this.#sweepTimer = null;
    const nowMs = this.#share.clock.monotonicMs();
    for (const connection of [...this.#idle]) if (nowMs >= connection.idleUntilMs) connection.destroy(null);
    if (this.#idle.length > 0) this.#sweepTimer = this.#share.clock.setTimer(SWEEP_MS, this.#sweep);
  };
}

function closed(wasSent: boolean): UpstreamError {
  return new UpstreamError('POOL_CLOSED', 'The connections to this provider are closed.', { wasSent, isStale: false });
}
