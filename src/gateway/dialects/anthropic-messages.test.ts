import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { jsonFixture, MESSAGE_FIXTURES, sseFixture } from '../providers/anthropic/fixtures.ts';
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
  testModel,
  testProvider,
  testSnapshot,
  until,
} from '../testing.ts';
import { parseEvents } from './testing.ts';

const BODY = { model: 'gpt', max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] };

let upstream: ScriptedUpstream;
let running: TestGateway;

function snapshot() {
  return testSnapshot(upstream.baseUrl, {
    providers: [testProvider(upstream.baseUrl), testProvider(upstream.baseUrl, { name: 'claude-home', kind: 'anthropic' })],
    models: [testModel('gpt'), testModel('claude', { provider: 'claude-home', upstreamModel: 'claude-sonnet-4-5' })],
    routes: [{ name: 'main', targets: ['gpt', 'claude'] }],
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

function post(body: unknown, path = '/v1/messages', headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.origin}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

async function errorOf(response: Response) {
  const body = (await response.json()) as {
    type: string;
    error: { type: string; message: string; code: string };
    request_id: string | null;
  };
  assert.equal(body.type, 'error');
  return { status: response.status, ...body.error, requestId: body.request_id };
}

describe('messages, forwarded to an Anthropic provider', () => {
  it('sends the client’s bytes with another model, and its beta header', async () => {
    upstream.script = (_request, response) => sendJson(response, jsonFixture('cache'), 200, { 'request-id': 'req_1' });
    const sent = `{ "max_tokens": 9,"plimsoll":{}, "model" : "claude", "unknown": [1, 2.0], "messages":[{"role":"user","content":"Hi"}] }`;
    const response = await post(sent, '/v1/messages?beta=true', { 'anthropic-beta': 'context-1m' });
    assert.deepEqual(await response.json(), jsonFixture('cache'));
    const request = upstream.requests.at(-1);
    assert.equal(request?.body, sent.replace('"claude"', '"claude-sonnet-4-5"').replace(',"plimsoll":{}', ''));
    assert.equal(request?.path, '/v1/messages');
    assert.equal(request?.headers['anthropic-beta'], 'context-1m');
    assert.equal(request?.headers['x-api-key'], 'sk-upstream');
    assert.equal(response.headers.get('request-id'), 'req_1');
    const [attempt] = lastSettled().attempts;
    assert.deepEqual(
      [attempt?.usage?.cacheReadTokens, attempt?.usage?.cacheWrite5mTokens, attempt?.usageSource],
      [18_500, 1_000, 'reported'],
    );
    assert.deepEqual(attempt?.finishReasons, ['stop']);
  });

  it('passes every recorded stream on byte for byte and knows usage and end', async () => {
    for (const name of MESSAGE_FIXTURES) {
      const bytes = sseFixture(name);
      upstream.script = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
        response.end();
      };
      const response = await post({ ...BODY, model: 'claude', stream: true });
      assert.equal(await response.text(), bytes.toString(), name);
      assert.equal(lastSettled().status, 'ok', name);
      assert.equal(lastSettled().attempts[0]?.usageSource, 'reported', name);
      assert.equal(lastSettled().attempts[0]?.finishReasons.length, 1, name);
    }
  });

  it('breaks the connection after an error event, and when the stream ends too early', async () => {
    const events = sseFixture('text').toString().split('\n\n').slice(0, 4).join('\n\n');
    for (const [script, code] of [
      [sseFixture('error-overloaded').toString(), 'provider_unavailable'],
      [`${events}\n\n`, 'provider_stream_cut'],
    ] as const) {
      upstream.script = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(script);
      };
      const response = await post({ ...BODY, model: 'claude', stream: true });
      let text = '';
      await assert.rejects(async () => {
        for await (const bytes of response.body ?? []) text += Buffer.from(bytes as Uint8Array).toString();
      }, 'never a clean end');
      const last = parseEvents(text).at(-1);
      assert.equal(last?.name, 'error');
      assert.equal((last?.data.error as { code: string } | undefined)?.code, code);
      assert.ok(!text.includes('event: message_stop'));
      assert.equal(lastSettled().errorType, code);
    }
  });

  it('counts tokens where the provider can', async () => {
    upstream.script = (_request, response) => sendJson(response, { input_tokens: 14 });
    const response = await post({ model: 'claude', messages: BODY.messages }, '/v1/messages/count_tokens');
    assert.deepEqual(await response.json(), { input_tokens: 14 });
    assert.equal(response.headers.get('x-plimsoll-token-count'), null);
    assert.equal(upstream.requests.at(-1)?.path, '/v1/messages/count_tokens');
    assert.equal(upstream.requests.at(-1)?.json.model, 'claude-sonnet-4-5');
  });
});

describe('messages, translated', () => {
  it('asks an OpenAI provider and answers as Anthropic would', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello, Ada'));
    const response = await post({ ...BODY, system: 'Be brief.', top_k: 3, metadata: { user_id: 'u'.repeat(70) } });
    const message = (await response.json()) as { type: string; content: unknown; usage: unknown };
    assert.equal(message.type, 'message');
    assert.deepEqual(message.content, [{ type: 'text', text: 'Hello, Ada', citations: null }]);
    assert.deepEqual(message.usage, { input_tokens: 12, cache_creation_input_tokens: 0, cache_read_input_tokens: 8, output_tokens: 5 });
    assert.match(response.headers.get('x-plimsoll-warnings') ?? '', /top_k is not sent/);
    const { user, ...sent } = upstream.requests.at(-1)?.json ?? {};
    assert.match(String(user), /^[0-9a-f]{64}$/);
    assert.deepEqual(sent, {
      model: 'gpt-2026-01-01',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      max_completion_tokens: 64,
    });
    const settled = lastSettled();
    assert.equal(settled.user, 'u'.repeat(70));
    assert.deepEqual(settled.requestParameters, { max_tokens: 64, top_k: 3 });
    assert.equal(settled.costPicoUsd, '36000000');
    assert.equal(JSON.parse(running.journal.payloads.at(-1)?.output ?? '')[0].content, 'Hello, Ada');
  });

  it('streams', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['Hel', 'lo']));
    const response = await post({ ...BODY, stream: true }, '/v1/messages', { 'x-plimsoll-cost': 'trailer' });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const text = await response.text();
    assert.match(text, /: x-plimsoll-cost-usd 0\.000024\n\n/);
    const events = parseEvents(text.replace(/^: .*\n\n/m, ''));
    assert.deepEqual(
      events.map(({ name }) => name),
      [
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ],
    );
    assert.equal((events.at(-2)?.data.usage as { output_tokens: number } | undefined)?.output_tokens, 3);
    assert.deepEqual(upstream.requests.at(-1)?.json.stream_options, { include_usage: true });
    assert.deepEqual(JSON.parse(running.journal.payloads.at(-1)?.output ?? ''), [{ role: 'assistant', content: 'Hello' }]);
  });

  it('ends a stream that the provider cut with an error event and a broken connection', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a']).slice(0, 2));
    const response = await post({ ...BODY, stream: true });
    let text = '';
    await assert.rejects(async () => {
      for await (const bytes of response.body ?? []) text += Buffer.from(bytes as Uint8Array).toString();
    });
    assert.equal(parseEvents(text).at(-1)?.name, 'error');
    assert.ok(!text.includes('message_stop'));
  });

  it('answers with an error when tool arguments are broken, and breaks a stream at them', async () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } };
    upstream.script = (_request, response) =>
      sendJson(
        response,
        completion('', { choices: [{ index: 0, message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }] }),
      );
    const error = await errorOf(await post(BODY));
    assert.deepEqual([error.status, error.code, error.type], [502, 'provider_bad_response', 'api_error']);
  });

  it('falls back from one dialect to the other', async () => {
    upstream.script = (request, response) => {
      if (request.path === '/v1/messages') sendJson(response, jsonFixture('text'));
      else sendJson(response, { error: { message: 'overloaded' } }, 503);
    };
    const response = await post({ ...BODY, model: 'main' });
    assert.deepEqual(await response.json(), jsonFixture('text'));
    assert.deepEqual(
      lastSettled().attempts.map((attempt) => attempt.model),
      ['gpt', 'claude'],
    );
  });

  it('estimates tokens and says so', async () => {
    const response = await post({ model: 'gpt', messages: [{ role: 'user', content: 'x'.repeat(400) }] }, '/v1/messages/count_tokens');
    const { input_tokens: tokens } = (await response.json()) as { input_tokens: number };
    assert.ok(tokens >= 100 && tokens < 120, String(tokens));
    assert.equal(response.headers.get('x-plimsoll-token-count'), 'estimated');
  });
});

