import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import OpenAI, { APIError, AuthenticationError, NotFoundError } from 'openai';
import {
  completion,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testKey,
  testModel,
  testSnapshot,
  until,
} from './testing.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];
const CHAT = { model: 'small', messages: MESSAGES };

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
afterEach(async () => {
  await until(() => running.gateway.stats.activeCalls === 0, 'no call is in flight');
  const { settled } = running.journal;
  assert.equal(new Set(settled.map((call) => call.callId)).size, settled.length, 'every call is settled at most once');
  assert.equal(running.logLines.filter((line) => line.event === 'gateway_defect').length, 0);
  running.snapshot = testSnapshot(upstream.baseUrl);
});

function lastSettled() {
  const last = running.journal.settled.at(-1);
  assert.ok(last !== undefined);
  return last;
}

function post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json', ...headers },
    body,
  });
}

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string; param: string | null }> {
  const { error } = (await response.json()) as { error: { code: string; message: string; param: string | null } };
  return { status: response.status, ...error };
}

describe('chat', () => {
  it('forwards a call and answers with the provider’s bytes', async () => {
    upstream.script = (_request, response) =>
      sendJson(response, completion('Hello, Ada'), 200, { 'x-request-id': 'req-1', 'set-cookie': 'a=b' });
    const { data, response } = await client.chat.completions.create({ ...CHAT, temperature: 0.5 }).withResponse();
    assert.equal(data.choices[0]?.message.content, 'Hello, Ada');
    assert.equal(response.headers.get('x-plimsoll-model'), 'small');
    assert.equal(response.headers.get('x-plimsoll-cost-usd'), '0.000036');
    assert.equal(response.headers.get('x-request-id'), 'req-1');
    assert.equal(response.headers.get('set-cookie'), null);
    const sent = upstream.requests.at(-1);
    assert.deepEqual(sent?.json, { model: 'small-2026-01-01', messages: MESSAGES, temperature: 0.5 });
    assert.equal(sent?.headers.authorization, 'Bearer sk-upstream');

    const settled = lastSettled();
    assert.equal(response.headers.get('x-plimsoll-trace-id'), settled.traceId);
    assert.equal(settled.status, 'ok');
    assert.equal(settled.httpStatus, 200);
    assert.equal(settled.costPicoUsd, '36000000');
    assert.equal(settled.costStatus, 'priced');
    assert.deepEqual(settled.requestParameters, { temperature: 0.5 });
    assert.deepEqual(
      settled.stages.map((stage) => stage.name),
      ['authenticate', 'receive', 'route', 'admit', 'infer', 'settle'],
    );
    const [attempt] = settled.attempts;
    assert.equal(attempt?.usage?.cacheReadTokens, 8);
    assert.equal(attempt?.usageSource, 'reported');
    assert.deepEqual(attempt?.finishReasons, ['stop']);
    assert.equal(attempt?.priceId, 'test@1');
    assert.equal(running.journal.opened.at(-1)?.callId, settled.callId);
    const payload = running.journal.payloads.at(-1);
    assert.deepEqual(JSON.parse(payload?.input ?? ''), { ...CHAT, temperature: 0.5 });
    assert.equal(JSON.parse(payload?.output ?? '')[0].content, 'Hello, Ada');
    const line = running.logLines.at(-1);
    assert.equal(line?.event, 'llm_call');
    assert.equal(line?.cost_usd, '0.000036');
    assert.equal(line?.input_tokens, 20);
    assert.equal(line?.success, true);
  });

  it('asks no provider before the system has the record of the call', async () => {
    const { journal } = running;
    const early: string[] = [];
    let heard = 0;
    const { script } = upstream;
    upstream.script = (request, response, incoming) => {
      heard += 1;
      const { user } = request.json as { user: string };
      const written = journal.records.slice(0, journal.writtenCount).filter(({ type }) => type === 'call.opened');
      if (!written.some(({ payload }) => payload.includes(`"user":"${user}"`))) early.push(user);
      return script(request, response, incoming);
    };
    try {
      await Promise.all(Array.from({ length: 16 }, (_, index) => client.chat.completions.create({ ...CHAT, user: `early-${index}.` })));
    } finally {
      upstream.script = script;
    }
    assert.equal(heard, 16);
    assert.deepEqual(early, []);
  });

  it('has the ledger row with the system before the client has the whole answer', async () => {
    let writtenWhenAnswered = -1;
    const before = running.journal.records.length;
    await client.chat.completions.create(CHAT).then(() => {
      writtenWhenAnswered = running.journal.writtenCount;
    });
    assert.ok(writtenWhenAnswered >= before + 2);
  });

  it('keeps user, session, customer, tags and the trace of the client', async () => {
    await client.chat.completions.create(CHAT, {
      headers: {
        'x-plimsoll-user': 'ada',
        'x-plimsoll-session': 's-1',
        'x-plimsoll-customer': 'acme',
        'x-plimsoll-tags': 'tier=gold, region=eu',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    const settled = lastSettled();
    assert.equal(settled.user, 'ada');
    assert.equal(settled.session, 's-1');
    assert.equal(settled.customer, 'acme');
    assert.deepEqual(settled.tags, { tier: 'gold', region: 'eu' });
    assert.equal(settled.traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.equal(settled.parentSpanId, 'b7ad6b7169203331');
  });

  it('takes user and metadata of the body when headers say nothing', async () => {
    await client.chat.completions.create({ ...CHAT, user: 'grace', metadata: { tier: 'free' } });
    assert.equal(lastSettled().user, 'grace');
    assert.deepEqual(lastSettled().tags, { tier: 'free' });
    assert.equal(upstream.requests.at(-1)?.json.user, 'grace');
  });

  it('takes what clients of Helicone say in headers where ours say nothing, and sends none of it on', async () => {
    const helicone = {
      'Helicone-User-Id': 'ada',
      'Helicone-Session-Id': 's-1',
      'Helicone-Session-Name': 'support',
      'Helicone-Session-Path': '/triage/order',
      'Helicone-Property-Tier': 'gold',
      'Helicone-Property-__proto__': 'x',
      'Helicone-Auth': 'Bearer sk-helicone',
      'Helicone-Cache-Enabled': 'true',
    };
    await client.chat.completions.create({ ...CHAT, user: 'grace' }, { headers: helicone });
    const settled = lastSettled();
    assert.equal(settled.user, 'ada');
    assert.equal(settled.session, 's-1');
    const tags = JSON.parse('{"session_name":"support","session_path":"/triage/order","tier":"gold","__proto__":"x"}');
    assert.deepEqual({ ...settled.tags }, tags);
    const sent = upstream.requests.at(-1);
    assert.deepEqual(
      Object.keys(sent?.headers ?? {}).filter((name) => name.startsWith('helicone')),
      [],
    );
    await client.chat.completions.create(CHAT, {
      headers: { ...helicone, 'x-plimsoll-user': 'own', 'x-plimsoll-session': 's-2', 'x-plimsoll-tags': 'tier=free' },
    });
    assert.deepEqual([lastSettled().user, lastSettled().session, lastSettled().tags], ['own', 's-2', { tier: 'free' }]);
    await assert.rejects(
      client.chat.completions.create(CHAT, { headers: { 'Helicone-Property-Long': 'x'.repeat(300) } }),
      /helicone-property/,
    );
  });

  it('strips its own member from the body', async () => {
    const response = await post('{"plimsoll":{"prompt":"x"},"model":"small","messages":[]}');
    assert.equal(response.status, 200);
    await response.text();
    assert.equal(upstream.requests.at(-1)?.body, '{"model":"small-2026-01-01","messages":[]}');
  });

  it('resolves a route, an alias, and the feature’s route for "default"', async () => {
    await client.chat.completions.create({ ...CHAT, model: 'main' });
    assert.equal(lastSettled().route, 'main');
    await client.chat.completions.create({ ...CHAT, model: 'default' });
    assert.equal(lastSettled().route, 'main');
    await client.chat.completions.create({ ...CHAT, model: 'large' });
    assert.equal(lastSettled().route, null);
    assert.equal(upstream.requests.at(-1)?.json.model, 'large-2026-01-01');
  });

  it('leaves an unpriced call unpriced and estimates usage that is not reported', async () => {
    running.snapshot = { ...testSnapshot(upstream.baseUrl), models: [testModel('small', { price: null }), testModel('large')] };
    const { response } = await client.chat.completions.create(CHAT).withResponse();
    assert.equal(response.headers.get('x-plimsoll-cost-usd'), null);
    assert.equal(lastSettled().costPicoUsd, null);
    assert.equal(lastSettled().costStatus, 'unpriced');
    upstream.script = (_request, answer) => sendJson(answer, completion('Hello', { usage: undefined }));
    await client.chat.completions.create({ ...CHAT, model: 'large' });
    assert.equal(lastSettled().attempts[0]?.usageSource, 'estimated');
    assert.equal(lastSettled().costStatus, 'estimated_tokens');
    upstream.script = (_request, answer) => sendJson(answer, completion('Hello'));
  });

  it('keeps a preview, or nothing, when the feature says so', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = {
      ...snapshot,
      features: [testFeature('support', { payloads: 'preview' }), testFeature('billing', { payloads: 'none' })],
    };
    const long = `${'x'.repeat(199)}😀 and more`;
    await client.chat.completions.create({
      ...CHAT,
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: long },
      ],
    });
    const payload = running.journal.payloads.at(-1);
    assert.equal(payload?.policy, 'preview');
    assert.equal(payload?.input, 'x'.repeat(199));
    assert.equal(payload?.output, 'Hello');
    const count = running.journal.payloads.length;
    const unbound = new OpenAI({
      baseURL: running.baseUrl,
      apiKey: 'plk_test_unbound',
      maxRetries: 0,
      defaultHeaders: { 'x-plimsoll-feature': 'billing' },
    });
    await unbound.chat.completions.create(CHAT);
    assert.equal(running.journal.payloads.length, count);
    assert.equal(lastSettled().feature, 'billing');
  });

  it('cuts a long payload and says so', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, limits: { ...snapshot.limits, maxPayloadBytes: 100 } };
    await client.chat.completions.create({ ...CHAT, messages: [{ role: 'user', content: 'é'.repeat(200) }] });
    const payload = running.journal.payloads.at(-1);
    assert.equal(payload?.isTruncated, true);
    const bytes = Buffer.byteLength(payload?.input ?? '');
    assert.ok(bytes <= 100 && bytes >= 98);
    assert.ok(!payload?.input.includes('\ufffd'));
  });
});

