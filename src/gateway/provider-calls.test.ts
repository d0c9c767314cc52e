import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import type { SnapshotProvider } from './snapshot.ts';
import {
  closeServer,
  completion,
  listen,
  type ScriptedUpstream,
  sendJson,
  sendStream,
  startGateway,
  startUpstream,
  streamEvents,
  TEST_KEY,
  type TestGateway,
  testProvider,
  testSnapshot,
  until,
} from './testing.ts';

describe('calls to providers by kind', () => {
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  before(async () => {
    upstream = await startUpstream((_request, response) => sendJson(response, completion('hi')));
    gateway = await startGateway(null);
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });
  afterEach(() => {
    upstream.requests.length = 0;
    gateway.journal.settled.length = 0;
  });

  /** Another pointer each time, so that it is compiled. */
  function use(provider: Partial<SnapshotProvider>): void {
    const base = upstream.baseUrl.replace(/\/v1$/, '');
    gateway.snapshot = testSnapshot(base, { providers: [testProvider(base, provider)] });
  }

  async function ask(body: Record<string, unknown> = {}): Promise<Response> {
    return fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'hi' }], ...body }),
    });
  }

  it('Azure: the v1 API takes the deployment in the body, a dated version in the path; the key goes into api-key', async () => {
    use({ kind: 'azure-openai' });
    assert.equal((await ask()).status, 200);
    use({ kind: 'azure-openai', settings: { apiVersion: '2024-10-21' } });
    assert.equal((await ask()).status, 200);
    use({ kind: 'azure-openai', settings: { apiVersion: 'preview' } });
    assert.equal((await ask()).status, 200);
    assert.deepEqual(
      upstream.requests.map(({ path, headers, json }) => [path, headers['api-key'], headers.authorization, json.model]),
      [
        ['/openai/v1/chat/completions', 'sk-upstream', undefined, 'small-2026-01-01'],
        ['/openai/deployments/small-2026-01-01/chat/completions?api-version=2024-10-21', 'sk-upstream', undefined, 'small-2026-01-01'],
        ['/openai/v1/chat/completions?api-version=preview', 'sk-upstream', undefined, 'small-2026-01-01'],
      ],
    );
  });

  it('Azure: a content filter is one, also behind status 400', async () => {
    use({ kind: 'azure-openai' });
    upstream.script = (_request, response) =>
      sendJson(response, { error: { code: 'content_filter', message: 'The prompt triggered the policy.', innererror: {} } }, 400);
    const answer = await ask();
    assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'content_filtered');
    upstream.script = (_request, response) => sendJson(response, completion('hi'));
  });

  it('Azure: an Entra application’s token is fetched beside the calls, and sent with each', async () => {
    const forms: string[] = [];
    const authority = createServer((request, response) => {
      request.on('data', (chunk) => forms.push(`${request.url} ${String(chunk)}`));
      request.on('end', () => sendJson(response, { access_token: 'entra-token', expires_in: 3599 }));
    });
    const url = `http://127.0.0.1:${await listen(authority)}`;
    const settings = { tenantId: 'tenant-1', clientId: 'client-1', authority: url };
    use({ kind: 'azure-openai', apiKey: null, settings, secrets: { clientSecret: { literal: 'entra-secret' } } });
    const first = await ask();
    assert.equal(first.status, 502);
    assert.match(await first.text(), /no access token yet/);
    await until(() => forms.length > 0, 'the token was asked for');
    let answer = await ask();
    while (answer.status !== 200) answer = await ask();
    assert.equal(upstream.requests[0]?.headers.authorization, 'Bearer entra-token');
    assert.match(
      forms[0] ?? '',
      /^\/tenant-1\/oauth2\/v2\.0\/token grant_type=client_credentials&client_id=client-1&client_secret=entra-secret/,
    );
    gateway.snapshot = testSnapshot(upstream.baseUrl);
    await ask();
    await closeServer(authority);
  });

  it('OpenRouter: its reported cost is the cost, unless the operator has a price', async () => {
    const usage = {
      prompt_tokens: 20,
      completion_tokens: 5,
      total_tokens: 25,
      cost: 0.00014,
      cost_details: { upstream_inference_cost: 0.001 },
    };
    use({ kind: 'openrouter' });
    upstream.script = (_request, response) => sendJson(response, completion('hi', { usage }));
    const answer = await ask();
    assert.equal(answer.headers.get('x-plimsoll-cost-usd'), '0.00014');
    upstream.script = (_request, response) => sendJson(response, completion('hi', { usage: { ...usage, is_byok: true } }));
    await ask();
    const base = gateway.snapshot as NonNullable<typeof gateway.snapshot>;
    gateway.snapshot = {
      ...base,
      models: base.models.map((model) => ({ ...model, price: model.price && { ...model.price, priceId: 'config:small@1' } })),
    };
    await ask();
    assert.deepEqual(
      gateway.journal.settled.map(({ costPicoUsd, costStatus }) => [costPicoUsd, costStatus]),
      [
        ['140000000', 'provider_reported'],
        ['1140000000', 'provider_reported'],
        ['40000000', 'priced'],
      ],
    );
    assert.equal(gateway.journal.settled[0]?.attempts[0]?.usage?.inputUncachedTokens, 20);
    upstream.script = (_request, response) => sendJson(response, completion('hi'));
  });

  it('Groq: usage in its own member counts when the usual one is missing', async () => {
    use({ kind: 'groq' });
    const events = streamEvents(['a', 'b'], { usage: false, done: false });
    const last = {
      id: 'x',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [],
      x_groq: { id: 'r', usage: { prompt_tokens: 12, completion_tokens: 3 } },
    };
    upstream.script = (_request, response) => sendStream(response, [...events, `data: ${JSON.stringify(last)}\n\n`, 'data: [DONE]\n\n']);
    await (await ask({ stream: true })).text();
    const [attempt] = gateway.journal.settled[0]?.attempts ?? [];
    assert.deepEqual(
      [attempt?.usageSource, attempt?.usage?.inputUncachedTokens, attempt?.providerUsage],
      ['reported', 12, '{"prompt_tokens":12,"completion_tokens":3}'],
    );
    upstream.script = (_request, response) => sendJson(response, completion('hi'));
  });

  it('a snapshot of a control that knows neither settings nor secrets still serves; one with a kind of tomorrow leaves the one before', async () => {
    use({});
    assert.equal((await ask()).status, 200);
    use({ kind: 'kind-of-tomorrow' });
    assert.equal((await ask()).status, 200);
    assert.ok(gateway.logLines.some((line) => line.event === 'snapshot_refused' && /kind-of-tomorrow/.test(String(line.message))));
  });

  it('a missing secret is named, never sent as nothing', async () => {
    use({ kind: 'azure-openai', apiKey: null, secrets: { entraToken: { env: 'ENTRA_TOKEN' } } });
    const answer = await ask();
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), /ENTRA_TOKEN is not set/);
    assert.equal(upstream.requests.length, 0);
  });
});
