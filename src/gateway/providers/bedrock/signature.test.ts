import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { Secret } from '../../../kernel/secret.ts';
import { ProviderConfig } from '../../../models/config.ts';
import { Credentials } from '../../credentials.ts';
import { jsonFixture } from '../../hub/testing.ts';
import { findProviderProblems, providerKinds } from '../../provider-kinds.ts';
import {
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
  type UpstreamRequest,
} from '../../testing.ts';
import { signForBedrock } from './signature.ts';
import { fixtureFrames } from './testing.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', sessionToken: 'session-canary' };
const MODEL = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Signature version 4 from its specification, step by step, over a request as the provider got it. */
function expectedAuthorization(request: UpstreamRequest, region: string): string {
  const { headers } = request;
  const authorization = String(headers.authorization);
  const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const canonicalHeaders = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  // Every segment is encoded once more than it is on the wire.
  const path = request.path.split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', path, '', canonicalHeaders.join(''), signed, sha256(request.body)].join('\n');
  const date = String(headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = ['bedrock', 'aws4_request'].reduce<Buffer>(hmac, hmac(hmac(`AWS4${KEYS.secretAccessKey}`, date.slice(0, 8)), region));
  return `AWS4-HMAC-SHA256 Credential=${KEYS.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${hmac(key, toSign).toString('hex')}`;
}

describe('Bedrock signature', () => {
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  before(async () => {
    upstream = await startUpstream((request, response) => {
      if (!request.path.endsWith('-stream')) return sendJson(response, jsonFixture('bedrock', 'text'));
      response.setHeader('content-type', 'application/vnd.amazon.eventstream');
      for (const frame of fixtureFrames('text')) response.write(frame);
      response.end();
    });
    const origin = upstream.baseUrl.replace(/\/v1$/, '');
    const secrets = Object.fromEntries(Object.entries(KEYS).map(([name, literal]) => [name, { literal }]));
    gateway = await startGateway(
      testSnapshot(origin, {
        providers: [testProvider(origin, { kind: 'bedrock', apiKey: null, settings: { region: 'eu-central-1' }, secrets })],
        models: [testModel('small', { upstreamModel: MODEL }), testModel('large', { upstreamModel: MODEL })],
      }),
    );
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  async function ask(body: Record<string, unknown> = {}): Promise<Response> {
    return fetch(`${gateway.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'Grüße, 世界' }], ...body }),
    });
  }

  it('is what the specification says, over path, body hash and session token, and differs from call to call', async () => {
    assert.equal((await ask()).status, 200);
    assert.equal((await ask({ temperature: 0.5 })).status, 200);
    const [first, second] = upstream.requests;
    assert.ok(first !== undefined && second !== undefined);
    for (const request of [first, second]) {
      assert.equal(request.headers.authorization, expectedAuthorization(request, 'eu-central-1'));
      assert.match(
        String(request.headers.authorization),
        /SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token,/,
      );
      assert.equal(request.path, `/model/${encodeURIComponent(MODEL)}/converse`);
      assert.equal(request.headers['x-amz-security-token'], 'session-canary');
    }
    assert.notEqual(first.headers.authorization, second.headers.authorization);
    assert.doesNotMatch(JSON.stringify(upstream.requests), /wJalrXUtnFEMI/);
  });

  it('opens a stream of frames, which reaches the client as events', async () => {
    upstream.requests.length = 0;
    const answer = await ask({ stream: true, stream_options: { include_usage: true } });
    const text = await answer.text();
    assert.equal(upstream.requests[0]?.path, `/model/${encodeURIComponent(MODEL)}/converse-stream`);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.match(text, /data: \[DONE\]\n\n$/);
    assert.match(text, /"usage":\{"prompt_tokens":19,"completion_tokens":31/);
    const [attempt] = gateway.journal.settled.at(-1)?.attempts ?? [];
    assert.deepEqual([attempt?.usageSource, attempt?.usage?.outputTextTokens, attempt?.finishReasons], ['reported', 31, ['stop']]);
    const id = /"id":"(chatcmpl-[^"]+)"/.exec(text)?.[1];
    assert.equal(id, `chatcmpl-${gateway.journal.settled.at(-1)?.callId}`);
  });

  it('breaks the client’s stream when a frame is damaged, and answers an error when it is the first', async () => {
    const original = upstream.script;
    const damaged = (at: number) => {
      const frames = fixtureFrames('text');
      const frame = frames[at] as Buffer;
      frame[frame.length - 6] = (frame[frame.length - 6] as number) ^ 1;
      upstream.script = (_request, response) => {
        response.setHeader('content-type', 'application/vnd.amazon.eventstream');
        response.end(Buffer.concat(frames));
      };
    };
    damaged(0);
    const first = await ask({ stream: true });
    assert.equal(first.status, 502);
    assert.match(await first.text(), /provider_bad_response/);
    damaged(3);
    const later = await ask({ stream: true });
    const text = await later.text().catch(() => 'cut');
    assert.doesNotMatch(text, /\[DONE\]/);
    assert.equal(gateway.journal.settled.at(-1)?.errorType, 'provider_stream_cut');
    upstream.script = original;
  });

  it('tells an exception before the first content from an answer', async () => {
    const original = upstream.script;
    upstream.script = (_request, response) => {
      response.setHeader('x-amzn-errortype', 'ThrottlingException:http://internal');
      sendJson(response, { message: 'Too many tokens, please wait. session-canary' }, 429);
    };
    const answer = await ask();
    assert.equal(answer.status, 429);
    const text = await answer.text();
    assert.match(text, /provider_rate_limited/);
    assert.doesNotMatch(text, /session-canary/);
    upstream.script = original;
  });

  it('is not made with a Bedrock API key', () => {
    const request = { host: 'h', path: '/p', contentType: 'application/json', body: Buffer.from('{}') };
    assert.deepEqual(signForBedrock(request, new Credentials(new Secret('bedrock-api-key')), { region: 'eu-central-1' }, 0), {});
    assert.throws(
      () => signForBedrock(request, new Credentials(null), { region: 'eu-central-1' }, 0),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'provider_auth_failed',
    );
  });
});

describe('Bedrock configuration', () => {
  const parse = (provider: object) => ProviderConfig.parse({ kind: 'bedrock', ...provider });
  const problems = (provider: object) => findProviderProblems(parse(provider)).map(({ message }) => message);

  it('needs a region and either keys or an API key', () => {
    assert.deepEqual(problems({}), ['an AWS region is needed, e.g. eu-central-1']);
    const settings = { region: 'eu-central-1' };
    assert.match(problems({ settings })[0] ?? '', /accessKeyId and secrets\.secretAccessKey are needed/);
    assert.deepEqual(problems({ settings, apiKey: '${KEY}' }), []);
    assert.deepEqual(problems({ settings, secrets: { accessKeyId: '${A}', secretAccessKey: '${B}' } }), []);
    assert.match(problems({ settings, apiKey: '${KEY}', secrets: { accessKeyId: '${A}', secretAccessKey: '${B}' } })[0] ?? '', /not both/);
    assert.match(problems({ settings: { region: 'evil.example/' }, apiKey: '${KEY}' })[0] ?? '', /an AWS region/);
  });

  it('has an address in every partition', () => {
    const url = (region: string) => providerKinds.baseUrlOf(parse({ settings: { region } }));
    assert.equal(url('us-gov-west-1'), 'https://bedrock-runtime.us-gov-west-1.amazonaws.com');
    assert.equal(url('cn-north-1'), 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn');
  });
});
