/** How long a client may keep a connection, by the fake clock. */
import assert from 'node:assert/strict';
import { createServer, type ServerOptions } from 'node:http';
import { describe, it } from 'node:test';
import { FakeClock } from '../../kernel/clock.ts';
import { closeServer, listen, until } from '../testing.ts';
import type { ClientResponse } from './client-exchange.ts';
import { FrontDoor } from './front-door.ts';
import {
  answerText,
  echo,
  type Handle,
  openClient,
  post,
  readAll,
  readAnswers,
  type TestServer,
  turns,
  withServer as withAnyServer,
} from './testing.ts';

const TIMEOUTS = { keepAliveTimeout: 10_000, requestTimeout: 30_000 };

function withServer(handle: Handle, http: ServerOptions, run: (server: TestServer, clock: FakeClock) => Promise<void>): Promise<void> {
  const clock = new FakeClock(1_760_000_000_000);
  return withAnyServer(handle, (server) => run(server, clock), { clock, http });
}

/** Lets what the clock set off reach the other side. */
async function advance(clock: FakeClock, deltaMs: number): Promise<void> {
  await clock.advance(deltaMs);
  await turns(5);
}

describe('time that a client has', () => {
  it('between calls: keepAliveTimeout, never less, at most two seconds more', async () => {
    for (const hasCalled of [true, false]) {
      for (const offsetMs of [0, 1, 500, 999]) {
        await withServer(echo, TIMEOUTS, async ({ port }, clock) => {
          await clock.advance(5000 + offsetMs);
          const client = await openClient(port);
          if (hasCalled) {
            client.write(post('/'));
            await client.untilText('keep-alive: timeout=10\r\n');
          }
          await turns(3);
          await advance(clock, 10_000);
          assert.equal(client.isClosed, false, 'it has the time that it was promised');
          await advance(clock, 2000);
          await client.untilClosed();
          assert.equal(client.error, null);
        });
      }
    }
  });

  it('with a keepAliveTimeout and requestTimeout of 0: for ever', async () => {
    await withServer(echo, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, async ({ port }, clock) => {
      const idle = await openClient(port);
      idle.write(post('/'));
      await idle.untilText('connection: keep-alive\r\n');
      assert.ok(!idle.text().includes('timeout='));
      const slow = await openClient(port);
      slow.write(post('/slow', 'ab').slice(0, -1));
      await turns(5);
      await advance(clock, 1_000_000);
      assert.equal(idle.isClosed || slow.isClosed, false);
      slow.write('b');
      await slow.untilText('/slow ab');
      idle.socket.destroy();
      slow.socket.destroy();
    });
  });

  for (const hasListener of [true, false]) {
    it(`for a body: requestTimeout, also when it drips; then 408 and the end, ${hasListener ? 'by' : 'without'} a clientError listener`, async () => {
      let calls = 0;
      let closed = 0;
      let bodies = 0;
      const handle: Handle = (request, response) => {
        calls++;
        response.on('close', () => closed++);
        readAll(request, () => bodies++);
      };
      await withServer(handle, TIMEOUTS, async ({ port, server }, clock) => {
        if (hasListener)
          server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
            assert.equal(error.code, 'ERR_HTTP_REQUEST_TIMEOUT');
            socket.end('HTTP/1.1 408 Ours\r\nconnection: close\r\n\r\n');
          });
        const client = await openClient(port);
        client.socket.on('error', () => {});
        client.write(post('/', 'x'.repeat(100)).slice(0, -100));
        await until(() => calls === 1, 'the request is there');
        for (let second = 0; second < 30; second++) {
          client.write('x');
          await advance(clock, 1000);
          assert.equal(client.isClosed, false);
        }
        await advance(clock, 2000);
        await client.untilText(hasListener ? 'HTTP/1.1 408 Ours' : 'HTTP/1.1 408 Request Timeout');
        // Too late: who was told 408 must not be served as well.
        client.write('x'.repeat(70));
        await turns(10);
        assert.equal(bodies, 0);
        await advance(clock, 1000);
        await until(() => closed === 1, 'the handler hears of it');
        assert.equal(readAnswers(client.text()).answers.length, 1);
      });
    });
  }

  it('for the rest of a body whose answer is out: a cut, and nothing that could be taken for another answer', async () => {
    const handle: Handle = (_request, response) => answerText(response, 'early');
    await withServer(handle, TIMEOUTS, async ({ port }, clock) => {
      const client = await openClient(port);
      client.write(post('/', 'abc').slice(0, -1));
      await client.untilText('early');
      await advance(clock, 32_000);
      await client.untilClosed();
      assert.deepEqual(
        readAnswers(client.text()).answers.map(({ body }) => body),
        ['early'],
      );
      assert.equal(readAnswers(client.text()).rest, '');
    });
  });

  it('holds before a server that listened first, too', async () => {
    const clock = new FakeClock(1_760_000_000_000);
    const server = createServer({ keepAliveTimeout: 10_000 });
    const port = await listen(server);
    const door = new FrontDoor(server, { clock, takes: () => true, handle: echo });
    const client = await openClient(port);
    client.write(post('/', 'a'));
    await client.untilText('/ a');
    await advance(clock, 12_000);
    await client.untilClosed();
    door.destroy();
    await closeServer(server);
  });

  it('a call takes as long as it takes', async () => {
    const held: ClientResponse[] = [];
    const handle: Handle = (request, response) => readAll(request, () => held.push(response));
    await withServer(handle, TIMEOUTS, async ({ port }, clock) => {
      const client = await openClient(port);
      client.write(post('/', 'abc'));
      await until(() => held.length === 1, 'the request is there');
      await advance(clock, 600_000);
      const [response] = held;
      assert.ok(response !== undefined);
      answerText(response, 'late');
      await client.untilText('late');
      await advance(clock, 9_000);
      assert.equal(client.isClosed, false);
      client.socket.destroy();
    });
  });

  it('to take an answer: longer than between calls, and not for ever', async () => {
    const body = Buffer.alloc(16_000_000, 'z');
    let closed = 0;
    const handle: Handle = (_request, response) => {
      response.writeHead(200, ['content-length', String(body.length)]);
      response.end(body);
    };
    await withServer(handle, TIMEOUTS, async ({ port, server }, clock) => {
      server.on('connection', (socket) => socket.on('close', () => closed++));
      const slow = await openClient(port);
      slow.socket.pause();
      slow.write(post('/'));
      await turns(20);
      await advance(clock, 25_000);
      assert.equal(closed, 0, 'a slow reader was cut');
      slow.socket.resume();
      await until(() => slow.receivedBytes() > body.length, 'the answer is there');
      await turns(5);
      await advance(clock, 10_000);
      assert.equal(closed, 0, 'the time between calls counts from where it has its answer');
      await advance(clock, 2000);
      await until(() => closed === 1, 'it is closed');
      const never = await openClient(port);
      never.socket.pause();
      never.write(post('/'));
      await turns(20);
      await advance(clock, 32_000);
      await until(() => closed === 2, 'a client that never reads is cut');
      never.socket.destroy();
    });
  });
});
