/** What the tests of the front door share: a server with or without one, a client that speaks raw bytes, a reader of what it gets back. */
import assert from 'node:assert/strict';
import { createServer, IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { closeServer, listen, until } from '../testing.ts';
import type { ClientRequest, ClientResponse } from './client-exchange.ts';
import { FrontDoor } from './front-door.ts';

export type Handle = (request: ClientRequest, response: ClientResponse) => void;

export interface TestServer {
  readonly port: number;
  readonly server: Server;
  /** Null = node:http alone. */
  readonly door: FrontDoor | null;
  /** Handler calls by who read the request. */
  readonly readBy: { door: number; node: number };
  /** Until no connection is left. */
  untilUnused(): Promise<void>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly clock?: Clock;
  readonly takes?: (url: string) => boolean;
  readonly http?: ServerOptions;
  readonly hasDoor?: boolean;
}

export async function startServer(handle: Handle, options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = systemClock, takes = () => true, http = {}, hasDoor = true } = options;
  const readBy = { door: 0, node: 0 };
  const counted: Handle = (request, response) => {
    readBy[request instanceof IncomingMessage ? 'node' : 'door']++;
    handle(request, response);
  };
  const server = createServer(http, counted);
  const door = hasDoor ? new FrontDoor(server, { clock, takes, handle: counted }) : null;
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.on('close', () => connections--);
  });
  const port = await listen(server);
  return {
    port,
    server,
    door,
    readBy,
    untilUnused: () => until(() => connections === 0, 'no connection is left'),
    close() {
      door?.destroy();
      return closeServer(server);
    },
  };
}

export interface RawClient {
  readonly socket: Socket;
  /** All bytes so far, as latin1. */
  text(): string;
  receivedBytes(): number;
  /** Whether the server ended the connection, in whichever way. */
  readonly isClosed: boolean;
  readonly error: NodeJS.ErrnoException | null;
  write(bytes: string | Buffer): void;
  /** Writes the parts a turn of the event loop apart. */
  play(parts: readonly Buffer[]): Promise<void>;
  untilText(part: string): Promise<void>;
  untilClosed(): Promise<void>;
}

export async function openClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  const client = {
    socket,
    isClosed: false,
    error: null as NodeJS.ErrnoException | null,
    text: () => Buffer.concat(chunks).toString('latin1'),
    receivedBytes: () => bytes,
    write: (data: string | Buffer) => void socket.write(data, 'latin1'),
    async play(parts: readonly Buffer[]) {
      for (const part of parts) {
        if (!socket.writable) return;
        socket.write(part);
        await nextTurn();
      }
    },
    untilText: (part: string) =>
      until(() => client.text().includes(part) || client.isClosed, `the answer holds ${JSON.stringify(part)}`).then(() =>
        assert.ok(client.text().includes(part), `closed before ${JSON.stringify(part)}: ${JSON.stringify(client.text())}`),
      ),
    untilClosed: () => until(() => client.isClosed, 'the server has closed the connection'),
  };
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    client.error = error;
  });
  socket.on('end', () => {
    client.isClosed = true;
  });
  socket.on('close', () => {
    client.isClosed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** A request that the front door takes. @param head further header lines, each with its CR LF */
export function post(url: string, body = '', head = ''): string {
  return `POST ${url} HTTP/1.1\r\nhost: test\r\n${head}content-length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}

/** Calls back with the whole body. */
export function readAll(request: ClientRequest, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => void chunks.push(chunk));
  request.on('end', () => done(Buffer.concat(chunks)));
}

export function answerText(response: ClientResponse, text: string, status = 200): void {
  const body = Buffer.from(text, 'latin1');
  response.writeHead(status, ['content-type', 'text/plain', 'content-length', String(body.length)]);
  response.end(body);
}

/** Answers with the body that came. */
export const echo: Handle = (request, response) =>
  readAll(request, (body) => answerText(response, `${request.url} ${body.toString('latin1')}`));

export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads answers one after the other, interim ones left out. @returns also what is behind the last complete one */
export function readAnswers(text: string): { answers: ReadAnswer[]; rest: string } {
  const answers: ReadAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return { answers, rest };
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    assert.ok(status > 0, `no status line: ${JSON.stringify(statusLine)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(': ');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2);
    }
    const framed = rest.slice(headEnd + 4);
    if (status < 200) {
      rest = framed;
      continue;
    }
    // Without a length it ends with the connection.
    const length = Number(headers['content-length'] ?? framed.length);
    const body = headers['transfer-encoding'] === 'chunked' ? readChunks(framed) : readLength(framed, length);
    if (body === null) return { answers, rest };
    answers.push({ status, headers, body: body.text });
    rest = framed.slice(body.end);
  }
}

function readLength(text: string, length: number): { text: string; end: number } | null {
  return text.length < length ? null : { text: text.slice(0, length), end: length };
}

function readChunks(text: string): { text: string; end: number } | null {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (text.length < end) return null;
    assert.equal(text.slice(end - 2, end), '\r\n', 'a chunk ends in CR LF');
    if (size === 0) return { text: body, end };
    body += text.slice(lineEnd + 2, end - 2);
    at = end;
  }
}

export async function withServer(
  handle: Handle,
  run: (server: TestServer) => Promise<void>,
  options: TestServerOptions = {},
): Promise<void> {
  const server = await startServer(handle, options);
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

export interface Held {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly events: string[];
}

/** Keeps every call as it came; the test plays the handler. */
export function holding(): { calls: Held[]; handle: Handle } {
  const calls: Held[] = [];
  const handle: Handle = (request, response) => {
    const events: string[] = [];
    request.on('close', () => events.push('request close'));
    response.on('close', () => events.push('response close'));
    response.on('drain', () => events.push('drain'));
    calls.push({ request, response, events });
  };
  return { calls, handle };
}

export function callAt(calls: readonly Held[], index: number): Held {
  const call = calls[index];
  assert.ok(call !== undefined, `there is no call ${index}`);
  return call;
}
