/** Official clients before the gateway: their requests are the front door's own, and their streams come whole. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { Agent } from 'undici';
import { HeaderNames } from '../http1/header-names.ts';
import { startGateway, startUpstream, streamEvents, TEST_KEY, testSnapshot, until } from '../testing.ts';
import { listenPlain } from '../upstream/testing.ts';
import { readPlainHead } from './request-head.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];

/** The first bytes that a client sends; it is left without an answer. */
async function firstBytesOf(call: (origin: string) => Promise<unknown>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => {
      bytes = chunk;
      socket.destroy();
    });
  });
  const port = await listenPlain(server);
  await assert.rejects(call(`http://127.0.0.1:${port}`));
  await new Promise((resolve) => server.close(resolve));
  return bytes;
}

describe('official clients', () => {
  it('send heads that the front door takes', async () => {
    const body = { model: 'm', messages: MESSAGES };
    const calls: Record<string, (origin: string) => Promise<unknown>> = {
      openai: (origin) => new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'a', maxRetries: 0 }).chat.completions.create(body),
      anthropic: (origin) => new Anthropic({ baseURL: origin, apiKey: 'a', maxRetries: 0 }).messages.create({ ...body, max_tokens: 5 }),
      google: (origin) =>
        new GoogleGenAI({ apiKey: 'a', httpOptions: { baseUrl: origin, retryOptions: { attempts: 1 } } }).models.generateContent({
          model: 'm',
          contents: 'Hi',
        }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const bytes = await firstBytesOf(call);
      assert.ok(readPlainHead(bytes, new HeaderNames()) !== null, `${name}: ${JSON.stringify(bytes.toString('latin1'))}`);
    }
  });

  it('256 paced streams at once, twice over the same connections: every event, in order', async () => {
    const upstream = await startUpstream(async (request, response) => {
      const [{ content }] = request.json.messages as [{ content: string }];
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of streamEvents(Array.from({ length: 20 }, (_, index) => `${content}.${index} `))) {
        response.write(event);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      response.end();
    });
    const snapshot = testSnapshot(upstream.baseUrl);
    const [provider] = snapshot.providers;
    assert.ok(provider !== undefined);
    const timeouts = { connectMs: 20_000, firstByteMs: 20_000, idleMs: 20_000, totalMs: 60_000 };
    const gateway = await startGateway({
      ...snapshot,
      limits: { ...snapshot.limits, maxConcurrentRequests: 1000 },
      providers: [{ ...provider, maxConnections: 256, timeouts }],
    });
    const agent = new Agent({ connections: 256, keepAliveTimeout: 60_000 });
    const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: TEST_KEY, maxRetries: 0, fetchOptions: { dispatcher: agent } });
    const read = async (name: string): Promise<void> => {
      let text = '';
      const stream = await client.chat.completions.create({ model: 'small', messages: [{ role: 'user', content: name }], stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      assert.equal(text, Array.from({ length: 20 }, (_, index) => `${name}.${index} `).join(''));
    };
    for (const round of ['a', 'b']) await Promise.all(Array.from({ length: 256 }, (_, index) => read(`${round}${index}`)));
    await until(() => gateway.journal.settled.length === 512, 'all calls are settled');
    assert.ok(gateway.journal.settled.every(({ status }) => status === 'ok'));
    await agent.destroy();
    await gateway.close();
    await upstream.close();
  });
});
