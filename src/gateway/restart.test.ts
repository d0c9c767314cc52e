import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import {
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testRoute,
  testSnapshot,
} from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;

before(async () => {
  upstream = await startUpstream(() => {});
  running = await startGateway(testSnapshot(upstream.baseUrl, { routes: [testRoute({ small: {}, large: {} })] }));
});
after(async () => {
  await running.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.script = (request, response) => {
    if (request.json.model !== 'small-2026-01-01') return sendStream(response, streamEvents(['a whole ', 'answer']));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(streamEvents(['half an ', 'ans']).slice(0, 3).join(''), () => response.socket?.destroy());
  };
});

async function stream(headers: Record<string, string> = {}, rest: Record<string, unknown> = {}) {
  const response = await fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'main', messages: [], stream: true, ...rest }),
  });
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true });
    return { text, isClean: true };
  } catch {
    return { text, isClean: false };
  }
}

describe('a stream that breaks in the middle', () => {
  it('is broken for the client too, unless the client allowed a new beginning', async () => {
    const { text, isClean } = await stream();
    assert.equal(isClean, false);
    assert.match(text, /half an .*provider_stream_cut/s);
    assert.ok(!text.includes('a whole'));
  });

  for (const [how, headers, rest] of [
    ['header', { 'x-plimsoll-restart': 'allow' }, {}],
    ['body', {}, { plimsoll: { restart: true } }],
  ] as const) {
    it(`begins anew at the next target behind a marker, where the client allowed it (${how})`, async () => {
      const { text, isClean } = await stream(headers, rest);
      assert.equal(isClean, true);
      const events = text
        .split('\n\n')
        .filter((event) => event.startsWith('data: {'))
        .map(
          (event) =>
            JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[]; plimsoll?: { restart: Record<string, unknown> } },
        );
      const marker = events.findIndex((event) => event.plimsoll !== undefined);
      const said = (from: number, to: number): string =>
        events
          .slice(from, to)
          .map((event) => event.choices[0]?.delta.content ?? '')
          .join('');
      assert.equal(said(0, marker), 'half an ans');
      assert.equal(said(marker, events.length), 'a whole answer');
      assert.deepEqual(events[marker]?.choices, []);
      assert.deepEqual(events[marker]?.plimsoll?.restart, {
        model: 'large',
        reason: 'provider_stream_cut',
        previousModel: 'small',
        attempt: 2,
      });
      assert.match(text, /\[DONE\]\n\n$/);
      const row = running.journal.settled.at(-1);
      assert.equal(row?.status, 'ok');
      assert.deepEqual(
        row?.attempts.map(({ model, status, errorType, usageSource, role }) => [model, status, errorType, usageSource, role]),
        [
          ['small', 'error', 'provider_stream_cut', 'estimated', undefined],
          ['large', 'ok', null, 'reported', 'restart'],
        ],
      );
    });
  }

  it('comes to the SDK as a chunk without choices', async () => {
    const client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
    const chunks = await client.chat.completions.create(
      { model: 'main', messages: [], stream: true },
      { headers: { 'x-plimsoll-restart': 'allow' } },
    );
    let text = '';
    for await (const chunk of chunks) {
      if ('plimsoll' in chunk) text = '';
      text += chunk.choices[0]?.delta.content ?? '';
    }
    assert.equal(text, 'a whole answer');
  });

  it('ends in an error when the next target fails too', async () => {
    const before = upstream.script;
    upstream.script = (request, response, raw) =>
      request.json.model === 'small-2026-01-01' ? before(request, response, raw) : sendJson(response, { error: { message: 'x' } }, 500);
    const { text, isClean } = await stream({ 'x-plimsoll-restart': 'allow' });
    assert.equal(isClean, false);
    assert.match(text, /"error":\{/);
    assert.ok(!text.includes('[DONE]'));
  });
});
