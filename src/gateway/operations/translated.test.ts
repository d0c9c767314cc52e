import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import OpenAI from 'openai';
import type { SnapshotProvider } from '../snapshot.ts';
import { sendJson, TEST_KEY, type TestGateway } from '../testing.ts';
import { type ByteProvider, snapshotBefore, startBefore, startByteProvider } from './testing.ts';

const VECTORS = [
  [0.5, -1.25, 2],
  [1, 2, 3],
];

interface Case {
  readonly provider: Partial<SnapshotProvider>;
  readonly model: string;
  readonly input: readonly string[];
  readonly path: string;
  readonly sent: unknown;
  readonly answer: unknown;
  readonly headers?: Record<string, string>;
  /** Null = estimated. */
  readonly tokens: number | null;
}

const KEYS = { accessKeyId: { literal: 'AKID' }, secretAccessKey: { literal: 'secret' } };
const TWO = ['a', 'b'];
const CASES: Readonly<Record<string, Case>> = {
  gemini: {
    provider: { kind: 'gemini' },
    model: 'gemini-embedding-001',
    input: TWO,
    path: '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    sent: {
      requests: TWO.map((text) => ({ model: 'models/gemini-embedding-001', content: { parts: [{ text }] }, outputDimensionality: 3 })),
    },
    answer: { embeddings: VECTORS.map((values) => ({ values })) },
    tokens: null,
  },
  'gemini that reports': {
    provider: { kind: 'gemini' },
    model: 'gemini-embedding-2',
    input: TWO,
    path: '/v1beta/models/gemini-embedding-2:batchEmbedContents',
    sent: {
      requests: TWO.map((text) => ({ model: 'models/gemini-embedding-2', content: { parts: [{ text }] }, outputDimensionality: 3 })),
    },
    answer: { embeddings: VECTORS.map((values) => ({ values })), usageMetadata: { promptTokenCount: 4 } },
    tokens: 4,
  },
  cohere: {
    provider: { kind: 'cohere' },
    model: 'embed-v4.0',
    input: TWO,
    path: '/v2/embed',
    sent: { model: 'embed-v4.0', texts: TWO, input_type: 'search_document', embedding_types: ['float'], output_dimension: 3 },
    answer: { id: 'e-1', embeddings: { float: VECTORS }, meta: { billed_units: { input_tokens: 5 } } },
    tokens: 5,
  },
  mistral: {
    provider: { kind: 'mistral' },
    model: 'mistral-embed',
    input: TWO,
    path: '/v1/embeddings',
    sent: { model: 'mistral-embed', input: TWO, output_dimension: 3, encoding_format: 'float' },
    answer: {
      object: 'list',
      data: VECTORS.map((embedding, index) => ({ object: 'embedding', index, embedding })),
      model: 'mistral-embed',
      usage: { prompt_tokens: 6, total_tokens: 6 },
    },
    tokens: 6,
  },
  'bedrock titan': {
    provider: { kind: 'bedrock', apiKey: null, settings: { region: 'eu-central-1' }, secrets: KEYS },
    model: 'amazon.titan-embed-text-v2:0',
    input: ['a'],
    path: '/model/amazon.titan-embed-text-v2%3A0/invoke',
    sent: { inputText: 'a', dimensions: 3 },
    answer: { embedding: VECTORS[0], inputTextTokenCount: 2 },
    tokens: 2,
  },
  'bedrock cohere': {
    provider: { kind: 'bedrock', apiKey: null, settings: { region: 'eu-central-1' }, secrets: KEYS },
    model: 'cohere.embed-multilingual-v3',
    input: TWO,
    path: '/model/cohere.embed-multilingual-v3/invoke',
    sent: { texts: TWO, input_type: 'search_document', embedding_types: ['float'], output_dimension: 3 },
    answer: { embeddings: { float: VECTORS }, id: 'x' },
    headers: { 'x-amzn-bedrock-input-token-count': '7' },
    tokens: 7,
  },
};

