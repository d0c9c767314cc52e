import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { jsonFixture, sseFixture } from '../providers/anthropic/fixtures.ts';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testKey,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from '../testing.ts';
import { parseEvents } from './testing.ts';

const RESPONSE = {
  id: 'resp_up1',
  object: 'response',
  created_at: 7,
  status: 'completed',
  model: 'gpt-2026-01-01',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 8 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 25,
  },
  x_unknown: [1, 2.5],
};

function event(type: string, members: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

const EVENTS = [
  event('response.created', { sequence_number: 0, response: { ...RESPONSE, status: 'in_progress', output: [], usage: null } }),
  event('response.output_item.added', { sequence_number: 1, output_index: 0, item: { id: 'msg_1', type: 'message' } }),
  event('response.output_text.delta', { sequence_number: 2, output_index: 0, item_id: 'msg_1', delta: 'Hel' }),
  event('response.output_text.delta', { sequence_number: 3, output_index: 0, item_id: 'msg_1', delta: 'lo' }),
  event('response.completed', { sequence_number: 4, response: RESPONSE }),
];

let upstream: ScriptedUpstream;
let running: TestGateway;

function snapshot() {
  return testSnapshot(upstream.baseUrl, {
    providers: [
      testProvider(upstream.baseUrl),
      testProvider(`${upstream.baseUrl}/second`, { name: 'second' }),
      testProvider(upstream.baseUrl, { name: 'local', kind: 'openai-compatible' }),
      testProvider(upstream.baseUrl, { name: 'claude-home', kind: 'anthropic' }),
    ],
    models: [
      testModel('gpt'),
      testModel('gpt-2', { provider: 'second' }),
      testModel('llama', { provider: 'local' }),
      testModel('claude', { provider: 'claude-home', upstreamModel: 'claude-sonnet-4-5' }),
    ],
    routes: [{ name: 'main', targets: ['gpt', 'claude'] }],
    keys: [testKey(TEST_KEY), testKey('plk_local', { models: ['llama'] })],
  });
}

before(async () => {
  upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
  running = await startGateway(snapshot());
});
after(async () => {
  await running.close();
  await upstream.close();
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
});

const HEADERS = { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' };

function post(body: unknown): Promise<Response> {
  return fetch(`${running.baseUrl}/responses`, {
    method: 'POST',
    headers: HEADERS,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string; param: string | null }> {
  const { error } = (await response.json()) as { error: { code: string; message: string; param: string | null } };
  return { status: response.status, ...error };
}

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

async function brokenText(response: Response): Promise<string> {
  let text = '';
  await assert.rejects(async () => {
    for await (const bytes of response.body ?? []) text += Buffer.from(bytes as Uint8Array).toString();
  }, 'never a clean end');
  return text;
}

describe('responses, forwarded to OpenAI', () => {
  it('sends the client’s bytes, state included, and gives the provider’s back', async () => {
    upstream.script = (_request, response) => sendJson(response, RESPONSE);
    const sent = '{"input":"Hi","previous_response_id":"resp_0","tools":[{"type":"web_search"}], "model":"gpt"}';
    assert.deepEqual(await (await post(sent)).json(), RESPONSE);
    assert.equal(upstream.requests.at(-1)?.body, sent.replace('"gpt"', '"gpt-2026-01-01"'));
    assert.equal(upstream.requests.at(-1)?.path, '/v1/responses');
    const [attempt] = lastSettled().attempts;
    assert.deepEqual(
      [attempt?.usage?.inputUncachedTokens, attempt?.usage?.cacheReadTokens, attempt?.usage?.reasoningTokens, attempt?.usageSource],
      [12, 8, 2, 'reported'],
    );
    assert.equal(JSON.parse(running.journal.payloads.at(-1)?.output ?? '')[0].content, 'Hello');
  });

  it('streams byte for byte and knows usage and end', async () => {
    upstream.script = (_request, response) => sendStream(response, EVENTS);
    const response = await post({ model: 'gpt', input: 'Hi', stream: true });
    assert.equal(await response.text(), EVENTS.join(''));
    assert.equal(lastSettled().attempts[0]?.usage?.outputTextTokens, 3);
    assert.equal(upstream.requests.at(-1)?.json.stream_options, undefined);
  });

  it('falls back while a failed response was only announced', async () => {
    upstream.script = (request, response) => {
      if (request.path === '/v1/messages') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(sseFixture('text'));
      } else
        sendStream(response, [
          EVENTS[0] ?? '',
          event('response.failed', { response: { ...RESPONSE, status: 'failed', error: { code: 'server_error', message: 'x' } } }),
        ]);
    };
    const text = await (await post({ model: 'main', input: 'Hi', stream: true })).text();
    assert.equal(parseEvents(text).at(-1)?.name, 'response.completed');
    assert.deepEqual(
      lastSettled().attempts.map((attempt) => attempt.status),
      ['error', 'ok'],
    );
  });

  it('breaks the connection when the stream ends too early or fails', async () => {
    for (const [events, code] of [
      [EVENTS.slice(0, 3), 'provider_stream_cut'],
      [[...EVENTS.slice(0, 3), event('error', { code: 'server_error', message: 'x' })], 'provider_unavailable'],
    ] as const) {
      upstream.script = (_request, response) => sendStream(response, events);
      const text = await brokenText(await post({ model: 'gpt', input: 'Hi', stream: true }));
      const last = parseEvents(text).at(-1);
      assert.deepEqual([last?.name, last?.data.code], ['error', code]);
      assert.equal(lastSettled().errorType, code);
    }
  });

  it('reads and deletes stored responses where they are', async () => {
    upstream.script = (request, response) =>
      request.path.startsWith('/v1/second/')
        ? sendJson(response, RESPONSE)
        : sendJson(response, { error: { message: 'no such response' } }, 404);
    const read = await fetch(`${running.baseUrl}/responses/resp_up1?include[]=x`, { headers: HEADERS });
    assert.deepEqual(await read.json(), RESPONSE);
    assert.deepEqual(
      upstream.requests.slice(-2).map(({ method, path }) => [method, path]),
      [
        ['GET', '/v1/responses/resp_up1?include[]=x'],
        ['GET', '/v1/second/responses/resp_up1?include[]=x'],
      ],
    );
    const asked = upstream.requests.length;
    const deleted = await fetch(`${running.baseUrl}/responses/resp_up1`, {
      method: 'DELETE',
      headers: { ...HEADERS, 'x-plimsoll-model': 'gpt-2' },
    });
    assert.equal(deleted.status, 200);
    assert.deepEqual(
      upstream.requests.slice(asked).map(({ method }) => method),
      ['DELETE'],
    );
    const narrowed = await errorOf(
      await fetch(`${running.baseUrl}/responses/resp_up1`, { headers: { ...HEADERS, 'x-plimsoll-model': 'gpt' } }),
    );
    assert.deepEqual([narrowed.status, narrowed.code], [404, 'not_found']);
    const local = await errorOf(await fetch(`${running.baseUrl}/responses/resp_up1`, { headers: { authorization: 'Bearer plk_local' } }));
    assert.match(local.message, /No provider of this key stores responses/);
    const odd = await errorOf(await fetch(`${running.baseUrl}/responses/..%2fmodels`, { headers: HEADERS }));
    assert.equal(odd.status, 404);
    const stranger = await errorOf(await fetch(`${running.baseUrl}/responses/resp_up1`));
    assert.equal(stranger.status, 401);
  });

  it('refuses what cannot be metered', async () => {
    const error = await errorOf(await post({ model: 'gpt', input: 'Hi', background: true }));
    assert.deepEqual([error.status, error.param], [400, 'background']);
  });
});

describe('responses, translated', () => {
  it('asks an Anthropic provider', async () => {
    upstream.script = (_request, response) => sendJson(response, jsonFixture('parallel-tools'));
    const response = (await (
      await post({
        model: 'claude',
        input: 'Weather?',
        max_output_tokens: 50,
        tools: [{ type: 'function', name: 'get_weather', parameters: { type: 'object' }, strict: true }],
      })
    ).json()) as { output: { type: string; call_id: string; arguments: string }[]; status: string };
    assert.equal(response.status, 'completed');
    assert.deepEqual(
      response.output.map((item) => [item.type, item.call_id, JSON.parse(item.arguments)]),
      [
        ['function_call', 'toolu_01First', { location: 'Paris' }],
        ['function_call', 'toolu_02Second', {}],
        ['function_call', 'toolu_03Third', { location: '東京' }],
      ],
    );
    assert.equal(upstream.requests.at(-1)?.json.max_tokens, 50);
    assert.deepEqual(lastSettled().requestParameters, { max_tokens: 50 });
  });

  it('streams from an Anthropic provider', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(sseFixture('parallel-tools'));
    };
    const events = parseEvents(await (await post({ model: 'claude', input: 'Hi', stream: true })).text());
    const last = events.at(-1)?.data.response as { output: unknown[]; usage: { output_tokens: number } };
    assert.equal(last.output.length, 3);
    assert.ok(last.usage.output_tokens > 0);
  });

  it('asks a server of OpenAI’s chat format in words that it knows', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hi'));
    const response = await post({
      model: 'llama',
      instructions: 'Be brief.',
      input: [{ role: 'developer', content: 'x' }],
      max_output_tokens: 9,
      metadata: { team: 'y' },
      prompt_cache_key: 'k',
      service_tier: 'flex',
      store: true,
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('x-plimsoll-warnings') ?? '', /not stored.*service_tier/);
    assert.deepEqual(upstream.requests.at(-1)?.json, {
      model: 'llama-2026-01-01',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'x' },
      ],
      max_tokens: 9,
    });
    assert.deepEqual(lastSettled().tags, { team: 'y' });
  });

  it('refuses a conversation that another provider keeps', async () => {
    const error = await errorOf(await post({ model: 'claude', input: 'Hi', previous_response_id: 'resp_0' }));
    assert.deepEqual([error.status, error.param, error.code], [400, 'previous_response_id', 'invalid_argument']);
    assert.match(error.message, /kept by the provider that answered before/);
  });

  it('breaks off with a failed response and an error', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(sseFixture('error-overloaded'));
    };
    const events = parseEvents(await brokenText(await post({ model: 'claude', input: 'Hi', stream: true })));
    assert.deepEqual(
      events.slice(-2).map(({ name }) => name),
      ['response.failed', 'error'],
    );
    assert.deepEqual(
      events.map(({ data }) => data.sequence_number),
      events.map((_, index) => index),
    );
  });
});

describe('responses, refused', () => {
  it('for hostile bodies', async () => {
    const refused = async (body: string, message: RegExp): Promise<void> => {
      const error = await errorOf(await post(body));
      assert.equal(error.status, 400, body.slice(0, 80));
      assert.match(error.message, message);
    };
    await refused('{"model":"gpt","input":"a","input":"b"}', /"input" appears twice/);
    await refused('{"model":"gpt"}', /no "input"/);
    await refused('{"input":"x"}', /no "model"/);
    await refused('{"model":"claude","input":{"__proto__":1}}', /input: a string or an array/);
    await refused('{"model":"claude","input":[{"type":"__proto__"}]}', /input\[0\]\.type/);
    await refused(`{"model":"gpt","input":${'['.repeat(70)}${']'.repeat(70)}}`, /deeper than 64/);
  });
});
