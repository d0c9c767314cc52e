import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
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
  testSnapshot,
} from './testing.ts';

describe('gateway with the OpenAI SDK', () => {
  let upstream: ScriptedUpstream;
  let running: TestGateway;
  let client: OpenAI;

  before(async () => {
    upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
    running = await startGateway(testSnapshot(upstream.baseUrl));
    client = new OpenAI({ baseURL: running.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
  });
  after(async () => {
    await running.close();
    await upstream.close();
  });

  it('answers a chat call and settles it once', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello, Ada'));
    const answer = await client.chat.completions.create({ model: 'small', messages: [{ role: 'user', content: 'Hi' }] });
    assert.equal(answer.choices[0]?.message.content, 'Hello, Ada');
  });
  it('streams', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['Hel', 'lo "x"', ' end\u00e9']));
    const stream = await client.chat.completions.create({ model: 'small', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    assert.equal(text, 'Hello "x" end\u00e9');
  });
});
