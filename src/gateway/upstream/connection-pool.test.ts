import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { manyTurns, until } from '../testing.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { answer, CollectingHandler, post, type RawRequest, type RawServer, startRawServer, TEST_HEADERS, testPool } from './testing.ts';

const pools: ConnectionPool[] = [];
let server: RawServer;
/** Requests that the server has and has not answered. */
let held: RawRequest[];

const echo = ({ socket, body }: RawRequest): void => void socket.write(answer(body), 'latin1');
const hold = (request: RawRequest): void => void held.push(request);

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
  server.accepted = 0;
  server.onRequest = echo;
  held = [];
});

/** What arrives in `act` is read by the client in the phase of the event loop that comes next, before what waits for the end of the turn. */
function inTimersPhase<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(act()), 1));
}

async function heldRequests(count: number): Promise<void> {
  await until(() => held.length === count, `the server has ${count} requests`);
}

describe('a request that wants a new connection', () => {
  const again = (pool: ConnectionPool, body: string) => {
    const handler = new CollectingHandler();
    pool.dispatch({ path: '/', headers: TEST_HEADERS, extraHeaders: [], body: Buffer.from(body) }, handler, true);
    return handler;
  };

  it('gets one, beside those that are idle', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    const other = again(pool, 'new');
    const { handler } = post(pool, 'any');
    assert.deepEqual([(await other.done).body, (await handler.done).body], ['new', 'any']);
    assert.equal(server.accepted, 2);
  });

  it('gets the place of an idle one at the bound, in its turn', async () => {
    const pool = poolOf(server.origin, { maxConnections: 1 });
    const order: string[] = [];
    server.onRequest = (request) => {
      order.push(request.body);
      echo(request);
    };
    await post(pool, 'first').handler.done;
    const answers = [post(pool, 'a').handler, again(pool, 'b'), post(pool, 'c').handler, again(pool, 'd')];
    for (const handler of answers) assert.equal((await handler.done).error, null);
    assert.deepEqual(order, ['first', 'a', 'b', 'c', 'd']);
    assert.equal(server.accepted, 3);
    assert.deepEqual(pool.stats, { connected: 1, running: 0, queued: 0 });
  });

  it('waits while all are in use, and leaves the queue when it is aborted', async () => {
    const pool = poolOf(server.origin, { maxConnections: 1 });
    server.onRequest = hold;
    const first = post(pool, 'a').handler;
    await heldRequests(1);
    const waiting = again(pool, 'b');
    const handler = new CollectingHandler();
    const aborted = pool.dispatch({ path: '/', headers: TEST_HEADERS, extraHeaders: [], body: Buffer.from('c') }, handler, true);
    await manyTurns();
    assert.deepEqual(pool.stats, { connected: 1, running: 1, queued: 2 });
    aborted.abort();
    server.onRequest = echo;
    held[0]?.socket.write(answer('a'));
    assert.equal((await first.done).body, 'a');
    assert.equal((await waiting.done).body, 'b');
    await manyTurns();
    assert.deepEqual([handler.events, pool.stats], [[], { connected: 1, running: 0, queued: 0 }]);
  });
});

