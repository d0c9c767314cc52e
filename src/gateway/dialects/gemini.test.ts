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
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from '../testing.ts';
import { parseEvents } from './testing.ts';

const BODY = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 9, topK: 3 } };

let upstream: ScriptedUpstream;
let running: TestGateway;

before(async () => {
  upstream = await startUpstream((_request, response) => sendJson(response, completion('Hello')));
  running = await startGateway(
    testSnapshot(upstream.baseUrl, {
      providers: [
        testProvider(upstream.baseUrl),
        testProvider(upstream.baseUrl, { name: 'claude-home', kind: 'anthropic' }),
        testProvider(upstream.baseUrl, { name: 'google', kind: 'gemini' }),
      ],
      models: [
        testModel('gpt'),
        testModel('flash', { provider: 'google', upstreamModel: 'gemini-2.5-flash' }),
        testModel('team/claude', { provider: 'claude-home', upstreamModel: 'claude-sonnet-4-5' }),
      ],
      routes: [{ name: 'main', targets: ['gpt', 'team/claude'] }],
    }),
  );
});
after(async () => {
  await running.close();
  await upstream.close();
});
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
});

function post(path: string, body: unknown = BODY, headers: Record<string, string> = { 'x-goog-api-key': TEST_KEY }): Promise<Response> {
  return fetch(`${running.origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

interface Answer {
  readonly candidates: { content: { parts: { text?: string; functionCall?: { name: string } }[] }; finishReason?: string }[];
  readonly usageMetadata?: Record<string, number>;
}

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: number; status: string; message: string; details: { reason: string }[] } };
  assert.equal(error.code, response.status);
  return error;
}

async function brokenText(response: Response): Promise<string> {
  let text = '';
  await assert.rejects(async () => {
    for await (const bytes of response.body ?? []) text += Buffer.from(bytes as Uint8Array).toString();
  }, 'never a clean end');
  return text;
}

describe('generateContent, translated', () => {
  it('finds the model in the path and answers as Google would', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello, Ada'));
    for (const path of ['/v1beta/models/gpt:generateContent', '/v1/models/gpt:generateContent']) {
      const response = await post(path);
      const answer = (await response.json()) as Answer;
      assert.deepEqual(answer.candidates[0]?.content.parts, [{ text: 'Hello, Ada' }]);
      assert.deepEqual(answer.usageMetadata, {
        promptTokenCount: 20,
        candidatesTokenCount: 5,
        totalTokenCount: 25,
        cachedContentTokenCount: 8,
      });
      assert.match(response.headers.get('x-plimsoll-warnings') ?? '', /top_k/);
      assert.deepEqual(upstream.requests.at(-1)?.json, {
        model: 'gpt-2026-01-01',
        messages: [{ role: 'user', content: 'Hi' }],
        max_completion_tokens: 9,
      });
      assert.deepEqual(lastSettled().requestParameters, { max_tokens: 9, top_k: 3 });
      assert.equal(lastSettled().requestedModel, 'gpt');
    }
    assert.deepEqual(JSON.parse(running.journal.payloads.at(-1)?.input ?? ''), BODY);
  });

  it('streams events, and an array without alt=sse', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['Hel', 'lo']));
    const events = await post('/v1beta/models/gpt:streamGenerateContent?alt=sse', BODY, {
      'x-goog-api-key': TEST_KEY,
      'x-plimsoll-cost': 'trailer',
    });
    assert.match(events.headers.get('content-type') ?? '', /^text\/event-stream/);
    const text = await events.text();
    assert.match(text, /: x-plimsoll-cost-usd/);
    const parsed = parseEvents(text.replaceAll('\r\n', '\n').replace(/^: .*\n\n/m, '')).map(({ data }) => data as unknown as Answer);
    assert.equal(parsed.map((answer) => answer.candidates[0]?.content.parts[0]?.text).join(''), 'Hello');
    assert.equal(parsed.at(-1)?.candidates[0]?.finishReason, 'STOP');
    const array = await post('/v1beta/models/gpt:streamGenerateContent', BODY, {
      'x-goog-api-key': TEST_KEY,
      'x-plimsoll-cost': 'trailer',
    });
    assert.match(array.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(await array.json(), JSON.parse(JSON.stringify(parsed)));
  });

  it('asks an Anthropic provider, with a slash in the model’s name', async () => {
    upstream.script = (_request, response) => sendJson(response, jsonFixture('parallel-tools'));
    const body = {
      ...BODY,
      generationConfig: {},
      tools: [{ functionDeclarations: [{ name: 'get_weather', parameters: { type: 'OBJECT' } }] }],
    };
    const answer = (await (await post('/v1beta/models/team/claude:generateContent', body)).json()) as Answer;
    assert.deepEqual(
      answer.candidates[0]?.content.parts.map((part) => part.functionCall?.name),
      ['get_weather', 'get_time', 'get_weather'],
    );
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(sseFixture('parallel-tools'));
    };
    const elements = (await (await post('/v1beta/models/team%2Fclaude:streamGenerateContent', body)).json()) as Answer[];
    assert.equal(elements.at(-1)?.candidates[0]?.content.parts.length, 3);
  });

  it('breaks the connection of a stream that was cut, after saying so', async () => {
    upstream.script = (_request, response) => sendStream(response, streamEvents(['a']).slice(0, 2));
    const events = await brokenText(await post('/v1beta/models/gpt:streamGenerateContent?alt=sse'));
    assert.match(events, /"status":"UNAVAILABLE"/);
    const array = await brokenText(await post('/v1beta/models/gpt:streamGenerateContent'));
    assert.throws(() => JSON.parse(array));
    assert.ok(!array.includes('finishReason'));
  });

  it('estimates tokens and says so', async () => {
    const response = await post('/v1beta/models/gpt:countTokens', { contents: [{ parts: [{ text: 'x'.repeat(400) }] }] });
    assert.equal(response.headers.get('x-plimsoll-token-count'), 'estimated');
    const { totalTokens } = (await response.json()) as { totalTokens: number };
    assert.ok(totalTokens >= 100 && totalTokens < 120, String(totalTokens));
    const wrapped = await post('/v1beta/models/gpt:countTokens', {
      generateContentRequest: { contents: [{ parts: [{ text: 'x'.repeat(400) }] }] },
    });
    assert.deepEqual(await wrapped.json(), { totalTokens });
  });
});

/** An answer of Google's, with members that no other API has. */
function google(text: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
  const candidate = { content: { role: 'model', parts: [{ text }] }, index: 0, safetyRatings: [{ probability: 'NEGLIGIBLE' }] };
  return { candidates: [{ ...candidate, ...rest }], modelVersion: 'gemini-2.5-flash', responseId: 'r1' };
}

const LAST = {
  ...google('lo', { finishReason: 'STOP' }),
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, totalTokenCount: 11 },
};

describe('generateContent, forwarded to Gemini', () => {
  it('sends the client’s bytes to the model in the path, and gives the provider’s back', async () => {
    upstream.script = (_request, response) => sendJson(response, LAST);
    const sent = '{ "contents":[{"parts":[{"text":"Hi"}]}],"plimsoll":{}, "tools":[{"googleSearch":{}}], "safetySettings":[] }';
    const answer = await post('/v1beta/models/flash:generateContent', sent);
    assert.deepEqual(await answer.json(), LAST);
    const request = upstream.requests.at(-1);
    assert.equal(request?.body, sent.replace(',"plimsoll":{}', ''));
    assert.equal(request?.path, '/v1/models/gemini-2.5-flash:generateContent');
    assert.equal(request?.headers['x-goog-api-key'], 'sk-upstream');
    const [attempt] = lastSettled().attempts;
    assert.deepEqual([attempt?.usage?.inputUncachedTokens, attempt?.usage?.outputTextTokens, attempt?.usageSource], [9, 2, 'reported']);
  });

  it('streams byte for byte as events, and in the same elements as an array', async () => {
    const events = [google('Hel'), LAST].map((element) => `data: ${JSON.stringify(element)}\r\n\r\n`);
    upstream.script = (_request, response) => sendStream(response, events);
    assert.equal(await (await post('/v1beta/models/flash:streamGenerateContent?alt=sse')).text(), events.join(''));
    const array = await post('/v1beta/models/flash:streamGenerateContent', BODY, {
      'x-goog-api-key': TEST_KEY,
      'x-plimsoll-cost': 'trailer',
    });
    assert.match(array.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(await array.json(), [google('Hel'), LAST]);
    assert.equal(upstream.requests.at(-1)?.path, '/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
    assert.equal(lastSettled().attempts[0]?.usage?.outputTextTokens, 2);
  });

  it('breaks off where the stream has no finish reason', async () => {
    upstream.script = (_request, response) => sendStream(response, [`data: ${JSON.stringify(google('Hel'))}\r\n\r\n`]);
    for (const query of ['?alt=sse', '']) {
      const text = await brokenText(await post(`/v1beta/models/flash:streamGenerateContent${query}`));
      assert.match(text, /"status":"UNAVAILABLE"/);
      assert.equal(lastSettled().errorType, 'provider_stream_cut');
    }
  });

  it('counts tokens where the provider can', async () => {
    upstream.script = (_request, response) => sendJson(response, { totalTokens: 3 });
    const response = await post('/v1beta/models/flash:countTokens', { contents: BODY.contents });
    assert.deepEqual(await response.json(), { totalTokens: 3 });
    assert.equal(upstream.requests.at(-1)?.path, '/v1/models/gemini-2.5-flash:countTokens');
  });
});

describe('keys of Gemini’s clients', () => {
  it('may stand in the query, and are seen nowhere else', async () => {
    upstream.script = (_request, response) => sendJson(response, completion('Hello'));
    const response = await post(`/v1beta/models/gpt:generateContent?key=${TEST_KEY}`, BODY, {});
    assert.equal(response.status, 200);
    assert.equal((await post(`/v1beta/models/gpt:streamGenerateContent?key=plk_wrong&alt=sse`, BODY, {})).status, 401);
    await until(() => running.gateway.stats.activeCalls === 0, 'the calls are recorded');
    // The test's keys are named after themselves.
    const settled = running.journal.settled.map((call) => ({ ...call, keyId: '' }));
    const traces = JSON.stringify([running.logLines, settled, running.journal.payloads, upstream.requests]);
    assert.ok(!traces.includes(TEST_KEY));
    assert.ok(!traces.includes('plk_wrong'));
    const list = await fetch(`${running.origin}/v1beta/models?key=${TEST_KEY}&pageSize=5`);
    assert.equal(list.status, 200);
  });
});

describe('Gemini, refused', () => {
  it('has Google’s error shape and status for every refusal', async () => {
    const unknownKey = await errorOf(await post('/v1beta/models/gpt:generateContent', BODY, { 'x-goog-api-key': 'plk_wrong' }));
    assert.equal(unknownKey.status, 'UNAUTHENTICATED');
    assert.equal(unknownKey.details[0]?.reason, 'UNAUTHENTICATED');
    assert.equal((await errorOf(await post('/v1beta/models/nope:generateContent'))).status, 'NOT_FOUND');
    assert.equal((await errorOf(await post('/v1beta/models/%zz:generateContent'))).status, 'INVALID_ARGUMENT');
    assert.equal((await errorOf(await post('/v1beta/cachedContents'))).status, 'NOT_FOUND');
    assert.equal((await errorOf(await post('/v1beta/models/gpt:frobnicate'))).code, 405);
    assert.match(
      (await errorOf(await post('/v1beta/models/gpt:generateContent', { ...BODY, cachedContent: 'c' }))).message,
      /cachedContent/,
    );
    assert.match(
      (await errorOf(await post('/v1beta/models/gpt:generateContent', '{"contents":[],"contents":[]}'))).message,
      /appears twice/,
    );
    assert.match(
      (await errorOf(await post('/v1beta/models/gpt:generateContent', '{"generationConfig":{},"generation_config":{},"contents":[]}')))
        .message,
      /appears twice/,
    );
    assert.match((await errorOf(await post('/v1beta/models/gpt:generateContent', '{}'))).message, /no "contents"/);
    const deep = `{"contents":${'['.repeat(70)}${']'.repeat(70)}}`;
    assert.match((await errorOf(await post('/v1beta/models/gpt:generateContent', deep))).message, /deeper than 64/);
    upstream.script = (_request, response) => sendJson(response, { error: { message: 'slow' } }, 429);
    assert.equal((await errorOf(await post('/v1beta/models/gpt:generateContent'))).status, 'RESOURCE_EXHAUSTED');
  });

  it('lists models in Google’s form', async () => {
    const headers = { 'x-goog-api-key': TEST_KEY };
    const { models } = (await (await fetch(`${running.origin}/v1beta/models`, { headers })).json()) as { models: { name: string }[] };
    assert.deepEqual(
      models.map(({ name }) => name),
      ['models/gpt', 'models/flash', 'models/team/claude', 'models/main'],
    );
    const one = (await (await fetch(`${running.origin}/v1beta/models/team/claude`, { headers })).json()) as { displayName: string };
    assert.equal(one.displayName, 'team/claude');
    assert.equal((await errorOf(await fetch(`${running.origin}/v1beta/models/nope`, { headers }))).status, 'NOT_FOUND');
  });
});
