/** The whole process tree with the shipped configuration: every format is served on the public port and shows up as a trace. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic, { NotFoundError } from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { TraceDetail } from '../../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../../harness/plimsoll.ts';

const QUESTION = 'Where is my order 1042?';

describe('clients of every format on one port', () => {
  let plimsoll: Plimsoll;
  before(async () => {
    plimsoll = await startPlimsoll();
  });
  after(() => plimsoll.stop());

  async function assertTraced(traceId: string | null, output: string): Promise<void> {
    const detail = await eventually(
      `trace ${traceId}`,
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      ({ spans }) => spans.length > 0,
    );
    assert.equal(detail.trace.status, 'ok');
    assert.match(detail.trace.inputPreview ?? '', /order 1042/);
    const entry = detail.spans.find((span) => span.isEntry);
    assert.ok((entry?.output ?? '').includes(JSON.stringify(output).slice(1, 30)));
  }

  it('Anthropic', async () => {
    const client = new Anthropic({ baseURL: plimsoll.url, apiKey: plimsoll.virtualKey, maxRetries: 0 });
    const { data, response } = await client.messages
      .create({ model: 'default', max_tokens: 300, messages: [{ role: 'user', content: QUESTION }] })
      .withResponse();
    const text = data.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    assert.ok(text.length > 20);
    await assertTraced(response.headers.get('x-plimsoll-trace-id'), text);
    const { input_tokens: tokens } = await client.messages.countTokens({
      model: 'default',
      messages: [{ role: 'user', content: QUESTION }],
    });
    assert.ok(tokens > 3);
    assert.ok((await client.models.list()).data.length > 0);
    await assert.rejects(
      client.messages.create({ model: 'nope', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] }),
      NotFoundError,
    );
  });

  it('OpenAI responses', async () => {
    const client = new OpenAI({ baseURL: `${plimsoll.url}/v1`, apiKey: plimsoll.virtualKey, maxRetries: 0 });
    const { data, response } = await client.responses.create({ model: 'default', input: QUESTION }).withResponse();
    assert.ok(data.output_text.length > 20);
    await assertTraced(response.headers.get('x-plimsoll-trace-id'), data.output_text);
  });

  it('Gemini', async () => {
    const client = new GoogleGenAI({ apiKey: plimsoll.virtualKey, httpOptions: { baseUrl: plimsoll.url, retryOptions: { attempts: 1 } } });
    const { text, sdkHttpResponse } = await client.models.generateContent({ model: 'default', contents: QUESTION });
    assert.ok((text ?? '').length > 20);
    await assertTraced(sdkHttpResponse?.headers?.['x-plimsoll-trace-id'] ?? null, text ?? '');
    await assert.rejects(
      client.models.generateContent({ model: 'nope', contents: 'x' }),
      (error: unknown) => error instanceof ApiError && error.status === 404,
    );
  });
});