describe('messages, refused', () => {
  it('has Anthropic’s error shape and status for every refusal', async () => {
    const sent = upstream.requests.length;
    const unknownKey = await errorOf(await post(BODY, '/v1/messages', { 'x-api-key': 'plk_wrong' }));
    assert.deepEqual([unknownKey.status, unknownKey.type], [401, 'authentication_error']);
    assert.match(unknownKey.requestId ?? '', /^[0-9a-f]{32}$/);
    const unknownModel = await errorOf(await post({ ...BODY, model: 'gtp' }));
    assert.deepEqual([unknownModel.status, unknownModel.type], [404, 'not_found_error']);
    const method = await fetch(`${running.origin}/v1/messages`, { headers: { 'x-api-key': TEST_KEY } });
    assert.deepEqual([method.headers.get('allow'), (await errorOf(method)).status], ['POST', 405]);
    const batches = await errorOf(await post(BODY, '/v1/messages/batches'));
    assert.deepEqual([batches.status, batches.type], [404, 'not_found_error']);
    const tool = await errorOf(await post({ ...BODY, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }));
    assert.deepEqual([tool.status, tool.type], [400, 'invalid_request_error']);
    assert.match(tool.message, /tools\[0\]\.type.*can only be sent to an Anthropic provider/);
    const tooLong = await errorOf(await post(' '.repeat(1_000_001)));
    assert.deepEqual([tooLong.status, tooLong.type], [413, 'request_too_large']);
    assert.equal(upstream.requests.length, sent);
  });

  it('refuses hostile bodies', async () => {
    const refused = async (body: string, message: RegExp): Promise<void> => {
      const error = await errorOf(await post(body));
      assert.deepEqual([error.status, error.type], [400, 'invalid_request_error'], body.slice(0, 80));
      assert.match(error.message, message);
    };
    await refused('{"model":"gpt","model":"claude","max_tokens":1,"messages":[]}', /"model" appears twice/);
    await refused('{"model":"gpt","max_tokens":1,"messages":[],"messages":[]}', /"messages" appears twice/);
    await refused('{"model":"gpt","max_tokens":1}', /no "messages"/);
    await refused('{"model":"gpt","max_tokens":"1","messages":[{"role":"user","content":"x"}]}', /max_tokens/);
    await refused('{"model":"gpt","max_tokens":1,"messages":{"__proto__":[]}}', /messages: an array/);
    await refused('{"model":"gpt","max_tokens":1,"messages":[{"role":"__proto__","content":"x"}]}', /role/);
    await refused('{"model":"gpt","max_tokens":1,"stream":"yes","messages":[]}', /"stream" must be/);
    await refused(`{"model":"gpt","max_tokens":1,"messages":${'['.repeat(70)}${']'.repeat(70)}}`, /deeper than 64/);
    await refused('{"model":"gpt","max_tokens":1,"metadata":7,"messages":[]}', /"metadata" must be an object/);
  });

  it('tells SDKs which errors are not worth a retry', async () => {
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '7' });
    const limited = await post(BODY);
    assert.deepEqual([limited.status, limited.headers.get('retry-after'), limited.headers.get('x-should-retry')], [429, '7', null]);
    assert.equal((await errorOf(limited)).type, 'rate_limit_error');
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'bad key' } }, 401);
    const refused = await post(BODY);
    assert.deepEqual([refused.status, refused.headers.get('x-should-retry')], [502, 'false']);
    await refused.text();
  });
});

describe('models, as Anthropic lists them', () => {
  it('when the client speaks its version', async () => {
    const headers = { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' };
    const list = (await (await fetch(`${running.origin}/v1/models`, { headers })).json()) as {
      data: { id: string; type: string }[];
      has_more: boolean;
    };
    assert.deepEqual(
      list.data.map(({ id, type }) => [id, type]),
      [
        ['gpt', 'model'],
        ['claude', 'model'],
        ['main', 'model'],
      ],
    );
    assert.equal(list.has_more, false);
    const one = (await (await fetch(`${running.origin}/v1/models/claude`, { headers })).json()) as { display_name: string };
    assert.equal(one.display_name, 'claude');
    const none = await errorOf(await fetch(`${running.origin}/v1/models/nope`, { headers }));
    assert.deepEqual([none.status, none.type], [404, 'not_found_error']);
  });
});
