import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../../kernel/clock.ts';
import { until } from '../testing.ts';
import type { ConnectionPool } from './connection-pool.ts';
import {
  answer,
  CollectingHandler,
  closePlainServer,
  listenPlain,
  post,
  type RawRequest,
  type RawServer,
  startRawServer,
  testPool,
} from './testing.ts';
import { UpstreamError } from './upstream-error.ts';

const pools: ConnectionPool[] = [];
let server: RawServer;

const echo = ({ socket, body }: RawRequest): void => void socket.write(answer(body), 'latin1');

function poolOf(...parameters: Parameters<typeof testPool>): ConnectionPool {
  const pool = testPool(...parameters);
  pools.push(pool);
  return pool;
}

before(async () => {
  server = await startRawServer(echo);
});
after(() => server.close());
beforeEach(async () => {
  for (const pool of pools.splice(0)) pool.destroy();
  await until(() => server.sockets.size === 0, 'all connections are closed');
  server.onRequest = echo;
});

describe('a failure', () => {
  it('of a connection that was idle says so, and that the request was sent', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    server.onRequest = ({ socket }) => void socket.destroy();
    const stale = (await post(pool).handler.done).error;
    assert.ok(stale instanceof UpstreamError);
    assert.deepEqual([stale.code, stale.wasSent, stale.isStale], ['CONNECTION_CLOSED', true, true]);
    const fresh = (await post(pool).handler.done).error;
    assert.deepEqual([fresh?.code, fresh?.wasSent, fresh?.isStale], ['CONNECTION_CLOSED', true, false]);
  });

  it('of a connection that was idle closes those that were idle for longer, and no other', async () => {
    const clock = new FakeClock(0);
    const pool = poolOf(server.origin, {}, clock);
    const held: RawRequest[] = [];
    server.onRequest = (request) => void held.push(request);
    const handlers = ['a', 'b', 'c', 'd'].map((body) => post(pool, body).handler);
    await until(() => held.length === 4, 'four connections are in use');
    const sockets = held.map(({ socket }) => socket);
    for (const body of ['a', 'b', 'c']) {
      const at = held.findIndex((request) => request.body === body);
      await clock.advance(1_000);
      held[at]?.socket.write(answer(body));
      await handlers['abc'.indexOf(body)]?.done;
    }
    assert.deepEqual(pool.stats, { connected: 4, running: 1, queued: 0 });
    server.onRequest = async ({ socket }) => {
      // While this request is under way another connection becomes idle: it is younger than the one that fails.
      await clock.advance(1_000);
      const last = held.find((request) => request.body === 'd');
      last?.socket.write(answer('d'), () => void handlers[3]?.done.then(() => socket.destroy()));
    };
    assert.equal((await post(pool, 'e').handler.done).error?.isStale, true);
    await until(() => sockets.filter((socket) => !socket.destroyed).length === 1, 'three are closed');
    assert.deepEqual(pool.stats, { connected: 1, running: 0, queued: 0 });
    server.onRequest = echo;
    assert.equal((await post(pool, 'f').handler.done).body, 'f');
  });

  it('in the middle of an answer, by a close or a reset, is never an end', async () => {
    const pool = poolOf(server.origin);
    const beginnings = [
      'HTTP/1.1 20',
      'HTTP/1.1 200 OK\r\nx: y\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
    ];
    for (const beginning of beginnings) {
      server.onRequest = echo;
      await post(pool).handler.done;
      server.onRequest = ({ socket }) => void socket.end(beginning);
      const closed = (await post(pool).handler.done).error;
      assert.deepEqual([closed?.code, closed?.wasSent, closed?.isStale], ['CONNECTION_CLOSED', true, false], beginning);
    }
    for (const beginning of [...beginnings, 'HTTP/1.1 200 OK\r\n\r\nhalf of it']) {
      server.onRequest = ({ socket }) => void socket.write(beginning, () => socket.resetAndDestroy());
      const reset = (await post(pool).handler.done).error;
      assert.deepEqual([reset?.code, reset?.wasSent], ['ECONNRESET', true], beginning);
    }
    assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
  });

  it('of the bytes tells what is wrong with them', async () => {
    const pool = poolOf(server.origin);
    server.onRequest = ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab');
    const { error, events } = await post(pool).handler.done;
    assert.equal(error?.code, 'MALFORMED_ANSWER');
    assert.match(error?.message ?? '', /more than one content-length/);
    assert.deepEqual(events, ['request', 'error']);
    server.onRequest = ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nx\r\n');
    const late = await post(pool).handler.done;
    assert.deepEqual([late.events, late.body, late.error?.code], [['request', 'head', 'data', 'error'], 'ab', 'MALFORMED_ANSWER']);
  });

  it('of the handler ends its exchange and nothing else', async () => {
    const pool = poolOf(server.origin);
    for (const when of ['head', 'data', 'end']) {
      const handler = new CollectingHandler();
      handler.onEvent = (event) => {
        if (event === when) throw new Error('a defect');
      };
      post(pool, 'a', handler);
      await handler.done;
      assert.equal(handler.error?.code, 'HANDLER_FAILED', when);
    }
    assert.equal((await post(pool, 'b').handler.done).body, 'b');
  });

  it('to connect concerns the request for which it was tried', async () => {
    const closed = createServer();
    const port = await listenPlain(closed);
    await closePlainServer(closed);
    for (const host of ['127.0.0.1', 'localhost']) {
      const pool = poolOf(`http://${host}:${port}`, { maxConnections: 2 });
      const handlers = ['a', 'b', 'c', 'd', 'e'].map((body) => post(pool, body).handler);
      for (const handler of handlers) {
        const { error, events } = await handler.done;
        assert.deepEqual([error?.code, error?.wasSent, error?.isStale, events], ['ECONNREFUSED', false, false, ['error']]);
      }
      assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
    }
  });

  it('to connect in time is told as such', async () => {
    // A listener that accepts nothing: once its backlog is full the system drops every further connection request.
    const frozen = `
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;
    const child = spawn(process.execPath, ['-e', frozen], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(line.toString());
    const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
    try {
      const pool = poolOf(`http://127.0.0.1:${port}`, { connectTimeoutMs: 60 });
      const startMs = performance.now();
      const { error } = await post(pool).handler.done;
      assert.deepEqual([error?.code, error?.wasSent, error?.isStale], ['CONNECT_TIMEOUT', false, false]);
      assert.ok(performance.now() - startMs >= 59);
      assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
    } finally {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
