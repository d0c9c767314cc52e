import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ScriptedUpstream,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testSnapshot,
  until,
} from './testing.ts';

const CHAT = { messages: [{ role: 'user' as const, content: 'Hi' }] };

let upstream: ScriptedUpstream;
let running: TestGateway;

before(async () => {
  upstream = await startUpstream((_request, response) => sendStream(response, streamEvents(['Hello'])));
  running = await startGateway(testSnapshot(upstream.baseUrl));
});
after(async () => {
  await running.close();
  await upstream.close();
});

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

/** The stream as a plain socket client sees it: the body's bytes, and whether HTTP ended it properly. */
async function rawStream(): Promise<{ text: string; isClean: boolean; status: number }> {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...CHAT, model: 'small', stream: true }),
  });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return { text, isClean: true, status: response.status };
      text += decoder.decode(part.value, { stream: true });
    }
  } catch {
    return { text, isClean: false, status: response.status };
  }
}

describe('a recorded stream', () => {
  const events = streamEvents(['Hel', 'lo é😀', ' "x"\n'], { usage: true });
  const bytes = Buffer.from(events.join(''));
  const usageEvent = events.at(-2) ?? '';
  const expected = events.join('').replace(usageEvent, '');

  it('reaches the client the same, cut at every byte', async () => {
    for (let place = 1; place < bytes.length; place++) {
      upstream.script = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(bytes.subarray(0, place));
        setImmediate(() => response.end(bytes.subarray(place)));
      };
      const { text, isClean } = await rawStream();
      assert.ok(isClean, `cut at ${place}`);
      assert.equal(text, expected, `cut at ${place}`);
    }
    assert.equal(lastSettled().attempts[0]?.usage?.outputTextTokens, 3);
  });

  it('never ends cleanly when the provider dies at any byte before its end', async () => {
    const doneStart = bytes.indexOf('data: [DONE]');
    const finishEnd = bytes.indexOf(usageEvent);
    for (let place = 0; place < doneStart + 12; place += place < 40 || place > finishEnd - 20 ? 1 : 3) {
      upstream.script = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.flushHeaders();
        const end = (): void => void response.socket?.destroy();
        if (place === 0) end();
        else response.write(bytes.subarray(0, place), end);
      };
      const before = running.journal.settled.length;
      const { text, isClean, status } = await rawStream();
      await until(() => running.journal.settled.length > before, 'the call is settled');
      const settled = lastSettled();
      assert.equal(settled.status, 'error', `cut at ${place}`);
      assert.ok(!text.includes('[DONE]'));
      if (status === 200) {
        assert.ok(!isClean, `cut at ${place}`);
        assert.match(text, /\n\ndata: \{"error":\{[^\n]*"code":"provider_stream_cut"[^\n]*\}\}\n\n$/, `cut at ${place}`);
        const received = text.slice(0, text.lastIndexOf('data: {"error"'));
        assert.ok(expected.startsWith(received), `cut at ${place}: whole events only`);
      } else assert.equal(status, 502);
    }
  });

  it('counts as complete without [DONE] only when every choice is finished', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a'], { done: false }));
    assert.equal((await rawStream()).isClean, true);
    assert.equal(lastSettled().status, 'ok');
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a'], { done: false, usage: false }).slice(0, -1));
    const cut = await rawStream();
    assert.equal(cut.isClean, false);
    assert.match(cut.text, /provider_stream_cut/);
    const two = (index: number, finish: string | null): string =>
      `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index, delta: { content: 'x' }, finish_reason: finish }] })}\n\n`;
    upstream.script = (_request, response) => sendStream(response, [two(0, null), two(1, null), two(0, 'stop')]);
    assert.equal((await rawStream()).isClean, false);
    upstream.script = (_request, response) => sendStream(response, [two(0, null), two(1, null), two(0, 'stop'), two(1, 'stop')]);
    assert.equal((await rawStream()).isClean, true);
  });

  it('that turns into an error, or into something else, in the middle is broken off', async () => {
    for (const bad of [
      `data: ${JSON.stringify({ error: { message: 'gpu on fire', type: 'server_error' } })}\n\n`,
      'data: {"id":\n\n',
      'data: hello\n\n',
    ]) {
      upstream.script = (_request, response) => sendStream(response, [...streamEvents(['a']).slice(0, 2), bad]);
      const { text, isClean } = await rawStream();
      assert.equal(isClean, false, bad);
      assert.match(text, /"error":\{/);
      assert.equal(lastSettled().status, 'error');
    }
  });
});
