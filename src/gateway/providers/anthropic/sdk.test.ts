import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import anthropic from '../anthropic.ts';
import { jsonFixture, MESSAGE_FIXTURES, sseFixture } from './fixtures.ts';
import { encodeRequest } from './request.ts';
import type { AnthropicRequest, Sampling } from './wire.ts';

/** The SDK's own type of a request; its newest version no longer lists the sampling parameters. */
type SdkRequest = Anthropic.MessageCreateParams & Sampling;

/** Compiles only while everything that we can send is something that the SDK can send. */
function asSdkRequest(body: AnthropicRequest): SdkRequest {
  return body;
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

const REQUEST = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Weather?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'get_weather', arguments: '{"location":"Paris"}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: '9 °C' },
  ],
  tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }],
  tool_choice: 'auto',
  temperature: 0.5,
  stop: ['END'],
};

describe('the official Anthropic SDK', () => {
  let fixture = 'text';
  const received: { url: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const body = JSON.parse(text) as { stream?: boolean };
      received.push({ url: request.url ?? '', body });
      response.setHeader('content-type', body.stream ? 'text/event-stream' : 'application/json');
      response.end(body.stream ? sseFixture(fixture) : JSON.stringify(jsonFixture(fixture)));
    });
  });
  let client: Anthropic;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = new Anthropic({ apiKey: 'test', baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, maxRetries: 0 });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('sends our request unchanged, to our path', async () => {
    const { body } = encodeRequest(REQUEST, 'claude-test');
    await client.messages.create({ ...asSdkRequest(body), stream: false });
    const last = received.at(-1);
    assert.equal(last?.url, `/v1${anthropic.chat[0]?.path('', false, {})}`);
    assert.deepEqual(last?.body, { ...body, stream: false });
  });

  for (const name of MESSAGE_FIXTURES)
    it(`reads the fixture ${name}, as JSON and as a stream, to the same answer`, async () => {
      fixture = name;
      const request = { model: 'claude-test', max_tokens: 100, messages: [{ role: 'user' as const, content: 'x' }] };
      const whole = await client.messages.create(request);
      const streamed = await client.messages.stream(request).finalMessage();
      assert.deepEqual(JSON.parse(JSON.stringify(whole.content)), jsonFixture(name).content);
      assert.equal(whole.stop_reason, jsonFixture(name).stop_reason);
      assert.deepEqual(JSON.parse(JSON.stringify(streamed.content)), JSON.parse(JSON.stringify(whole.content)));
      assert.equal(streamed.stop_reason, whole.stop_reason);
      assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
      assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
    });

  it('raises the error event of the broken fixture', async () => {
    fixture = 'error-overloaded';
    const request = { model: 'claude-test', max_tokens: 100, messages: [{ role: 'user' as const, content: 'x' }] };
    await assert.rejects(client.messages.stream(request).finalMessage(), /Overloaded|overloaded/);
  });
});
