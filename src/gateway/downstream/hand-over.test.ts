/** Connections that go to node:http, with what had come by then. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { until } from '../testing.ts';
import {
  answerText,
  echo,
  type Handle,
  openClient,
  post,
  readAnswers,
  startServer,
  type TestServer,
  turns,
  withServer as withAnyServer,
} from './testing.ts';

const GET = 'GET /get HTTP/1.1\r\nhost: test\r\n\r\n';
const CHUNKED = 'POST /chunked HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';

async function bodiesOf(port: number, parts: readonly string[], count: number): Promise<string[]> {
  const client = await openClient(port);
  for (const part of parts) {
    // So that each is read by itself.
    await turns(3);
    client.write(part);
  }
  await until(() => readAnswers(client.text()).answers.length >= count || client.isClosed, `${count} answers are there`);
  client.socket.destroy();
  return readAnswers(client.text()).answers.map(({ body, status }) => (body === '' ? String(status) : body.trim()));
}

function withServer(handle: Handle, run: (server: TestServer) => Promise<void>): Promise<void> {
  return withAnyServer(handle, run, { takes: (url) => url.startsWith('/ours') });
}

describe('hand-over to node:http', () => {
  it('is for good, from the first request that is not plain, and loses nothing', async () => {
    const cases: [parts: string[], bodies: string[], byDoor: number][] = [
      [[GET, post('/ours', 'a')], ['/get', '/ours a'], 0],
      [[post('/ours', 'a'), GET, post('/ours', 'b')], ['/ours a', '/get', '/ours b'], 1],
      [[post('/ours', 'a') + GET + post('/ours', 'b')], ['/ours a', '/get', '/ours b'], 1],
      [
        [post('/ours/1', 'a') + post('/ours/2', 'b') + CHUNKED + post('/ours/3')],
        ['/ours/1 a', '/ours/2 b', '/chunked abcde', '/ours/3'],
        2,
      ],
      [[post('/theirs', 'a'), post('/ours', 'b')], ['/theirs a', '/ours b'], 0],
      // Before the head is whole nobody knows what it is.
      [[post('/ours', 'abc').slice(0, 30), post('/ours', 'abc').slice(30)], ['/ours abc'], 0],
      [[`${post('/ours/1', 'a')}POST /ou`, post('/ours/2', 'b').slice(8)], ['/ours/1 a', '/ours/2 b'], 1],
      // The head is: a body may take its time.
      [[post('/ours', 'abc').slice(0, -3), 'a', 'b', 'c', post('/ours', 'd')], ['/ours abc', '/ours d'], 2],
      [[`\r\n${post('/ours', 'a')}`], ['/ours a'], 0],
      [['POST /ours HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n', 'hi'], ['/ours hi'], 0],
      [['POST /ours HTTP/1.1\r\nhost: test\r\nexpect: tea\r\ncontent-length: 0\r\n\r\n'], ['417'], 0],
      [[post('/ours', 'a', 'connection: upgrade\r\nupgrade: websocket\r\n')], ['/ours a'], 0],
      [[post('/ours', 'a', 'host: two\r\n')], ['/ours a'], 0],
      [[post('/ours', 'a', 'transfer-encoding: chunked\r\n')], ['400'], 0],
      [[post('/ours', 'a'), 'no http at all\r\n\r\n'], ['/ours a', '400'], 1],
      [[post('/ours', 'a', `x-long: ${'y'.repeat(17_000)}\r\n`)], ['431'], 0],
      [[post('/ours', 'a', `x-long: ${'y'.repeat(16_000)}\r\n`)], ['/ours a'], 1],
    ];
    for (const [parts, bodies, byDoor] of cases) {
      await withServer(echo, async ({ port, readBy }) => {
        assert.deepEqual(await bodiesOf(port, parts, bodies.length), bodies, JSON.stringify(parts).slice(0, 300));
        assert.equal(readBy.door, byDoor, JSON.stringify(parts).slice(0, 300));
      });
    }
  });

  it('keeps the order when far more waits than is read at once', async () => {
    const held: (() => void)[] = [];
    const handle: Handle = (request, response) => {
      if (request.url === '/ours/first') held.push(() => answerText(response, 'first'));
      else echo(request, response);
    };
    await withServer(handle, async ({ port, readBy }) => {
      const client = await openClient(port);
      const count = 3000;
      const rest = Array.from({ length: count }, (_, index) => `${post('/theirs', `${index} ${'x'.repeat(200)}`)}`).join('');
      client.write(post('/ours/first') + rest);
      await until(() => held.length === 1, 'the first request is there');
      await turns(20);
      held[0]?.();
      await client.untilText(`/theirs ${count - 1} `);
      await until(() => readAnswers(client.text()).answers.length === count + 1, 'all are answered');
      const bodies = readAnswers(client.text()).answers.map(({ body }) => body.slice(0, 12));
      assert.deepEqual(
        bodies.map((body) => Number(/^\/theirs (\d+)/.exec(body)?.[1] ?? -1)),
        [-1, ...Array.from({ length: count }, (_, index) => index)],
      );
      assert.deepEqual(readBy, { door: 1, node: count });
      client.socket.destroy();
    });
  });

  it('keeps the order of a body of which parts wait here, parts in the stream, and parts are yet to come', async () => {
    const held: (() => void)[] = [];
    const handle: Handle = (request, response) => {
      held.push(() => (request.url === '/ours/first' ? answerText(response, 'first') : echo(request, response)));
    };
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      const body = Array.from({ length: 20_000 }, (_, index) => `${index},`).join('');
      const whole = post('/theirs', body);
      client.write(post('/ours/first') + whole.slice(0, -10_000));
      await until(() => held.length === 1, 'the first request is there');
      await turns(10);
      client.write(whole.slice(-10_000, -5_000));
      await turns(10);
      held[0]?.();
      await until(() => held.length === 2, 'the second request is there');
      client.write(whole.slice(-5_000));
      await turns(10);
      held[1]?.();
      await until(() => readAnswers(client.text()).answers.length === 2, 'both are answered');
      assert.ok(readAnswers(client.text()).answers[1]?.body === `/theirs ${body}`);
      client.socket.destroy();
    });
  });

  it('an upgrade finds its socket with nothing of ours on it', async () => {
    const server = await startServer(echo);
    const listeners: number[] = [];
    server.server.on('upgrade', (_request, socket, head) => {
      listeners.push(...['data', 'drain', 'error'].map((event) => socket.listenerCount(event)));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n${head.toString()}`);
      socket.on('data', (bytes) => void socket.write(bytes));
      socket.on('end', () => socket.end());
    });
    const client = await openClient(server.port);
    client.write(post('/first', 'a'));
    await client.untilText('/first a');
    client.write('GET / HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nbehind');
    await client.untilText('\r\n\r\nbehind');
    client.write('more');
    await client.untilText('behindmore');
    assert.deepEqual(listeners, [0, 0, 0]);
    client.socket.destroy();
    await server.close();
  });

  it('node:http’s own timeouts hold for what it was given', async () => {
    const server = await startServer(echo, { http: { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20 } });
    const client = await openClient(server.port);
    client.write('POST /slow HTTP/1.1\r\nhost: ');
    await client.untilText('HTTP/1.1 408 ');
    await client.untilClosed();
    await server.close();
  });

  it('node’s own client gets on with it, whatever it sends', async () => {
    await withServer(echo, async ({ port, readBy }) => {
      const send = (path: string, method: string, body: string, headers: Record<string, string | number> = {}): Promise<string> =>
        new Promise((resolve, reject) => {
          const outgoing = httpRequest({ port, host: '127.0.0.1', path, method, headers }, (response) => {
            let text = '';
            response.on('data', (chunk: Buffer) => {
              text += chunk.toString();
            });
            response.on('end', () => resolve(text.trim()));
          });
          outgoing.on('error', reject);
          outgoing.end(body);
        });
      assert.equal(await send('/ours', 'POST', 'a', { 'content-length': 1 }), '/ours a');
      assert.equal(await send('/ours', 'POST', 'b', { 'transfer-encoding': 'chunked' }), '/ours b');
      assert.equal(await send('/ours', 'PUT', 'c'), '/ours c');
      assert.ok(readBy.door > 0 && readBy.node > 0);
    });
  });
});