describe('keys, features and models', () => {
  it('refuses callers it does not know', async () => {
    const stranger = new OpenAI({ baseURL: running.baseUrl, apiKey: 'plk_wrong', maxRetries: 0 });
    const rows = running.journal.records.length;
    await assert.rejects(
      stranger.chat.completions.create(CHAT),
      (error: unknown) => error instanceof AuthenticationError && error.code === 'unauthenticated',
    );
    assert.equal((await post('{}', { authorization: 'Basic abc' })).status, 401);
    assert.equal((await post('{}', { authorization: '' })).status, 401);
    assert.equal(running.journal.records.length, rows);
    await until(() => running.logLines.at(-1)?.error_type === 'unauthenticated', 'the refusal is logged');
  });

  it('refuses an expired key and takes x-api-key', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, keys: [testKey('old', { expiresAtMs: 1 }), testKey(TEST_KEY)] };
    const expired = await errorOf(await post('{}', { authorization: 'Bearer old' }));
    assert.equal(expired.status, 401);
    assert.match(expired.message, /expired at 1970/);
    const response = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': TEST_KEY, 'content-type': 'application/json' },
      body: JSON.stringify(CHAT),
    });
    assert.equal(response.status, 200);
    await response.text();
  });

  it('holds a key to its feature, and names what is close when a name is wrong', async () => {
    const wrong = await errorOf(await post('{}', { 'x-plimsoll-feature': 'billing' }));
    assert.deepEqual([wrong.status, wrong.code], [403, 'permission_denied']);
    const unbound = { authorization: 'Bearer plk_test_unbound' };
    const missing = await errorOf(await post('{}', unbound));
    assert.deepEqual([missing.status, missing.param], [400, 'x-plimsoll-feature']);
    const unknown = await errorOf(await post('{}', { ...unbound, 'x-plimsoll-feature': 'suport' }));
    assert.equal(unknown.status, 404);
    assert.match(unknown.message, /Did you mean "support"\? Known: support, billing/);
    await assert.rejects(
      client.chat.completions.create({ ...CHAT, model: 'smal' }),
      (error: unknown) => error instanceof NotFoundError && /Did you mean "small"/.test(error.message) && error.param === 'model',
    );
    assert.equal(lastSettled().errorType, 'not_found');
    assert.equal(lastSettled().attempts.length, 0);
    assert.equal(lastSettled().costPicoUsd, '0');
  });

  it('lists and describes the models that a key may use', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, keys: [testKey(TEST_KEY, { models: ['main', 'small'] })] };
    const models = await client.models.list();
    assert.deepEqual(models.data.map(({ id, owned_by }) => [id, owned_by]).sort(), [
      ['main', 'plimsoll'],
      ['small', 'upstream'],
    ]);
    assert.equal((await client.models.retrieve('small')).created, 1_760_000_000);
    await assert.rejects(client.models.retrieve('large'), (error: unknown) => error instanceof APIError && error.status === 403);
    await assert.rejects(client.models.retrieve('nope'), NotFoundError);
    await assert.rejects(
      client.chat.completions.create({ ...CHAT, model: 'large' }),
      (error: unknown) => error instanceof APIError && error.status === 403,
    );
  });

  it('says what it serves and what not', async () => {
    const files = await errorOf(await fetch(`${running.baseUrl}/files`, { method: 'POST', body: '{}' }));
    assert.equal(files.status, 404);
    assert.match(files.message, /POST \/v1\/chat\/completions/);
    assert.equal((await fetch(`${running.origin}/nothing`)).status, 404);
    const wrongMethod = await fetch(`${running.baseUrl}/chat/completions`);
    assert.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST']);
    assert.equal((await fetch(`${running.origin}/healthz`)).status, 200);
    assert.equal((await fetch(`${running.origin}/readyz`)).status, 200);
  });

  it('is not ready without a snapshot or a journal', async () => {
    const bare = await startGateway(null);
    assert.equal((await fetch(`${bare.origin}/readyz`)).status, 503);
    const refused = await fetch(`${bare.baseUrl}/chat/completions`, { method: 'POST', body: '{}' });
    assert.deepEqual([refused.status, (await errorOf(refused)).code], [503, 'not_ready']);
    bare.snapshot = testSnapshot(upstream.baseUrl);
    assert.equal((await fetch(`${bare.origin}/readyz`)).status, 200);
    bare.journal.accepts = false;
    assert.equal((await fetch(`${bare.origin}/readyz`)).status, 503);
    await bare.close();
  });
});

