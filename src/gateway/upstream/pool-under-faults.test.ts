import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { until } from '../testing.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { answer, type CollectingHandler, post, type RawRequest, type RawServer, startRawServer, testPool } from './testing.ts';

/** What the server does with a request whose body names it. Every answer that is whole holds the body. */
const BEHAVIOURS: Record<string, (request: RawRequest) => void> = {
  whole: ({ socket, body }) => void socket.write(answer(body)),
  'in pieces': ({ socket, body }) => {
    const bytes = answer(body);
    socket.write(bytes.slice(0, 20));
    setImmediate(() => socket.write(bytes.slice(20)));
  },
  'in chunks': ({ socket, body }) =>
    void socket.write(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n${body[0]}\r\n${(body.length - 1).toString(16)}\r\n${body.slice(1)}\r\n0\r\n\r\n`,
    ),
  'until it closes': ({ socket, body }) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`),
  'and says that it closes': ({ socket, body }) => void socket.end(answer(body, 'connection: close\r\n')),
  'and closes without a word': ({ socket, body }) => void socket.end(answer(body)),
  'and says more': ({ socket, body }) => void socket.write(answer(body) + answer('poison')),
  never: () => {},
  'cut in its head': ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-'),
  'cut in its body': ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf'),
  'cut off': ({ socket }) => void socket.destroy(),
  reset: ({ socket }) => void socket.resetAndDestroy(),
  malformed: ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'),
};
const ANSWERED = /^(whole|in pieces|in chunks|until|and)/;

let server: RawServer;
let received: Map<string, number>;

before(async () => {
  server = await startRawServer((request) => {
    received.set(request.body, (received.get(request.body) ?? 0) + 1);
    BEHAVIOURS[request.body.split('/')[1] ?? '']?.(request);
  });
});
after(() => server.close());

const call = fc.record({
  behaviour: fc.constantFrom(...Object.keys(BEHAVIOURS), 'whole', 'whole', 'in chunks'),
  abort: fc.constantFrom('no', 'no', 'no', 'no', 'at once', 'in a turn', 'at request', 'at head', 'at data'),
  waitTurns: fc.constantFrom(0, 0, 0, 1, 5),
});

let pool: ConnectionPool;

describe('a pool whose server does what it likes', () => {
  it('gives each request its own answer or a failure, sends none twice, and keeps no connection too many', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(call, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 5 }), async (calls, maxConnections) => {
          received = new Map();
          pool = testPool(server.origin, { maxConnections });
          const waiting: Promise<unknown>[] = [];
          const handlers: CollectingHandler[] = [];
          const aborts: (() => void)[] = [];
          for (const [index, { behaviour, abort, waitTurns }] of calls.entries()) {
            for (let turn = 0; turn < waitTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
            const { exchange, handler } = post(pool, `${index}/${behaviour}`);
            handlers.push(handler);
            aborts.push(() => exchange.abort());
            handler.onEvent = (event) => {
              assert.ok(pool.stats.connected <= maxConnections);
              if (abort === `at ${event}`) exchange.abort();
            };
            if (abort === 'at once') exchange.abort();
            else if (abort === 'in a turn') setImmediate(() => exchange.abort());
            // One that is never answered would hold its connection for ever.
            else if (behaviour === 'never') setTimeout(() => exchange.abort(), 5);
            else if (abort === 'no') waiting.push(handler.done);
          }
          await Promise.all(waiting);
          await until(() => pool.stats.queued === 0, 'the queue is empty');
          for (const abort of aborts) abort();
          assert.equal(pool.stats.running, 0);
          assert.equal(pool.stats.queued, 0);
          for (const [index, { behaviour, abort }] of calls.entries()) {
            const handler = handlers[index] as CollectingHandler; // one each
            const { events, error, body } = handler;
            const endings = events.filter((event) => event === 'end' || event === 'error');
            assert.ok(endings.length <= 1 && (endings.length === 0 || endings[0] === events.at(-1)), String(events));
            if (events.includes('end')) assert.equal(body, `${index}/${behaviour}`);
            if (abort === 'no' && behaviour !== 'never') {
              assert.equal(endings.length, 1);
              if (!ANSWERED.test(behaviour)) assert.ok(error !== null);
              // A connection may be closed under a request that has nothing to do with it; what else is answered must arrive.
              else if (error !== null) assert.deepEqual([error.isStale, error.wasSent], [true, true], `${behaviour}: ${error.message}`);
            }
            if (error !== null && !error.wasSent) assert.equal(received.has(`${index}/${behaviour}`), false);
            assert.ok((received.get(`${index}/${behaviour}`) ?? 0) <= 1);
          }
        })
        .afterEach(async () => {
          pool.destroy();
          await until(() => server.sockets.size === 0, 'no connection is left');
        }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 200) },
    );
  });
});
