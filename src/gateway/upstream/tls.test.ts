import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { until } from '../testing.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { selfSignedCertificate } from './test-certificate.ts';
import { answer, closePlainServer, listenPlain, post, type RawRequest, type RawServer, startRawServer, testPool } from './testing.ts';

const certificate = selfSignedCertificate(['localhost', '127.0.0.1']);
const stranger = selfSignedCertificate(['localhost', '127.0.0.1']);
const otherName = selfSignedCertificate(['elsewhere.example']);
const pools: ConnectionPool[] = [];
let server: RawServer;

const echo = ({ socket, body }: RawRequest): void => void socket.write(answer(body), 'latin1');

function poolOf(origin: string): ConnectionPool {
  const pool = testPool(origin, { connectTimeoutMs: 500 });
  pools.push(pool);
  return pool;
}

before(async () => {
  // Of this process alone: the test runner gives each file one of its own.
  setDefaultCACertificates([certificate.cert, otherName.cert]);
  server = await startRawServer(echo, certificate);
});
after(() => server.close());
beforeEach(async () => {
  for (const pool of pools.splice(0)) pool.destroy();
  await until(() => server.sockets.size === 0, 'all connections are closed');
});

describe('over TLS', () => {
  it('requests and answers go through, small and large', async () => {
    const pool = poolOf(`https://localhost:${server.port}`);
    for (const body of ['a', 'b'.repeat(5_000), 'c'.repeat(400_000)]) {
      const { handler } = post(pool, body);
      await handler.done;
      assert.deepEqual([handler.error, handler.body.length], [null, body.length]);
      assert.equal(handler.body, body);
    }
    assert.equal(server.sockets.size, 1);
  });

  it('several connections read through one buffer without mixing', async () => {
    const pool = poolOf(`https://127.0.0.1:${server.port}`);
    const bodies = Array.from({ length: 40 }, (_, index) => String.fromCharCode(65 + index).repeat(1 + index * 2_000));
    const handlers = await Promise.all(bodies.map((body) => post(pool, body).handler.done));
    assert.deepEqual(
      handlers.map(({ body }) => body.length),
      bodies.map(({ length }) => length),
    );
    assert.ok(handlers.every(({ body }, index) => body === bodies[index]));
  });

  it('the server learns the name, HTTP/1.1 is agreed upon, and sessions are resumed', async () => {
    const pool = poolOf(`https://localhost:${server.port}`);
    const seen: [servername: unknown, alpn: unknown, isReused: boolean][] = [];
    server.onRequest = ({ socket, body }) => {
      const secure = socket as TLSSocket & { servername?: unknown }; // the server is a TLS server
      seen.push([secure.servername, secure.alpnProtocol, secure.isSessionReused()]);
      socket.end(answer(body, 'connection: close\r\n'), 'latin1');
    };
    for (const body of ['a', 'b', 'c']) assert.equal((await post(pool, body).handler.done).body, body);
    server.onRequest = echo;
    assert.deepEqual(seen, [
      ['localhost', 'http/1.1', false],
      ['localhost', 'http/1.1', true],
      ['localhost', 'http/1.1', true],
    ]);
  });

  it('a certificate that is not trusted, or of another name, is refused before anything is sent', async () => {
    for (const [own, code] of [
      [stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      [otherName, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ] as const) {
      let requests = 0;
      const bad = await startRawServer(() => void requests++, own);
      const { error, events } = await post(poolOf(`https://localhost:${bad.port}`)).handler.done;
      assert.deepEqual([error?.code, error?.wasSent, events, requests], [code, false, ['error'], 0]);
      await bad.close();
    }
  });

  it('a server that takes the connection and never says hello runs into the connect timeout', async () => {
    const deaf = createServer((socket) => void socket.resume());
    const port = await listenPlain(deaf);
    const pool = poolOf(`https://127.0.0.1:${port}`);
    const { error } = await post(pool).handler.done;
    assert.deepEqual([error?.code, error?.wasSent], ['CONNECT_TIMEOUT', false]);
    await closePlainServer(deaf);
  });

  it('a server that speaks no TLS, or hangs up, is an error at once', async () => {
    for (const hello of ['HTTP/1.1 400 Bad Request\r\n\r\n', '']) {
      const plain = createServer((socket) => void socket.once('data', () => socket.end(hello)));
      const port = await listenPlain(plain);
      const { error } = await post(poolOf(`https://127.0.0.1:${port}`)).handler.done;
      assert.notEqual(error?.code, 'CONNECT_TIMEOUT');
      assert.equal(error?.wasSent, false);
      await closePlainServer(plain);
    }
  });

  it('an answer that is cut is no answer, and a stale connection is known as one', async () => {
    const pool = poolOf(`https://localhost:${server.port}`);
    await post(pool).handler.done;
    server.onRequest = ({ socket }) => void socket.destroy();
    const stale = await post(pool).handler.done;
    assert.deepEqual([stale.error?.wasSent, stale.error?.isStale], [true, true]);
    server.onRequest = ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell');
    const cut = await post(pool).handler.done;
    server.onRequest = echo;
    assert.deepEqual([cut.error?.code, cut.error?.isStale], ['CONNECTION_CLOSED', false]);
  });

  it('a connection that was begun for a request that has gone serves the next one', async () => {
    const pool = poolOf(server.origin);
    server.accepted = 0;
    const gone = post(pool, 'a');
    await new Promise((resolve) => setImmediate(resolve));
    gone.exchange.abort();
    assert.equal((await post(pool, 'b').handler.done).body, 'b');
    assert.deepEqual(gone.handler.events, []);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.accepted, 1);
  });

  it('a request gets a connection of its own when the one that was begun for it went to another, and that one’s fails', async () => {
    const sockets: Socket[] = [];
    // The first connection is never answered; the others reach the real server.
    const front = createServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      if (sockets.length > 1) socket.pipe(connect(server.port, '127.0.0.1').on('error', () => {})).pipe(socket);
      else socket.resume();
    });
    const pool = poolOf(`https://127.0.0.1:${await listenPlain(front)}`);
    const held: RawRequest[] = [];
    server.onRequest = (request) => void held.push(request);
    const [first, second] = ['a', 'b'].map((body) => post(pool, body).handler);
    await until(() => held.length === 2, 'both requests are there, the second one after the connect timeout');
    server.onRequest = echo;
    for (const request of held) echo(request);
    assert.deepEqual([(await first?.done)?.body, (await second?.done)?.body, sockets.length], ['a', 'b', 3]);
    pool.destroy();
    for (const socket of sockets) socket.destroy();
    await closePlainServer(front);
  });
});
