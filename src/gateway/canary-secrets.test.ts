import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type ByteProvider, type KeptRequest, startByteProvider } from './operations/testing.ts';
import { eventFrame, exceptionFrame } from './providers/bedrock/testing.ts';
import { ADAPTERS } from './providers/index.gen.ts';
import type { SnapshotProvider } from './snapshot.ts';
import {
  closeServer,
  listen,
  sendJson,
  startGateway,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
} from './testing.ts';

const CANARY = 'canary-5f1c';
const TOKEN = `ya29.${CANARY}-token`;

/** Everything that a provider has seen of our credentials, as it would repeat it in an error. */
function echo({ headers, body }: KeptRequest): string {
  return `refused: ${Object.values(headers).join(' | ')} ${body.toString().slice(0, 200)}`;
}

/** Ways to fail, each with an answer that repeats the credential. */
const FAILURES: Readonly<Record<string, ByteProvider['answer']>> = {
  ...Object.fromEntries(
    [302, 400, 401, 403, 404, 429, 500].map((status) => [
      `status ${status}`,
      (request, response) =>
        sendJson(response, { error: { message: echo(request), code: status, status: 'X' }, message: echo(request) }, status),
    ]),
  ),
  'plain text': (request, response) => response.writeHead(500, { 'content-type': 'text/plain' }).end(echo(request)),
  'an error with status 200': (request, response) => sendJson(response, { type: 'error', error: { message: echo(request) } }),
  'no JSON': (request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(`{${echo(request)}`),
  'an event that is an error': (request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(`data: ${JSON.stringify({ type: 'error', error: { message: echo(request) } })}\n\n`),
  'an event that is none': (request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${echo(request)}\n\n`),
  'a frame that is an exception': (request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      .end(exceptionFrame('validationException', echo(request))),
  'a frame that is none': (request, response) =>
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' }).end(eventFrame('messageStart', echo(request))),
  'a connection that is cut': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{');
    response.destroy();
  },
};

describe('secrets of providers', () => {
  let provider: ByteProvider;
  let gateway: TestGateway;
  let tokenUri = '';
  const authority = createServer((request, response) => {
    request.resume();
    request.on('end', () => sendJson(response, { access_token: TOKEN, expires_in: 3600 }));
  });
  before(async () => {
    provider = await startByteProvider();
    gateway = await startGateway(null);
    tokenUri = `http://127.0.0.1:${await listen(authority)}`;
  });
  after(async () => {
    await gateway.close();
    await provider.close();
    await closeServer(authority);
  });

  const privateKey = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;

  /** A configuration of every kind with all the secrets that it takes. */
  function configured(kind: string): Partial<SnapshotProvider> {
    const secret = (name: string) => ({ literal: `${CANARY}-${name}` });
    switch (kind) {
      case 'bedrock':
        return {
          apiKey: null,
          settings: { region: 'eu-central-1' },
          secrets: { accessKeyId: { literal: 'AKID' }, secretAccessKey: secret('secret'), sessionToken: secret('session') },
        };
      case 'vertex': {
        const file = { client_email: 'a@b.c', private_key: privateKey, private_key_id: `${CANARY}-key`, token_uri: tokenUri };
        return { apiKey: null, settings: { project: 'acme-prod' }, secrets: { serviceAccountJson: { literal: JSON.stringify(file) } } };
      }
      default:
        return { apiKey: secret('api-key') };
    }
  }

  async function ask(path: string, body: Record<string, unknown>): Promise<string> {
    const answer = await fetch(`${gateway.origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', ...body }),
    });
    const text = await answer.text().catch((error: unknown) => String(error));
    return `${answer.status} ${JSON.stringify([...answer.headers])} ${text}`;
  }

  const CHAT = { messages: [{ role: 'user', content: 'hi' }] };

  for (const { kind, operations } of ADAPTERS)
    it(`${kind}: reach the provider and nobody else, whatever goes wrong`, async () => {
      gateway.snapshot = testSnapshot(provider.origin, {
        providers: [testProvider(provider.origin, { kind, ...configured(kind) })],
        models: [testModel('small'), testModel('large')],
      });
      provider.requests.length = 0;
      provider.answer = (_request, response) => sendJson(response, {});
      while ((await ask('/v1/chat/completions', CHAT)).includes('no access token yet'));
      const answers: string[] = [];
      for (const [name, answer] of Object.entries(FAILURES)) {
        provider.answer = answer;
        for (const stream of [false, true]) answers.push(`${name}: ${await ask('/v1/chat/completions', { ...CHAT, stream })}`);
        if (operations.embeddings !== undefined) answers.push(`${name}: ${await ask('/v1/embeddings', { input: 'x' })}`);
      }
      assert.ok(JSON.stringify(provider.requests).includes(CANARY), 'the provider was let in with it');
      assert.ok(
        answers.some((answer) => answer.includes('[secret]')),
        'what the provider said came through, without it',
      );
      const seen = [
        ...answers,
        inspect(gateway.journal, { depth: 20, maxArrayLength: null, maxStringLength: null }),
        ...gateway.journal.records.map(({ payload }) => payload.toString()),
        JSON.stringify(gateway.logLines),
        gateway.gateway.metrics(),
      ];
      for (const text of seen)
        assert.ok(!text.includes(CANARY), text.slice(Math.max(0, text.indexOf(CANARY) - 300), text.indexOf(CANARY) + 60));
      gateway.journal.records.length = 0;
    });
});
