/** What a client gets for what a handler does, and what a handler hears of a client. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../testing.ts';
import { answerText, callAt, echo, type Handle, holding, openClient, post, readAll, readAnswers, turns, withServer } from './testing.ts';

const MEGABYTE = Buffer.alloc(1_000_000, 'abcdefghij');

describe('answers of the front door', () => {
  it('come in chunks without a content-length; empty writes leave nothing, one answer follows the other', async () => {
    const handle: Handle = (request, response) => {
      readAll(request, () => {
        response.writeHead(200, ['content-type', 'text/event-stream']);
        response.write('');
        response.write('data: ä\n\n');
        response.write(Buffer.alloc(0));
        response.write(MEGABYTE.subarray(0, 40_000));
        if (request.url === '/text') response.end('\xe9nd', 'latin1');
        else response.end(Buffer.from('end'));
      });
    };
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.write(post('/bytes') + post('/text'));
      await until(() => readAnswers(client.text()).answers.length === 2, 'both answers are there');
      const { answers, rest } = readAnswers(client.text());
      const body = `data: ${Buffer.from('ä').toString('latin1')}\n\n${MEGABYTE.toString('latin1', 0, 40_000)}`;
      assert.deepEqual(
        answers.map((answer) => answer.body === `${body}end` || answer.body === `${body}\xe9nd`),
        [true, true],
      );
      assert.equal(rest, '');
      assert.equal(answers[0]?.headers['keep-alive'], 'timeout=5');
      client.socket.destroy();
    });
  });

  it('large ones reach a slow reader whole; the handler is told when to go on', async () => {
    let sent = 0;
    const handle: Handle = (_request, response) => {
      const pump = (): void => {
        while (sent < 20) {
          sent++;
          if (response.write(MEGABYTE)) continue;
          response.once('drain', pump);
          return;
        }
        response.end();
      };
      response.writeHead(200, []);
      pump();
    };
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.socket.pause();
      client.write(post('/'));
      await until(() => sent > 0, 'the answer has begun');
      await turns(30);
      assert.ok(sent < 20, 'nobody reads, and all of it was taken');
      client.socket.resume();
      await until(() => sent === 20 && client.receivedBytes() > 20 * MEGABYTE.length, 'the answer is there');
      await client.untilText('\r\n0\r\n\r\n');
      const [answer] = readAnswers(client.text()).answers;
      assert.ok(answer?.body === MEGABYTE.toString('latin1').repeat(20));
      client.socket.destroy();
    });
  });

  it('an ended answer that waits for a slow reader is not finished before it is out, and holds back the next', async () => {
    const { calls, handle } = holding();
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.socket.pause();
      client.write(post('/1') + post('/2'));
      await until(() => calls.length === 1, 'the request is there');
      const first = callAt(calls, 0).response;
      const body = Buffer.alloc(16 * MEGABYTE.length, 'z');
      first.writeHead(200, ['content-length', String(body.length)]);
      first.end(body);
      await turns(30);
      assert.equal(first.writableFinished, false);
      assert.equal(calls.length, 1, 'the next request waits: its answer would only pile up');
      client.socket.resume();
      await until(() => calls.length === 2, 'the second request is there');
      await until(() => first.writableFinished, 'the first answer is out');
      answerText(callAt(calls, 1).response, 'second');
      await client.untilText('\r\n\r\nsecond');
      client.socket.destroy();
    });
  });

  it('refuses a header value that would be more than a value, a status without a body, a second head, bytes before the head', async () => {
    const handle: Handle = (_request, response) => {
      for (const value of ['a\r\nx: y', 'a\nb', 'a\rb', 'a\0', '\x7f', '\u0100']) {
        assert.throws(() => response.writeHead(200, ['x-a', value]), TypeError);
      }
      for (const status of [0, 100, 101, 199, 204, 304, 1000, Number.NaN]) assert.throws(() => response.writeHead(status, []), RangeError);
      assert.throws(() => response.write('body'), /head/);
      assert.throws(() => response.end(), /head/);
      response.writeHead(200, ['content-length', '2']);
      assert.throws(() => response.writeHead(200, []), /before/);
      response.end(Buffer.from('ok'));
      assert.equal(response.write('late'), false);
      response.end();
    };
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.write(post('/') + post('/'));
      await until(() => readAnswers(client.text()).answers.length === 2, 'both answers are there');
      assert.deepEqual(
        readAnswers(client.text()).answers.map(({ body }) => body),
        ['ok', 'ok'],
      );
      client.socket.destroy();
    });
  });

  it('early ones with keep-alive: the rest of the body is thrown away, the next request is read from where it begins', async () => {
    const handle: Handle = (request, response) => {
      if (request.url === '/early') answerText(response, 'early');
      else echo(request, response);
    };
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      const whole = Buffer.from(post('/early', `${'x'.repeat(200_000)}${post('/smuggled')}`) + post('/next', 'body'), 'latin1');
      await client.play([whole.subarray(0, 100), whole.subarray(100, 150_000), whole.subarray(150_000, -50), whole.subarray(-50)]);
      await client.untilText('/next body');
      assert.deepEqual(
        readAnswers(client.text()).answers.map(({ body }) => body),
        ['early', '/next body'],
      );
      client.socket.destroy();
    });
  });

  it('given from within the listeners of the body: the requests behind it are answered once and in order', async () => {
    const handle: Handle = (request, response) => {
      if (request.url === '/data') request.on('data', () => answerText(response, 'at data'));
      else readAll(request, () => answerText(response, `${request.url}`));
    };
    await withServer(handle, async ({ port }) => {
      for (const url of ['/data', '/end']) {
        const client = await openClient(port);
        const first = post(url, 'in two parts');
        const rest = Array.from({ length: 20 }, (_, index) => post(`/${index}`, 'x')).join('');
        client.write(first.slice(0, -5));
        await turns(3);
        client.write(`${first.slice(-5)}${rest}`);
        await until(() => readAnswers(client.text()).answers.length === 21, 'all are answered');
        assert.deepEqual(
          readAnswers(client.text()).answers.map(({ body }) => body),
          [url === '/data' ? 'at data' : url, ...Array.from({ length: 20 }, (_, index) => `/${index}`)],
        );
        assert.equal(client.isClosed, false);
        client.socket.destroy();
      }
    });
  });

  it('a paused body comes no further, neither its end; resumed it comes whole', async () => {
    const { calls, handle } = holding();
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      const body = MEGABYTE.toString('latin1');
      client.write(post('/', body));
      await until(() => calls.length === 1, 'the request is there');
      const { request, response } = callAt(calls, 0);
      let text = '';
      let isPaused = false;
      request.on('data', (chunk) => {
        assert.equal(isPaused, false, 'no data while it is paused');
        text += chunk.toString('latin1');
        isPaused = true;
        request.pause();
        setImmediate(() => {
          isPaused = false;
          request.resume();
        });
      });
      let ends = 0;
      request.on('end', () => {
        assert.equal(isPaused, false, 'no end while it is paused');
        ends++;
      });
      await until(() => ends === 1, 'the body is there');
      assert.equal(text, body);
      answerText(response, 'ok');
      await client.untilText('ok');
      assert.equal(ends, 1);
      client.socket.destroy();
    });
  });

  it('what a handler still does to a request and an answer that are over touches nobody else', async () => {
    const { calls, handle } = holding();
    await withServer(handle, async ({ port }) => {
      const client = await openClient(port);
      client.write(post('/1', 'a'));
      await until(() => calls.length === 1, 'the first is there');
      const first = callAt(calls, 0);
      answerText(first.response, 'one');
      client.write(post('/2', 'b'));
      await until(() => calls.length === 2, 'the second is there');
      first.request.resume();
      first.request.pause();
      first.request.destroy();
      first.response.destroy();
      first.response.end();
      await turns(5);
      readAll(callAt(calls, 1).request, (body) => answerText(callAt(calls, 1).response, `two ${body.toString()}`));
      await client.untilText('two b');
      assert.deepEqual(first.events, []);
      client.socket.destroy();
    });
  });
});