describe('a request', () => {
  it('goes over the wire as it should, small or large, in one piece or in several', async () => {
    server.onRequest = (request) => {
      held.push(request);
      echo(request);
    };
    const pool = poolOf(server.origin);
    const large = Buffer.alloc(300_000, 'abc');
    for (const body of [
      [Buffer.from('{"a":1}')],
      [],
      [Buffer.from('{"a'), Buffer.from('":'), Buffer.from('1}')],
      [large],
      [large, Buffer.from('é')],
    ]) {
      const { exchange, handler } = post(pool, body);
      await handler.done;
      assert.equal(handler.error, null);
      assert.deepEqual(exchange.takeBody(), []);
      assert.equal(handler.body, Buffer.concat(body).toString('latin1'));
    }
    assert.equal(
      held[0]?.head,
      `POST /v1/x HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\ncontent-type: application/json\r\nauthorization: Bearer secret\r\ncontent-length: 7\r\n`,
    );
    assert.deepEqual(
      held.map(({ index }) => index),
      [0, 1, 2, 3, 4],
    );
  });

  it('carries the headers that are its own, and a host that was configured', async () => {
    server.onRequest = (request) => {
      held.push(request);
      echo(request);
    };
    const pool = poolOf(server.origin);
    const handler = new CollectingHandler();
    pool.dispatch(
      { path: '/', headers: ['Host', 'other.example'], extraHeaders: ['x-sim-fault', 'cut'], body: Buffer.from('{}') },
      handler,
    );
    await handler.done;
    assert.equal(
      held[0]?.head,
      'POST / HTTP/1.1\r\nconnection: keep-alive\r\nHost: other.example\r\nx-sim-fault: cut\r\ncontent-length: 2\r\n',
    );
  });

  it('is refused when its head could say something else than it should', async () => {
    const pool = poolOf(server.origin);
    const bad: [path: string, headers: string[]][] = [
      ['/', ['x', 'a\r\nx-injected: 1']],
      ['/', ['x', 'a\n']],
      ['/', ['x', 'a\0']],
      ['/', ['x', 'Grüße 😀']],
      ['/', ['x y', 'a']],
      ['/', ['', 'a']],
      ['/', ['x:', 'a']],
      ['/', ['x\r\ny', 'a']],
      ['/', ['Content-Length', '5']],
      ['/', ['transfer-encoding', 'chunked']],
      ['/', ['connection', 'close']],
      ['/a b', []],
      ['/a\r\nx: y', []],
      ['/a\u0100', []],
      ['a', []],
    ];
    for (const [path, list] of bad) {
      for (const [headers, extraHeaders] of [
        [list, []],
        [[], list],
      ] as const) {
        if (list.length === 0 && headers !== list) continue;
        assert.throws(
          () => pool.dispatch({ path, headers, extraHeaders, body: Buffer.from('{}') }, new CollectingHandler()),
          (error) => error instanceof PlimsollError && error.code === 'config_invalid' && !error.message.includes('injected'),
        );
      }
    }
    assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
  });
});