describe('bad input', () => {
  async function refuses(
    status: number,
    code: string,
    message: RegExp,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const calls = upstream.requests.length;
    const error = await errorOf(await post(body, headers));
    assert.deepEqual([error.status, error.code], [status, code]);
    assert.match(error.message, message);
    assert.equal(upstream.requests.length, calls);
    await until(() => lastSettled().errorType === code, 'the refusal is in the ledger');
  }

  it('is refused with the reason', async () => {
    await refuses(415, 'unsupported_media_type', /text\/plain/, '{}', { 'content-type': 'text/plain' });
    await refuses(415, 'unsupported_media_type', /compressed/, '{}', { 'content-encoding': 'gzip' });
    await refuses(400, 'invalid_argument', /not valid UTF-8/, Buffer.from([0x7b, 0xff, 0x7d]));
    await refuses(400, 'invalid_argument', /ends too early/, '{"model":');
    await refuses(400, 'invalid_argument', /deeper than 64/, `{"model":"small","messages":${'['.repeat(100)}${']'.repeat(100)}}`);
    await refuses(400, 'invalid_argument', /no "model"/, '{}');
    await refuses(400, 'invalid_argument', /key=value/, '{}', { 'x-plimsoll-tags': 'oops' });
  });

  it('is refused by size, announced or streamed in, with an answer that arrives', async () => {
    await refuses(413, 'payload_too_large', /at most 1000000/, Buffer.alloc(1_000_001, 0x20));
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.alloc(100_000, 0x20));
        if (++sent > 40) controller.close();
      },
    });
    let sent = 0;
    const response = await fetch(`${running.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    assert.equal(response.status, 413);
    await response.text();
  });

  it('does not outlive a client that leaves in the middle of its body', async () => {
    const socket = connect(Number(new URL(running.origin).port), '127.0.0.1');
    const settled = running.journal.settled.length;
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TEST_KEY}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model"`,
    );
    await until(() => running.gateway.stats.activeCalls === 1, 'the call has begun');
    socket.destroy();
    await until(() => running.journal.settled.length > settled, 'the call is settled');
    assert.equal(lastSettled().status, 'aborted');
  });

  it('is refused when there are too many calls or the journal is full', async () => {
    const snapshot = testSnapshot(upstream.baseUrl);
    running.snapshot = { ...snapshot, limits: { ...snapshot.limits, maxConcurrentRequests: 0 } };
    const busy = await post(JSON.stringify(CHAT));
    assert.deepEqual([busy.status, busy.headers.get('retry-after'), (await errorOf(busy)).code], [429, '1', 'rate_limited']);
    running.snapshot = snapshot;
    running.journal.accepts = false;
    const full = await post(JSON.stringify(CHAT));
    running.journal.accepts = true;
    assert.deepEqual([full.status, (await errorOf(full)).code], [503, 'journal_full']);
  });

  it('does not complete an answer whose ledger row cannot be written', async () => {
    upstream.script = (_request, response) => {
      running.journal.accepts = false;
      sendJson(response, completion('Hello'));
    };
    const response = await post(JSON.stringify(CHAT));
    running.journal.accepts = true;
    upstream.script = (_request, answer) => sendJson(answer, completion('Hello'));
    assert.deepEqual([response.status, (await errorOf(response)).code], [503, 'journal_full']);
  });
});

describe('metrics', () => {
  it('count calls, tokens, errors and cost under the names of the design', async () => {
    const fresh = await startGateway(testSnapshot(upstream.baseUrl));
    const own = new OpenAI({ baseURL: fresh.baseUrl, apiKey: TEST_KEY, maxRetries: 0 });
    await own.chat.completions.create(CHAT);
    await own.chat.completions.create(CHAT);
    await assert.rejects(own.chat.completions.create({ ...CHAT, model: 'nope' }));
    await until(() => fresh.logLines.length === 3, 'all calls are recorded');
    const text = await (await fetch(`${fresh.origin}/metrics`)).text();
    for (const line of [
      'llm_request_duration_seconds_count{model="small",feature="support",status="ok"} 2',
      'llm_request_duration_seconds_bucket{model="small",feature="support",status="ok",le="+Inf"} 2',
      'llm_tokens_total{model="small",token_type="input",feature="support"} 40',
      'llm_tokens_total{model="small",token_type="output",feature="support"} 10',
      'llm_errors_total{model="unknown",error_type="not_found"} 1',
      'llm_cost_usd_total{model="small",feature="support",team="support-team"} 0.000072',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line}\nis missing in\n${text}`);
    }
    await fresh.close();
  });
});
