/** Answers that do not come to their end: no client takes one for a whole one, and every handler hears of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../testing.ts';
import { callAt, type Handle, holding, nextTurn, openClient, post, readAnswers, turns, withServer } from './testing.ts';

const MEGABYTE = 1_000_000;

describe('answers that are cut', () => {
  for (const framing of ['content-length', 'chunks'] as const) {
    it(`${framing}: the client never reads a whole one, after destroy before and in the body`, async () => {
      for (const bytes of [0, 1, 30_000]) {
        const handle: Handle = (_request, response) => {
          response.writeHead(200, framing === 'chunks' ? [] : ['content-length', '30001']);
          response.write(Buffer.alloc(bytes, 'x'), () => response.destroy());
        };
        await withServer(handle, async ({ port }) => {
          const client = await openClient(port);
          client.write(post('/'));
          await client.untilClosed();
          assert.deepEqual(readAnswers(client.text()).answers, []);
        });
      }
    });
  }

  it('an answer that the client has cut is not finished, and its handler hears of it once', async () => {
    for (const stage of ['receiving', 'waiting', 'streaming', 'flushing'] as const) {
      for (const how of ['half-close', 'reset'] as const) {
        const { calls, handle } = holding();
        await withServer(handle, async (server) => {
          const client = await openClient(server.port);
          if (stage === 'flushing') client.socket.pause();
          client.write(stage === 'receiving' ? post('/', 'body').slice(0, -2) : post('/', 'body'));
          await until(() => calls.length === 1, 'the request is there');
          const { response, events, request } = callAt(calls, 0);
          request.resume();
          if (stage === 'streaming' || stage === 'flushing') response.writeHead(200, []);
          if (stage === 'streaming') response.write('some');
          if (stage === 'flushing') response.write(Buffer.alloc(16 * MEGABYTE));
          await turns(3);
          if (how === 'reset') client.socket.resetAndDestroy();
          else client.socket.end();
          await until(() => events.includes('response close'), `the handler hears of it: ${stage}, ${how}`);
          assert.deepEqual(events, ['request close', 'response close']);
          assert.equal(response.destroyed, true);
          assert.equal(response.writableFinished, false);
          if (!response.headersSent) response.writeHead(200, []);
          assert.equal(response.write('more'), false);
          response.end();
          response.destroy();
          request.destroy();
          await nextTurn();
          assert.equal(response.writableFinished, false);
          client.socket.destroy();
          await server.untilUnused();
        });
      }
    }
  });

  it('an answer that has ended and is cut on its way out is not finished', async () => {
    const { calls, handle } = holding();
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.socket.pause();
      client.write(post('/'));
      await until(() => calls.length === 1, 'the request is there');
      const { response } = callAt(calls, 0);
      const body = Buffer.alloc(16 * MEGABYTE);
      response.writeHead(200, ['content-length', String(body.length)]);
      response.end(body);
      response.destroy();
      await turns(5);
      assert.equal(response.writableFinished, false);
      client.socket.resume();
      await client.untilClosed();
      assert.deepEqual(readAnswers(client.text()).answers, []);
    });
  });
});
