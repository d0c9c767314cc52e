import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { cachingSnapshot } from '../cache/testing.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testProvider,
} from '../testing.ts';
import { parseEvents } from './testing.ts';

let upstream: ScriptedUpstream;
let running: TestGateway;
before(async () => {
  upstream = await startUpstream((request, response) =>
    request.json.stream === true ? sendStream(response, streamEvents(['Hel', 'lo'])) : sendJson(response, completion('Hello')),
  );
  running = await startGateway(
    cachingSnapshot(upstream.baseUrl, {}, {}, { providers: [testProvider(upstream.baseUrl, { kind: 'openai-compatible' })] }),
  );
});
after(async () => {
  await running.close();
  await upstream.close();
});

async function ask(path: string, body: unknown): Promise<{ hit: string | null; text: string; type: string }> {
  const response = await fetch(`${running.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return {
    hit: response.headers.get('x-plimsoll-cache'),
    text: await response.text(),
    type: response.headers.get('content-type') ?? '',
  };
}

const CONTENTS = (text: string) => ({ contents: [{ parts: [{ text }] }], generationConfig: { temperature: 0, maxOutputTokens: 64 } });

describe('kept answers', () => {
  it('keeps streams of events and arrays apart', async () => {
    const stream = '/v1beta/models/small:streamGenerateContent';
    const array = await ask(stream, CONTENTS('q2'));
    const events = await ask(`${stream}?alt=sse`, CONTENTS('q2'));
    const again = await ask(stream, CONTENTS('q2'));
    assert.deepEqual([array.hit, events.hit, again.hit], ['miss', 'hit', 'hit']);
    assert.deepEqual(
      [array.type, again.type].map((type) => type.split(';')[0]),
      ['application/json', 'application/json'],
    );
    assert.match(events.type, /^text\/event-stream/);
    assert.equal(again.text, array.text);
    const text = (elements: { candidates: { content: { parts: { text: string }[] } }[] }[]) =>
      elements.map((element) => element.candidates[0]?.content.parts[0]?.text).join('');
    assert.equal(text(JSON.parse(array.text)), 'Hello');
    assert.equal(text(parseEvents(events.text.replaceAll('\r\n', '\n')).map(({ data }) => data as never)), 'Hello');
  });

  it('never gives a response that repeats another request', async () => {
    const of = (metadata: object) => ask('/v1/responses', { model: 'small', input: 'q3', temperature: 0, metadata });
    const first = await of({ team: 'a' });
    const second = await of({ team: 'b' });
    const third = await of({ team: 'a' });
    assert.deepEqual([first.hit, second.hit, third.hit], ['miss', 'miss', 'hit']);
    assert.deepEqual(JSON.parse(third.text).metadata, { team: 'a' });
  });
});