describe('connections', () => {
  it('are used again, the last one first', async () => {
    server.onRequest = hold;
    const pool = poolOf(server.origin);
    const first = post(pool, 'a').handler;
    const second = post(pool, 'b').handler;
    await heldRequests(2);
    assert.deepEqual(pool.stats, { connected: 2, running: 2, queued: 0 });
    for (const body of ['a', 'b']) {
      const request = held.find((entry) => entry.body === body);
      request?.socket.write(answer(body));
      await (body === 'a' ? first : second).done;
    }
    const [last] = held.filter((entry) => entry.body === 'b');
    for (const body of ['c', 'd', 'e']) {
      const { handler } = post(pool, body);
      await until(() => held.at(-1)?.body === body, 'the next request is there');
      assert.equal(held.at(-1)?.socket, last?.socket);
      held.at(-1)?.socket.write(answer(body));
      assert.equal((await handler.done).body, body);
    }
    assert.deepEqual(pool.stats, { connected: 2, running: 0, queued: 0 });
  });

  it('are bounded; what finds none waits its turn', async () => {
    server.onRequest = hold;
    const pool = poolOf(server.origin, { maxConnections: 2 });
    const bodies = ['a', 'b', 'c', 'd', 'e', 'f'];
    const handlers = bodies.map((body) => post(pool, body).handler);
    await heldRequests(2);
    assert.deepEqual(pool.stats, { connected: 2, running: 2, queued: 4 });
    for (let index = 0; index < bodies.length; index++) {
      await until(() => held.length > index, 'the next request is there');
      const { socket, body } = held[index] as RawRequest; // waited for above
      socket.write(answer(body));
      await handlers[bodies.indexOf(body)]?.done;
    }
    assert.deepEqual(
      held.slice(2).map(({ body }) => body),
      ['c', 'd', 'e', 'f'],
    );
    assert.ok(handlers.every((handler, index) => handler.body === bodies[index]));
    assert.equal(server.accepted, 2);
  });

  it('that the server closes while they are idle are not used', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    for (const socket of server.sockets) socket.end();
    await until(() => pool.stats.connected === 0, 'the connection is gone');
    assert.equal((await post(pool, 'b').handler.done).body, 'b');
    assert.equal(server.accepted, 2);
  });

  it('that the server closes in the turn in which they would be used are not used', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    const [socket] = server.sockets;
    const handler = await inTimersPhase(() => {
      socket?.end();
      return post(pool, 'b').handler;
    });
    await handler.done;
    assert.equal(handler.error, null);
    assert.equal(handler.body, 'b');
  });

  it('on which the server said something unasked are not used: it is no answer to the next request', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    const [socket] = server.sockets;
    const handler = await inTimersPhase(() => {
      socket?.write(answer('poison'));
      return post(pool, 'b').handler;
    });
    await handler.done;
    assert.equal(handler.body, 'b');
    assert.equal(server.accepted, 2);
  });

  it('end after an answer that something follows, and after one that says so', async () => {
    const pool = poolOf(server.origin);
    const answers = [
      `${answer('a')}HTTP/1.1 200 OK\r\n`,
      `${answer('a')}\r\n`,
      answer('a', 'connection: close\r\n'),
      answer('a', 'keep-alive: timeout=2\r\n'),
      'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na',
    ];
    for (const [index, bytes] of answers.entries()) {
      server.onRequest = ({ socket }) => void socket.write(bytes);
      const { handler } = post(pool);
      await handler.done;
      assert.deepEqual([handler.error, handler.body, pool.stats.connected, server.accepted], [null, 'a', 0, index + 1]);
    }
  });

  it('end when the answer is complete before the request is', async () => {
    server.onRequest = () => {};
    const pool = poolOf(server.origin);
    let deaf: Socket | null = null;
    server.server.once('connection', (socket) => {
      deaf = socket;
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
    });
    const { handler } = post(pool, [Buffer.alloc(50_000_000)]);
    await handler.done;
    assert.deepEqual([handler.error, handler.status, handler.body], [null, 413, 'no']);
    assert.equal(pool.stats.connected, 0);
    (deaf as Socket | null)?.destroy(); // TypeScript does not see the callback
  });

  it('are given up after their time', async () => {
    const clock = new FakeClock(0);
    const pool = poolOf(server.origin, {}, clock);
    await post(pool).handler.done;
    await clock.advance(29_000);
    assert.equal(pool.stats.connected, 1);
    await clock.advance(2_000);
    assert.equal(pool.stats.connected, 0);
    // The server's own time counts, less what a request may need to get there.
    server.onRequest = ({ socket }) => void socket.write(answer('a', 'keep-alive: timeout=5\r\n'));
    await post(pool).handler.done;
    await clock.advance(2_900);
    assert.equal(pool.stats.connected, 1);
    await post(pool).handler.done;
    assert.equal(server.accepted, 2);
    await clock.advance(4_000);
    assert.equal(pool.stats.connected, 0);
    // Never used past its time, also before the sweep, which comes once a second, finds it.
    server.onRequest = echo;
    await post(pool).handler.done;
    await clock.advance(500);
    server.onRequest = ({ socket }) => void socket.write(answer('a', 'keep-alive: timeout=5\r\n'));
    await post(pool).handler.done;
    assert.equal(server.accepted, 3);
    await clock.advance(3_100);
    assert.equal(pool.stats.connected, 1);
    await post(pool).handler.done;
    assert.equal(server.accepted, 4);
  });

  it('are held back while paused', async () => {
    const total = 60_000_000;
    server.onRequest = ({ socket }) =>
      void socket.write(Buffer.concat([Buffer.from(answer('', `x: y\r\n`).replace('length: 0', `length: ${total}`)), Buffer.alloc(total)]));
    const pool = poolOf(server.origin);
    const { exchange, handler } = post(pool);
    let bytes = 0;
    handler.onEvent = (event) => {
      if (event === 'head') exchange.pause();
      bytes = handler.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    };
    await until(() => bytes > 0, 'the first bytes are there');
    const [socket] = server.sockets;
    await until(() => (socket?.writableLength ?? 0) > 0, 'the server has to wait');
    const seen = bytes;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(bytes, seen);
    assert.ok(seen <= 64 * 1024);
    exchange.resume();
    await handler.done;
    assert.equal(bytes, total);
    // A pause that outlives its answer holds nothing back.
    handler.chunks.length = 0;
    server.onRequest = echo;
    const next = post(pool, 'b');
    next.handler.onEvent = (event) => event === 'data' && next.exchange.pause();
    await next.handler.done;
    assert.equal((await post(pool, 'c').handler.done).body, 'c');
    assert.equal(server.accepted, 1);
  });
});