describe('embeddings of providers with a format of their own', () => {
  let provider: ByteProvider;
  let gateway: TestGateway;
  let client: OpenAI;
  before(async () => {
    provider = await startByteProvider();
    gateway = await startBefore(provider, { kind: 'openai' });
    client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await provider.close();
  });
  beforeEach(() => {
    provider.requests.length = 0;
    gateway.journal.settled.length = 0;
  });

  function use({ provider: kind, model }: Case): void {
    // As control would: the version path stands in the address.
    const version = { gemini: '/v1beta', cohere: '/v2', mistral: '/v1' }[kind.kind ?? ''] ?? '';
    gateway.snapshot = snapshotBefore(provider, { ...kind, baseUrl: `${provider.origin}${version}` }, { upstreamModel: model });
  }

  for (const [name, entry] of Object.entries(CASES)) {
    it(`${name}: floats and base64 come out as OpenAI's do`, async () => {
      use(entry);
      provider.answer = (_request, response) => sendJson(response, entry.answer, 200, entry.headers ?? {});
      const answer = await client.embeddings.create({ model: 'small', input: [...entry.input], dimensions: 3, encoding_format: 'float' });
      assert.deepEqual(
        answer.data.map(({ index, embedding, object }) => [object, index, embedding]),
        entry.input.map((_, index) => ['embedding', index, VECTORS[index]]),
      );
      assert.equal(provider.requests[0]?.path, entry.path);
      assert.deepEqual(JSON.parse(provider.requests[0]?.body.toString() ?? ''), entry.sent);
      const attempt = gateway.journal.settled[0]?.attempts[0];
      assert.equal(attempt?.usageSource, entry.tokens === null ? 'estimated' : 'reported');
      if (entry.tokens !== null)
        assert.deepEqual([attempt?.usage?.inputUncachedTokens, attempt?.costPicoUsd], [entry.tokens, `${entry.tokens}000000`]);
      if (name === 'mistral') return; // its own answer is in base64 where that was asked for
      // The client asks for base64 by itself and turns it into floats.
      const encoded = await client.embeddings.create({ model: 'small', input: [...entry.input] });
      assert.deepEqual(
        encoded.data.map(({ embedding }) => embedding),
        entry.input.map((_, index) => VECTORS[index]),
      );
    });
  }

  it('refuse what cannot be said, and name it', async () => {
    const refused = async (entry: string, body: Record<string, unknown>): Promise<string> => {
      use(CASES[entry] as Case); // a name of the table
      const answer = await fetch(`${gateway.baseUrl}/embeddings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', input: 'x', ...body }),
      });
      assert.equal(answer.status, 400);
      return ((await answer.json()) as { error: { param: string } }).error.param;
    };
    assert.equal(await refused('gemini', { input: [[1, 2, 3]] }), 'input[0]');
    assert.equal(await refused('gemini', { input: '' }), 'input');
    assert.equal(await refused('cohere', { input: Array(97).fill('x') }), 'input');
    assert.equal(await refused('bedrock titan', { input: TWO }), 'input');
    assert.equal(await refused('gemini', { dimensions: 0 }), 'dimensions');
    assert.equal(await refused('gemini', { encoding_format: 'int8' }), 'encoding_format');
    assert.equal(provider.requests.length, 0);
  });

  it('name what they assume, and take what the client says', async () => {
    use(CASES.cohere as Case); // a name of the table
    provider.answer = (_request, response) => sendJson(response, CASES.cohere?.answer);
    const ask = (body: Record<string, unknown>) =>
      fetch(`${gateway.baseUrl}/embeddings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', input: TWO, ...body }),
      });
    assert.match((await ask({})).headers.get('x-plimsoll-warnings') ?? '', /input_type search_document was sent/);
    assert.equal((await ask({ input_type: 'search_query' })).headers.get('x-plimsoll-warnings'), null);
    assert.equal((JSON.parse(provider.requests[1]?.body.toString() ?? '') as { input_type: string }).input_type, 'search_query');
  });

  it('are no answer when they are fewer than the texts, or no numbers', async () => {
    for (const answer of [{ embeddings: [{ values: VECTORS[0] }] }, { embeddings: TWO.map(() => ({ values: ['x'] })) }, {}]) {
      use(CASES.gemini as Case); // a name of the table
      provider.answer = (_request, response) => sendJson(response, answer);
      await assert.rejects(
        client.embeddings.create({ model: 'small', input: TWO }),
        (error) => error instanceof OpenAI.APIError && error.status === 502,
      );
    }
  });
});
