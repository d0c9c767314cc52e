import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { HeaderNames } from '../http1/header-names.ts';
import { SlotList } from '../slot-list.ts';
import { ClientConnection, type ConnectionHost } from './client-connection.ts';
import type { ClientRequest, ClientResponse } from './client-exchange.ts';

const SWEEP_MS = 1000;
const TIMEOUT_ANSWER = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

export interface FrontDoorOptions {
  readonly clock: Clock;
  /** Whether POST requests to this URL go to `handle`; the rest is the server's. */
  readonly takes: (url: string) => boolean;
  readonly handle: (request: ClientRequest, response: ClientResponse) => void;
}

/**
 * Stands before a node:http server and answers plain model calls itself, at about half of the cost: a connection belongs to it as long as it
 * brings requests that can be read in one way only (`readPlainHead`) and that `takes` wants. With the first one that is anything else the
 * connection is node:http's to its end. The server listens; its `keepAliveTimeout` and `requestTimeout` hold here too, up to two seconds late
 * and never early. `requestTimeout` also ends the wait for a client that does not take the end of its answer.
 */
export class FrontDoor implements ConnectionHost {
  readonly headerNames = new HeaderNames();
  readonly keepAliveLines: string;
  sweptMs: number;
  isClosing = false;
  readonly #server: Server;
  readonly #options: FrontDoorOptions;
  readonly #connections = new SlotList<ClientConnection>();
  readonly #acceptByServer: (socket: Socket) => void;
  #timer: Timer | null = null;
  #date = '';
  #dateSeconds = -1;

  constructor(server: Server, options: FrontDoorOptions) {
    this.#server = server;
    this.#options = options;
    const { keepAliveTimeout } = server;
    const promise = keepAliveTimeout > 0 ? `keep-alive: timeout=${Math.floor(keepAliveTimeout / 1000)}\r\n` : '';
    this.keepAliveLines = `connection: keep-alive\r\n${promise}`;
    this.sweptMs = options.clock.monotonicMs();
    // The one listener that node:http itself has put there.
    const [accept] = server.listeners('connection') as ((socket: Socket) => void)[];
    if (accept === undefined) throw new Error('The server does not accept connections.');
    this.#acceptByServer = accept;
    server.removeListener('connection', accept);
    server.on('connection', (socket: Socket) => this.#connections.add(new ClientConnection(socket, this)));
    if (server.listening) this.#scheduleSweep();
    server.on('listening', () => this.#scheduleSweep());
    server.on('close', () => this.#timer?.cancel());
  }

  date(): string {
    const nowMs = this.#options.clock.nowMs();
    const seconds = Math.floor(nowMs / 1000);
    if (seconds !== this.#dateSeconds) {
      this.#dateSeconds = seconds;
      this.#date = new Date(nowMs).toUTCString();
    }
    return this.#date;
  }

  takes(url: string): boolean {
    return this.#options.takes(url);
  }

  handle(request: ClientRequest, response: ClientResponse): void {
    this.#options.handle(request, response);
  }

  handOver(connection: ClientConnection, bytes: Buffer): void {
    const { socket } = connection;
    this.#connections.delete(connection);
    connection.release();
    this.#acceptByServer.call(this.#server, socket);
    socket.emit('data', bytes);
  }

  onGone(connection: ClientConnection): void {
    this.#connections.delete(connection);
  }

  /** Ends the idle connections now, and the others with the answer that they wait for. */
  close(): void {
    this.isClosing = true;
    for (const connection of this.#connections.list()) connection.close();
  }

  /** Cuts what is left. */
  destroy(): void {
    this.isClosing = true;
    for (const connection of this.#connections.list()) connection.destroy();
  }

  #scheduleSweep(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(SWEEP_MS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  /** A timeout of 0 is none, as in node:http. */
  #sweep(): void {
    this.sweptMs = this.#options.clock.monotonicMs();
    const { keepAliveTimeout, requestTimeout } = this.#server;
    for (const connection of this.#connections.list()) {
      // Stamps are of the sweep before: what they say may be younger by one.
      const waitedMs = this.sweptMs - connection.sinceMs - SWEEP_MS;
      if (connection.isIdle) {
        if (this.isClosing || (keepAliveTimeout > 0 && waitedMs >= keepAliveTimeout)) connection.destroy();
      } else if (requestTimeout > 0 && waitedMs >= requestTimeout && connection.waitsForClient) this.#timeOut(connection);
    }
  }

  #timeOut(connection: ClientConnection): void {
    const { socket } = connection;
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    // Not writable = it was told a sweep ago.
    if (connection.hasAnswered || !socket.writable) socket.destroy();
    else if (!this.#server.emit('clientError', error, socket)) socket.end(TIMEOUT_ANSWER);
  }
}