describe('an abort', () => {
  it('while it waits for a connection lets the others go on', async () => {
    server.onRequest = hold;
    const pool = poolOf(server.origin, { maxConnections: 1 });
    const [first, second, third] = ['a', 'b', 'c'].map((body) => post(pool, body));
    await heldRequests(1);
    second?.exchange.abort();
    assert.equal(pool.stats.queued, 1);
    held[0]?.socket.write(answer('a'));
    await first?.handler.done;
    await heldRequests(2);
    assert.equal(held[1]?.body, 'c');
    held[1]?.socket.write(answer('c'));
    assert.equal((await third?.handler.done)?.body, 'c');
    assert.deepEqual(second?.handler.events, []);
  });

  it('before it is sent sends nothing', async () => {
    const pool = poolOf(server.origin);
    const { exchange, handler } = post(pool);
    exchange.abort();
    exchange.abort();
    const other = post(pool, 'b');
    assert.equal((await other.handler.done).body, 'b');
    const connecting = post(pool, 'c');
    await new Promise((resolve) => setImmediate(resolve));
    connecting.exchange.abort();
    await until(() => pool.stats.running === 0, 'nothing runs');
    assert.deepEqual(handler.events, []);
  });

  for (const [when, events] of [
    ['request', ['request']],
    ['head', ['request', 'head']],
    ['data', ['request', 'head', 'data']],
  ] as const) {
    it(`at "${when}" cuts the connection, and the next request gets the place`, async () => {
      const bodies: string[] = [];
      server.onRequest = (request) => {
        bodies.push(request.body);
        if (request.body === 'a') request.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
        else echo(request);
      };
      const pool = poolOf(server.origin, { maxConnections: 1 });
      const { exchange, handler } = post(pool, 'a');
      handler.onEvent = (event) => event === when && exchange.abort();
      const next = post(pool, 'b');
      assert.equal((await next.handler.done).body, 'b');
      assert.deepEqual(handler.events, events);
      assert.deepEqual(bodies, when === 'request' ? ['b'] : ['a', 'b']);
      await until(() => server.sockets.size === 1, 'the server has seen the cut');
      exchange.abort();
      assert.equal((await post(pool, 'c').handler.done).body, 'c');
    });
  }
});

describe('a pool', () => {
  it('finds IPv4 when a name also stands for IPv6 and nothing listens there', async () => {
    const pool = poolOf(`http://localhost:${server.port}`);
    assert.equal((await post(pool, 'a').handler.done).body, 'a');
  });

  it('connects to an IPv6 address', async (context) => {
    const six = createServer((socket) => void socket.once('data', () => socket.end(answer('six'))));
    const isThere = await new Promise<boolean>((resolve) => {
      six.on('error', () => resolve(false));
      six.listen(0, '::1', () => resolve(true));
    });
    if (!isThere) return context.skip('no IPv6 here');
    const pool = poolOf(`http://[::1]:${(six.address() as { port: number }).port}`);
    assert.equal((await post(pool, 'a').handler.done).body, 'six');
    await new Promise((resolve) => six.close(resolve));
  });

  it('that is closed finishes what it has and takes nothing more', async () => {
    server.onRequest = hold;
    const pool = poolOf(server.origin, { maxConnections: 1 });
    const first = post(pool, 'a').handler;
    const second = post(pool, 'b').handler;
    await heldRequests(1);
    pool.close();
    assert.throws(() => post(pool), { code: 'POOL_CLOSED' });
    held[0]?.socket.write(answer('a'));
    assert.equal((await first.done).body, 'a');
    await heldRequests(2);
    held[1]?.socket.write(answer('b'));
    assert.equal((await second.done).body, 'b');
    await until(() => server.sockets.size === 0, 'the connection is closed');
    assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
  });

  it('that is closed gives idle connections up at once, and those that are only being opened', async () => {
    const pool = poolOf(server.origin);
    await post(pool).handler.done;
    pool.close();
    await until(() => server.sockets.size === 0, 'the connection is closed');
    const other = poolOf(server.origin);
    const { exchange } = post(other);
    await new Promise((resolve) => setImmediate(resolve));
    exchange.abort();
    other.close();
    await until(() => server.accepted === 2 && server.sockets.size === 0, 'the other one is closed');
  });

  it('that is destroyed cuts everything, and everyone hears of it', async () => {
    server.onRequest = hold;
    const pool = poolOf(server.origin, { maxConnections: 2 });
    const handlers = ['a', 'b', 'c'].map((body) => post(pool, body).handler);
    await heldRequests(2);
    pool.destroy();
    for (const handler of handlers) await handler.done;
    assert.deepEqual(
      handlers.map(({ error }) => [error?.code, error?.wasSent]),
      [
        ['POOL_CLOSED', true],
        ['POOL_CLOSED', true],
        ['POOL_CLOSED', false],
      ],
    );
    await until(() => server.sockets.size === 0, 'no connection is left');
    assert.deepEqual(pool.stats, { connected: 0, running: 0, queued: 0 });
    // Also while it connects.
    const other = poolOf(server.origin);
    const { handler } = post(other);
    await new Promise((resolve) => setImmediate(resolve));
    other.destroy();
    assert.equal((await handler.done).error?.code, 'POOL_CLOSED');
    assert.deepEqual(handler.events, ['error']);
  });
});
