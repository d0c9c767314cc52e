import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { importSPKI, jwtVerify } from 'jose';
import { systemClock } from '../../../kernel/clock.ts';
import { PlimsollError } from '../../../kernel/errors.ts';
import { Secret } from '../../../kernel/secret.ts';
import { ProviderConfig } from '../../../models/config.ts';
import { Credentials } from '../../credentials.ts';
import { fixture, jsonFixture } from '../../hub/testing.ts';
import { findProviderProblems, providerKinds } from '../../provider-kinds.ts';
import {
  closeServer,
  listen,
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
} from '../../testing.ts';
import vertex from '../vertex.ts';
import { serviceAccountGrant } from './service-account.ts';

const SETTINGS = { project: 'acme-prod', location: 'europe-west4' };

describe('Vertex AI adapter', () => {
  it('has a host for every kind of location', () => {
    const url = (location?: string) =>
      providerKinds.baseUrlOf(ProviderConfig.parse({ kind: 'vertex', settings: { project: 'acme-prod', ...(location && { location }) } }));
    assert.equal(url(), 'https://aiplatform.googleapis.com/v1');
    assert.equal(url('eu'), 'https://aiplatform.eu.rep.googleapis.com/v1');
    assert.equal(url('us-central1'), 'https://us-central1-aiplatform.googleapis.com/v1');
    const problems = (provider: object) =>
      findProviderProblems(ProviderConfig.parse({ kind: 'vertex', ...provider })).map(({ message }) => message);
    assert.deepEqual(problems({}), ['the id of a Google Cloud project is needed']);
    assert.match(problems({ settings: { project: 'acme-prod', location: 'evil.example/' } })[0] ?? '', /global, us, eu or a region/);
    assert.match(problems({ settings: { project: 'acme-prod' } })[0] ?? '', /serviceAccountJson is needed/);
  });

  it('addresses the publisher of the model', () => {
    const path = (model: string, isStream: boolean) => vertex.chat.find(({ serves }) => serves?.(model))?.path(model, isStream, SETTINGS);
    const base = '/projects/acme-prod/locations/europe-west4/publishers';
    assert.equal(path('gemini-2.5-pro', false), `${base}/google/models/gemini-2.5-pro:generateContent`);
    assert.equal(path('gemini-2.5-pro', true), `${base}/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse`);
    assert.equal(path('claude-sonnet-4-5@20250929', true), `${base}/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`);
    assert.equal(path('claude-sonnet-4-5@20250929', false), `${base}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`);
  });

  it('sends Claude the version in the body in place of the model, translated and forwarded', () => {
    const claude = vertex.chat.find(({ dialect }) => dialect === 'anthropic-messages');
    const { body } = claude?.encodeRequest?.({ messages: [{ role: 'user', content: 'hi' }], max_tokens: 9 }, 'claude-sonnet-4-5') ?? {};
    assert.deepEqual(body, {
      anthropic_version: 'vertex-2023-10-16',
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    });
    const forwarded = claude?.editForwarded?.(Buffer.from('{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[]}'));
    assert.equal(forwarded?.toString(), '{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}');
  });

  it('asks text models for embeddings, and counts their tokens text by text', () => {
    const { embeddings } = vertex.operations;
    assert.equal(
      embeddings?.path('text-embedding-005', SETTINGS),
      '/projects/acme-prod/locations/europe-west4/publishers/google/models/text-embedding-005:predict',
    );
    assert.equal(embeddings?.serves?.('claude-sonnet-4-5'), false);
    assert.deepEqual(embeddings?.encode?.({ input: ['a', 'b'], dimensions: 2 }, 'text-embedding-005').body, {
      instances: [{ content: 'a' }, { content: 'b' }],
      parameters: { outputDimensionality: 2 },
    });
    const prediction = (values: number[], token_count?: number) => ({ embeddings: { values, statistics: { token_count } } });
    const decode = (...predictions: unknown[]) => embeddings?.decode?.({ predictions }, { input: ['a', 'b'] }, 'alias', {});
    const decoded = decode(prediction([1, 2], 3), prediction([3, 4], 4));
    assert.equal(decoded?.usage?.inputUncachedTokens, 7);
    assert.deepEqual((decoded?.answer as { data: unknown[] } | undefined)?.data[1], { object: 'embedding', index: 1, embedding: [3, 4] });
    assert.equal(decode(prediction([1, 2], 3), prediction([3, 4]))?.usage, null, 'a sum with a hole is none');
  });

  it('reads errors of the platform and of the publisher', () => {
    const code = (status: number, body: unknown) => vertex.classifyError(status, JSON.stringify(body), {}).code;
    assert.equal(code(429, [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'quota' } }]), 'provider_rate_limited');
    assert.equal(code(529, { type: 'error', error: { type: 'overloaded_error', message: 'x' } }), 'provider_unavailable');
    assert.equal(vertex.classifyError(502, '<html>', {}).code, 'provider_unavailable');
  });
});

