/** What the tests of the HTTP client share: a server that speaks raw bytes, a handler that keeps what it hears, a pool on a clock. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { HeaderNames } from '../http1/header-names.ts';
import { ConnectionPool, type ConnectionPoolOptions } from './connection-pool.ts';
import type { AnswerHandler, Exchange } from './exchange.ts';
import type { UpstreamError } from './upstream-error.ts';

export interface RawRequest {
  readonly head: string;
  readonly body: string;
  /** Place among the requests of its connection, from 0. */
  readonly index: number;
  readonly socket: Socket;
}

export interface RawServer {
  readonly port: number;
  readonly origin: string;
  readonly server: Server;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** How many connections there have been. */
  accepted: number;
  onRequest: (request: RawRequest) => void;
  close(): Promise<void>;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Cuts the connection's bytes into requests by their content-length. */
function serve(socket: Socket, raw: { onRequest: (request: RawRequest) => void }): void {
  let pending = Buffer.alloc(0);
  let index = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = pending.toString('latin1', 0, headEnd + 2);
      const bodyEnd = headEnd + 4 + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
      if (pending.length < bodyEnd) return;
      const body = pending.toString('latin1', headEnd + 4, bodyEnd);
      pending = pending.subarray(bodyEnd);
      raw.onRequest({ head, body, index: index++, socket });
    }
  });
}

export function listenPlain(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

export function closePlainServer(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

export async function startRawServer(
  onRequest: (request: RawRequest) => void,
  tls: { key: string; cert: string } | null = null,
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket): void => {
    raw.accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, raw);
  };
  const server =
    tls === null ? createServer({ noDelay: true }, onSocket) : createTlsServer({ ...tls, ALPNProtocols: ['h2', 'http/1.1'] }, onSocket);
  const port = await listenPlain(server);
  const raw: RawServer & { onRequest: RawServer['onRequest'] } = {
    port,
    origin: `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    server,
    sockets,
    accepted: 0,
    onRequest,
    async close() {
      for (const socket of sockets) socket.destroy();
      await closePlainServer(server);
    },
  };
  return raw;
}

/** Keeps what it hears; `done` resolves at the end, whatever the end. */
export class CollectingHandler implements AnswerHandler {
  readonly events: string[] = [];
  status: number | null = null;
  headers: Record<string, unknown> = {};
  readonly chunks: Buffer[] = [];
  error: UpstreamError | null = null;
  readonly done: Promise<this>;
  #resolve: (self: this) => void = () => {};
  /** Called after each event. */
  onEvent: (event: string) => void = () => {};

  constructor() {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  onRequestStart(): void {
    this.#hear('request');
  }

  onResponseStart(status: number, headers: Readonly<Record<string, unknown>>): void {
    this.status = status;
    this.headers = { ...headers };
    this.#hear('head');
  }

  onResponseData(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.#hear('data');
  }

  onResponseEnd(): void {
    this.#hear('end');
    this.#resolve(this);
  }

  onResponseError(error: UpstreamError): void {
    this.error = error;
    this.#hear('error');
    this.#resolve(this);
  }

  #hear(event: string): void {
    this.events.push(event);
    this.onEvent(event);
  }
}

export function testPool(origin: string, options: Partial<ConnectionPoolOptions> = {}, clock: Clock = systemClock): ConnectionPool {
  const share = { clock, readBuffer: Buffer.alloc(64 * 1024), headerNames: new HeaderNames() };
  return new ConnectionPool({ origin, maxConnections: 8, connectTimeoutMs: 2000, ...options }, share);
}

export const TEST_HEADERS: readonly string[] = ['content-type', 'application/json', 'authorization', 'Bearer secret'];

export function post(
  pool: ConnectionPool,
  body: string | readonly Buffer[] = '{}',
  handler = new CollectingHandler(),
  path = '/v1/x',
): { exchange: Exchange; handler: CollectingHandler } {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { exchange: pool.dispatch({ path, headers: TEST_HEADERS, extraHeaders: [], body: bytes }, handler), handler };
}

export function answer(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}
