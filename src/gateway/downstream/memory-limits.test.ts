/** How much of a client waits here, and how many connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../testing.ts';
import type { ClientResponse } from './client-exchange.ts';
import { answerText, echo, type Handle, openClient, post, readAll, turns, withServer } from './testing.ts';

describe('memory that a client has', () => {
  it('pipelined requests wait in the client, not here', async () => {
    const held: ClientResponse[] = [];
    const handle: Handle = (request, response) => readAll(request, () => held.push(response));
    await withServer(handle, async ({ port, server }) => {
      let read = (): number => 0;
      server.on('connection', (socket) => {
        read = () => socket.bytesRead;
      });
      const client = await openClient(port);
      const request = post('/', 'x'.repeat(100));
      const many = Buffer.from(request.repeat(200_000), 'latin1');
      client.write(many);
      for (let call = 0; call < 300; call++) {
        await until(() => held.length === call + 1, 'the next request is there');
        const [response] = held.slice(-1);
        assert.ok(response !== undefined);
        answerText(response, 'ok');
        await turns(2);
        assert.ok(read() - call * request.length < 600_000, `after ${call} calls ${read()} bytes have been read`);
      }
      client.socket.destroy();
    });
  });

  it('nobody reads the answers: no further requests are served', async () => {
    let calls = 0;
    const handle: Handle = (_request, response) => {
      calls++;
      answerText(response, 'y'.repeat(10_000));
    };
    await withServer(handle, async ({ port, server }) => {
      let unsent = (): number => 0;
      server.on('connection', (socket) => {
        unsent = () => socket.writableLength;
      });
      const client = await openClient(port);
      client.socket.pause();
      client.write(post('/').repeat(8_000));
      let before = -1;
      while (calls !== before) {
        before = calls;
        await turns(200);
      }
      assert.ok(calls < 4000, `${calls} requests were served`);
      assert.ok(unsent() < 200_000, `${unsent()} bytes wait`);
      client.socket.resume();
      await until(() => calls === 8_000, 'all are served once it reads', 20_000);
      client.socket.destroy();
    });
  });

  it('nobody asks for the body: it is not read', async () => {
    const held: ClientResponse[] = [];
    const handle: Handle = (_request, response) => void held.push(response);
    await withServer(handle, async ({ port, server }) => {
      let read = (): number => 0;
      server.on('connection', (socket) => {
        read = () => socket.bytesRead;
      });
      const client = await openClient(port);
      client.write(post('/', 'x'.repeat(30_000_000)) + post('/'));
      await until(() => held.length === 1, 'the request is there');
      await turns(50);
      assert.ok(read() < 600_000, `${read()} bytes were read`);
      held.forEach((response) => void answerText(response, 'no'));
      await until(() => held.length === 2, 'the rest was thrown away');
      client.socket.destroy();
    });
  });

  it('maxConnections of the server holds', async () => {
    await withServer(echo, async ({ port, server }) => {
      server.maxConnections = 2;
      const clients = [await openClient(port), await openClient(port)];
      const third = await openClient(port);
      await third.untilClosed();
      for (const client of clients) {
        client.write(post('/', 'a'));
        await client.untilText('/ a');
      }
      clients[0]?.socket.destroy();
      await turns(20);
      const next = await openClient(port);
      next.write(post('/', 'b'));
      await next.untilText('/ b');
      for (const client of [...clients, next]) client.socket.destroy();
    });
  });
});