describe('service account', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const grants: URLSearchParams[] = [];
  const authority = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      grants.push(new URLSearchParams(text));
      sendJson(response, { access_token: 'ya29.test', expires_in: 3599, token_type: 'Bearer' });
    });
  });
  let tokenUri = '';
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  before(async () => {
    tokenUri = `http://127.0.0.1:${await listen(authority)}/token`;
    upstream = await startUpstream((request, response) => {
      response.setHeader('content-type', request.path.includes('stream') ? 'text/event-stream' : 'application/json');
      const provider = request.path.includes('claude') ? 'anthropic' : 'gemini';
      response.end(request.path.includes('stream') ? fixture(provider, 'text.sse') : JSON.stringify(jsonFixture(provider, 'text')));
    });
    const secrets = { serviceAccountJson: { literal: keyFile() } };
    gateway = await startGateway(
      testSnapshot(upstream.baseUrl, {
        providers: [testProvider(upstream.baseUrl, { kind: 'vertex', apiKey: null, settings: SETTINGS, secrets })],
        models: [
          testModel('small', { upstreamModel: 'gemini-2.5-flash' }),
          testModel('large', { upstreamModel: 'claude-sonnet-4-5@20250929' }),
        ],
      }),
    );
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
    await closeServer(authority);
  });

  function keyFile(change: Record<string, unknown> = {}): string {
    return JSON.stringify({
      type: 'service_account',
      client_email: 'plimsoll@acme-prod.iam.gserviceaccount.com',
      private_key: privateKey,
      private_key_id: 'key-1',
      token_uri: tokenUri,
      ...change,
    });
  }

  async function ask(model: string, stream: boolean): Promise<Response> {
    return fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
    });
  }

  it('buys a token with a signed assertion and sends it with every call, to both publishers', async () => {
    let first = await ask('small', false);
    while (first.status === 502) first = await ask('small', false);
    assert.equal(first.status, 200);
    assert.match(await first.text(), /Plimsoll-Strich/);
    for (const [model, isStream] of [
      ['small', true],
      ['large', false],
      ['large', true],
    ] as const) {
      const answer = await ask(model, isStream);
      assert.equal(answer.status, 200, `${model} ${isStream}`);
      assert.match(await answer.text(), /verbote/);
    }
    assert.ok(upstream.requests.every(({ headers }) => headers.authorization === 'Bearer ya29.test'));
    assert.equal(grants.length, 1, 'one token for all calls');
    assert.equal(grants[0]?.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
    const verified = await jwtVerify(grants[0]?.get('assertion') ?? '', await importSPKI(publicKey, 'RS256'), {
      issuer: 'plimsoll@acme-prod.iam.gserviceaccount.com',
      audience: tokenUri,
    });
    assert.equal(verified.payload.scope, 'https://www.googleapis.com/auth/cloud-platform');
    assert.equal(verified.protectedHeader.kid, 'key-1');
    assert.equal((verified.payload.exp ?? 0) - (verified.payload.iat ?? 0), 3600);
    const [last] = gateway.journal.settled.at(-1)?.attempts ?? [];
    assert.equal(last?.usageSource, 'reported');
  });

  it('says what is wrong with a key file without showing any of it', async () => {
    const failure = async (text: string): Promise<string> => {
      const grant = serviceAccountGrant(new Credentials(null, new Map([['serviceAccountJson', new Secret(text)]])));
      try {
        await grant?.form(systemClock.nowMs());
      } catch (thrown) {
        assert.ok(thrown instanceof PlimsollError && thrown.code === 'provider_auth_failed');
        return thrown.message;
      }
      return assert.fail('no error');
    };
    assert.match(await failure('{"client_email": "canary'), /not the JSON key file/);
    assert.match(await failure(keyFile({ token_uri: 'ftp://x' })), /not the JSON key file/);
    assert.match(
      await failure(keyFile({ private_key: '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----' })),
      /cannot be used to sign/,
    );
    assert.equal(serviceAccountGrant(new Credentials(null)), null);
  });
});
