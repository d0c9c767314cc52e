import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { systemClock } from '../../kernel/clock.ts';
import {
  sendJson,
  startGateway,
  TEST_KEY,
  type TestGateway,
  testFeature,
  testModel,
  testProvider,
  testRoute,
  testSnapshot,
  until,
} from '../testing.ts';
import { type ByteProvider, startByteProvider } from './testing.ts';

/** What a feature and a route demand of chat: forms with files and lists of texts must pass by all of it. */
describe('operations besides chat, where the feature and the route have rules for chat', () => {
  let provider: ByteProvider;
  let gateway: TestGateway;
  let client: OpenAI;
  before(async () => {
    provider = await startByteProvider();
    gateway = await startGateway(null, systemClock, null, () => 0);
    client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });
  beforeEach(() => {
    provider.requests.length = 0;
    gateway.journal.settled.length = 0;
    gateway.snapshot = testSnapshot(provider.origin, {
      providers: [
        testProvider(provider.origin, { name: 'claude', kind: 'anthropic' }),
        testProvider(provider.origin, { name: 'open', kind: 'openai' }),
      ],
      models: [
        testModel('chat-only', { provider: 'claude' }),
        testModel('small', { provider: 'open' }),
        testModel('large', { provider: 'open' }),
      ],
      routes: [
        testRoute(
          { 'chat-only': { tier: 'simple' }, small: { tier: 'medium' }, large: { tier: 'complex' } },
          {
            strategy: 'complexity',
            classifier: { model: 'small', timeoutMs: 500 },
            shadow: { model: 'large', ratio: 1, maxConcurrent: 4, maxUsdPerDay: 100 },
            hedge: { delayMs: 200, maxRatio: 1, allowSideEffects: false },
            retries: { maxAttempts: 2, baseDelayMs: 1, maxDelayMs: 5, budgetRatio: 1, deadlineMs: 60_000 },
          },
        ),
      ],
      features: [
        testFeature('support', {
          loopBreaker: { sameToolCalls: 2, sameAnswers: 2 },
          output: { schema: { type: 'object', required: ['a'] }, validate: true, validateToolArguments: true, onInvalid: 'reject' },
          cache: {
            mode: 'exact',
            ttlMs: 60_000,
            maxTemperature: 2,
            replay: 'instant',
            keepsToolCalls: false,
            keepsTruncated: false,
            isolation: 'feature',
            semantic: null,
          },
        }),
      ],
    });
  });

  const file = () => toFile(Buffer.from([0xff, 0xfe, 0, 1]), 'a.wav');

  it('are answered by a target that serves them, asked once, neither cached nor mirrored nor judged', async () => {
    provider.answer = (_request, response) => sendJson(response, { text: 'Full ahead.' });
    for (let times = 0; times < 2; times++)
      assert.equal((await client.audio.transcriptions.create({ model: 'main', file: await file() })).text, 'Full ahead.');
    provider.answer = (_request, response) =>
      sendJson(response, { object: 'list', data: [], model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } });
    for (let times = 0; times < 2; times++) await client.embeddings.create({ model: 'main', input: 'same' });
    assert.deepEqual(
      provider.requests.map(({ path }) => path),
      ['/audio/transcriptions', '/audio/transcriptions', '/embeddings', '/embeddings'],
    );
    assert.deepEqual(
      gateway.journal.settled.map(({ status, operation, attempts }) => [
        status,
        operation,
        attempts.map(({ model }) => model === 'chat-only'),
      ]),
      [
        ['ok', 'transcription', [false]],
        ['ok', 'transcription', [false]],
        ['ok', 'embeddings', [false]],
        ['ok', 'embeddings', [false]],
      ],
    );
  });

  it('are tried again and fall back as chat does', async () => {
    provider.answer = (_request, response) => {
      if (provider.requests.length < 3) sendJson(response, { error: { message: 'overloaded' } }, 503);
      else sendJson(response, { text: 'Full ahead.' });
    };
    assert.equal((await client.audio.transcriptions.create({ model: 'main', file: await file() })).text, 'Full ahead.');
    assert.equal(gateway.journal.settled[0]?.attempts.length, 3);
    assert.deepEqual(new Set(provider.requests.map(({ body }) => body.includes(Buffer.from([0xff, 0xfe, 0, 1])))), new Set([true]));
  });

  it('are hedged as chat is: the first answer wins, as JSON and as sound', async () => {
    const slowFirst = (body: string, type: string): void => {
      let asked = 0;
      provider.answer = (_request, response) => {
        const isFirst = asked++ === 0;
        response.setHeader('content-type', type);
        if (!isFirst) response.end(body);
      };
    };
    slowFirst('{"text":"second"}', 'application/json');
    assert.equal((await client.audio.transcriptions.create({ model: 'main', file: await file() })).text, 'second');
    slowFirst('second', 'audio/mpeg');
    assert.equal(await (await client.audio.speech.create({ model: 'main', voice: 'alloy', input: 'x' })).text(), 'second');
    await until(() => gateway.journal.settled.length === 2, 'both are settled');
    assert.deepEqual(
      gateway.journal.settled.map(({ attempts }) => attempts.filter(({ status }) => status === 'ok').length),
      [1, 1],
    );
  });

  it('give the same answer to a repeated idempotency key where answers are JSON, and say so where they are not kept', async () => {
    let count = 0;
    provider.answer = (_request, response) => sendJson(response, { object: 'list', data: [], model: `m-${++count}` });
    const options = { headers: { 'idempotency-key': 'once' } };
    const first = await client.embeddings.create({ model: 'main', input: 'x' }, options);
    const second = await client.embeddings.create({ model: 'main', input: 'x' }, options);
    assert.deepEqual([first.model, second.model, provider.requests.length], ['m-1', 'm-1', 1]);
    provider.answer = (_request, response) => response.setHeader('content-type', 'audio/mpeg').end(`sound ${++count}`);
    const speak = () => client.audio.speech.create({ model: 'main', voice: 'alloy', input: 'x' }, options);
    const sound = await speak();
    assert.match(sound.headers.get('x-plimsoll-warnings') ?? '', /idempotency-key has no effect/);
    assert.notEqual(await sound.text(), await (await speak()).text());
  });
});
