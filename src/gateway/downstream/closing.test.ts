/** The end of a front door: orderly, and at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../testing.ts';
import { answerText, callAt, holding, openClient, post, readAll, readAnswers, startServer, turns } from './testing.ts';

function closed(server: { close(done: () => void): unknown }): () => boolean {
  let isClosed = false;
  server.close(() => {
    isClosed = true;
  });
  return () => isClosed;
}

describe('the end of the front door', () => {
  it('close: idle connections at once, the others with their answer, which says so; then the server is closed', async () => {
    const { calls, handle } = holding();
    const { port, server, door } = await startServer(handle);
    const fresh = await openClient(port);
    const idle = await openClient(port);
    idle.write(post('/'));
    await until(() => calls.length === 1, 'the call of the idle one is there');
    answerText(callAt(calls, 0).response, 'idle');
    await idle.untilText('idle');
    const waiting = await openClient(port);
    waiting.write(post('/waiting') + post('/behind'));
    await until(() => calls.length === 2, 'the waiting one is there');
    const streaming = await openClient(port);
    streaming.write(post('/streaming'));
    await until(() => calls.length === 3, 'the streaming one is there');
    callAt(calls, 2).response.writeHead(200, []);
    callAt(calls, 2).response.write('begun ');
    const receiving = await openClient(port);
    receiving.write(post('/receiving', 'body').slice(0, -2));
    await until(() => calls.length === 4, 'the receiving one is there');
    const isClosed = closed(server);
    door?.close();
    await idle.untilClosed();
    await fresh.untilClosed();
    assert.equal(idle.error, null);
    await turns(5);
    assert.ok(!waiting.isClosed && !streaming.isClosed && !receiving.isClosed && !isClosed());
    answerText(callAt(calls, 1).response, 'waited');
    await waiting.untilClosed();
    const [answer] = readAnswers(waiting.text()).answers;
    assert.deepEqual([answer?.body, answer?.headers.connection], ['waited', 'close']);
    callAt(calls, 2).response.end(Buffer.from('and ended'));
    await streaming.untilClosed();
    assert.equal(readAnswers(streaming.text()).answers[0]?.body, 'begun and ended');
    readAll(callAt(calls, 3).request, (body) => answerText(callAt(calls, 3).response, body.toString()));
    receiving.write('dy');
    await receiving.untilClosed();
    assert.equal(readAnswers(receiving.text()).answers[0]?.body, 'body');
    await until(isClosed, 'the server is closed');
    assert.equal(calls.length, 4, 'a request behind the last answer is not served');
  });

  it('close while an answer is still on its way to a slow reader: it gets all of it', async () => {
    const body = Buffer.alloc(16_000_000, 'z');
    const { port, server, door } = await startServer((_request, response) => {
      response.writeHead(200, ['content-length', String(body.length)]);
      response.end(body);
    });
    const client = await openClient(port);
    client.socket.pause();
    client.write(post('/'));
    await turns(20);
    const isClosed = closed(server);
    door?.close();
    await turns(20);
    client.socket.resume();
    await client.untilClosed();
    assert.equal(readAnswers(client.text()).answers[0]?.body.length, body.length);
    await until(isClosed, 'the server is closed');
  });

  it('close while a body comes whose answer is out: the connection ends with the body', async () => {
    const { port, server, door } = await startServer((_request, response) => answerText(response, 'early'));
    const client = await openClient(port);
    client.write(post('/', 'body').slice(0, -2));
    await client.untilText('early');
    const isClosed = closed(server);
    door?.close();
    await turns(5);
    assert.equal(client.isClosed, false);
    client.write('dy');
    await client.untilClosed();
    await until(isClosed, 'the server is closed');
  });

  it('destroy: every connection at once; each handler hears of it', async () => {
    const { calls, handle } = holding();
    const { port, server, door } = await startServer(handle);
    const clients = await Promise.all([openClient(port), openClient(port), openClient(port)]);
    clients[1]?.write(post('/'));
    clients[2]?.write(post('/', 'body').slice(0, -1));
    await until(() => calls.length === 2, 'both calls are there');
    let heard = 0;
    for (const { response } of calls) response.on('close', () => heard++);
    const isClosed = closed(server);
    door?.destroy();
    for (const client of clients) await client.untilClosed();
    await until(isClosed, 'the server is closed');
    assert.equal(heard, 2);
  });
});
