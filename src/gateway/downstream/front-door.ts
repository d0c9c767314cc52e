import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kernel/clock.ts';
import { HeaderNames } from '../http1/header-names.ts';
import { SlotList } from '../slot-list.ts';
import { ClientConnection, type ConnectionHost } from './client-connection.ts';
import type { ClientRequest, ClientResponse } from './client-exchange.ts';

const SWEEP_MS = 1000;

export interface FrontDoorOptions {
  readonly clock: Clock;
  /** Whether POST requests to this URL go to `handle`; the rest is the server's. */
  readonly takes: (url: string) => boolean;
  readonly handle: (request: ClientRequest, response: ClientResponse) => void;
}

/**
 * Stands before a node:http server and answers plain model calls itself, at about half of the cost: a connection belongs to it as long as it
 * brings requests that can be read in one way only (`readPlainHead`) and that `takes` wants. With the first one that is anything else the
 * connection is node:http's to its end. The server listens; its `keepAliveTimeout` and `requestTimeout` hold here too.
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
    this.keepAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(server.keepAliveTimeout / 1000)}\r\n`;
    this.sweptMs = options.clock.monotonicMs();
    // The one listener that node:http itself has put there.
    const [accept] = server.listeners('connection') as ((socket: Socket) => void)[];
    if (accept === undefined) throw new Error('The server does not accept connections.');
    this.#acceptByServer = accept;
    server.removeListener('connection', accept);
    server.on('connection', (socket: Socket) => this.#connections.add(new ClientConnection(socket, this)));
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
    for (const connection of this.#connections.list()) if (connection.isIdle) connection.destroy();
  }

  /** Cuts what is left. */
  destroy(): void {
    this.isClosing = true;
    for (const connection of this.#connections.list()) connection.destroy();
  }

  #scheduleSweep(): void {
    this.#timer = this.#options.clock.setTimer(SWEEP_MS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    this.sweptMs = this.#options.clock.monotonicMs();
    const { keepAliveTimeout, requestTimeout } = this.#server;
    for (const connection of this.#connections.list()) {
      const waitedMs = this.sweptMs - connection.sinceMs;
      if (connection.isIdle) {
        if (waitedMs >= keepAliveTimeout) connection.destroy();
      } else if (connection.isReceiving && waitedMs >= requestTimeout) this.#timeOut(connection);
    }
  }

  #timeOut(connection: ClientConnection): void {
    const { socket } = connection;
    if (connection.hasAnswered) socket.destroy();
    else this.#server.emit('clientError', Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }
}
