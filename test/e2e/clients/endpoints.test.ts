/** Official clients at every endpoint besides chat, against every kind of provider that serves it, as the simulator plays it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { OpenAIEmbeddings } from '@langchain/openai';
import { embedMany, generateImage, generateSpeech, transcribe } from 'ai';
import OpenAI, { NotFoundError, toFile } from 'openai';
import {
  closeServer,
  listen,
  sendJson,
  startGateway,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
} from '../../../src/gateway/testing.ts';
import type { SimulatedProviders } from '../../../src/sim/provider-server.ts';
import { startSim } from '../../../src/sim/testing.ts';
import { KEY, PIXEL } from './harness.ts';
import { ENDPOINT_CALLS } from './matrix.ts';
import { Proof } from './proven.ts';

const TEXTS = ['The harbour is full of boats.', 'A ship is in the port.'];
const EMBEDDERS = ['openai', 'openai-compatible', 'azure-openai', 'gemini', 'mistral', 'cohere'];
const CHATS = ['openai', 'openai-compatible', 'azure-openai', 'anthropic', 'gemini', 'mistral', 'cohere', 'bedrock'];
/** What the gateway answers itself. */
const OWN = ['gateway'];

interface Clients {
  readonly openai: OpenAI;
  readonly ai: ReturnType<typeof createOpenAI>;
  readonly anthropic: Anthropic;
  readonly google: GoogleGenAI;
  readonly langchain: (model: string) => OpenAIEmbeddings;
}

/** Half a second of silence. */
function sound(): Buffer {
  const samples = 8_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples * 2, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples * 2, 40);
  return Buffer.concat([head, Buffer.alloc(samples * 2)]);
}

const soundFile = () => toFile(sound(), 'question.wav', { type: 'audio/wav' });

function assertVectors(vectors: readonly (readonly number[])[]): void {
  assert.equal(vectors.length, TEXTS.length);
  for (const vector of vectors) assert.ok(vector.length > 3 && vector.every(Number.isFinite));
  assert.equal(vectors[0]?.length, vectors[1]?.length);
  assert.notDeepEqual(vectors[0], vectors[1]);
}

interface Cell {
  readonly kinds: readonly string[];
  run(clients: Clients, model: string): Promise<void>;
}

const CELLS: Readonly<Record<string, Cell>> = {
  'openai-completions': {
    kinds: ['openai', 'openai-compatible'],
    async run({ openai }, model) {
      const prompt = 'Say hello to Ada.';
      const whole = await openai.completions.create({ model, prompt });
      const text = whole.choices[0]?.text ?? '';
      assert.ok(text !== '' && (whole.usage?.completion_tokens ?? 0) > 0);
      let streamed = '';
      for await (const chunk of await openai.completions.create({ model, prompt, stream: true })) streamed += chunk.choices[0]?.text ?? '';
      assert.equal(streamed, text);
    },
  },
  'openai-embeddings': {
    kinds: EMBEDDERS,
    async run({ openai }, model) {
      // The client asks for base64 by itself, and for floats when told to.
      const { data, usage } = await openai.embeddings.create({ model, input: TEXTS });
      assertVectors(data.map(({ embedding }) => embedding));
      assert.ok(usage.prompt_tokens > 0);
      const floats = await openai.embeddings.create({ model, input: TEXTS, encoding_format: 'float' });
      for (const [index, { embedding }] of floats.data.entries())
        for (const [place, value] of embedding.entries()) assert.ok(Math.abs(value - (data[index]?.embedding[place] ?? 9)) < 1e-6);
    },
  },
  'ai-embeddings': {
    kinds: EMBEDDERS,
    async run({ ai }, model) {
      assertVectors((await embedMany({ model: ai.embedding(model), values: TEXTS })).embeddings);
    },
  },
  'langchain-embeddings': {
    kinds: EMBEDDERS,
    async run({ langchain }, model) {
      assertVectors(await langchain(model).embedDocuments(TEXTS));
    },
  },
  'openai-rerank': {
    kinds: ['cohere'],
    async run({ openai }, model) {
      const body = { model, query: 'ship in the port', documents: TEXTS, top_n: 1 };
      const { results } = await openai.post<{ results: { index: number; relevance_score: number }[] }>('/rerank', { body });
      assert.deepEqual(
        results.map(({ index }) => index),
        [1],
      );
    },
  },
  'openai-moderations': {
    kinds: ['openai', 'openai-compatible'],
    async run({ openai }, model) {
      const { results } = await openai.moderations.create({ model, input: TEXTS });
      assert.deepEqual(
        results.map(({ flagged }) => flagged),
        [false, false],
      );
    },
  },
  'openai-images': {
    kinds: ['openai', 'openai-compatible', 'azure-openai'],
    async run({ openai }, model) {
      const { data } = await openai.images.generate({ model, prompt: 'A ship', n: 1, size: '1024x1024' });
      assert.equal(Buffer.from(data?.[0]?.b64_json ?? '', 'base64').toString('latin1', 1, 4), 'PNG');
    },
  },
  'ai-images': {
    kinds: ['openai', 'openai-compatible'],
    async run({ ai }, model) {
      const { image } = await generateImage({ model: ai.image(model), prompt: 'A ship', size: '1024x1024' });
      assert.equal(Buffer.from(image.uint8Array).toString('latin1', 1, 4), 'PNG');
    },
  },
  // The simulator makes pictures and does not change any: what is sent to it as multipart is held against a provider of this test.
  'openai-image-edits': {
    kinds: ['openai', 'openai-compatible'],
    async run({ openai }, model) {
      const image = await toFile(Buffer.from(PIXEL, 'base64'), 'pixel.png', { type: 'image/png' });
      const { data } = await openai.images.edit({ model: `edits-${model}`, image, prompt: 'Make it blue' });
      assert.equal(data?.[0]?.b64_json, PIXEL);
    },
  },
  'openai-speech': {
    kinds: ['openai', 'openai-compatible', 'azure-openai'],
    async run({ openai }, model) {
      const answer = await openai.audio.speech.create({ model, voice: 'alloy', input: 'Full ahead', response_format: 'wav' });
      assert.equal(Buffer.from(await answer.arrayBuffer()).toString('latin1', 0, 4), 'RIFF');
    },
  },
  'ai-speech': {
    kinds: ['openai', 'openai-compatible'],
    async run({ ai }, model) {
      const { audio } = await generateSpeech({ model: ai.speech(model), text: 'Full ahead', outputFormat: 'wav' });
      assert.equal(Buffer.from(audio.uint8Array).toString('latin1', 0, 4), 'RIFF');
    },
  },
  'openai-transcriptions': {
    kinds: ['openai', 'openai-compatible', 'azure-openai'],
    async run({ openai }, model) {
      assert.ok((await openai.audio.transcriptions.create({ model, file: await soundFile() })).text.length > 0);
    },
  },
  'ai-transcriptions': {
    kinds: ['openai', 'openai-compatible'],
    async run({ ai }, model) {
      assert.ok((await transcribe({ model: ai.transcription(model), audio: sound() })).text.length > 0);
    },
  },
  'openai-translations': {
    kinds: ['openai', 'openai-compatible', 'azure-openai'],
    async run({ openai }, model) {
      assert.ok((await openai.audio.translations.create({ model, file: await soundFile() })).text.length > 0);
    },
  },
  'openai-stored': {
    kinds: ['openai'],
    async run({ openai }, model) {
      const first = await openai.responses.create({ model, input: 'Say hello to Ada.', store: true });
      assert.equal((await openai.responses.retrieve(first.id)).output_text, first.output_text);
      const second = await openai.responses.create({ model, input: 'And to Grace.', previous_response_id: first.id });
      assert.equal(second.previous_response_id, first.id);
      await openai.responses.delete(first.id);
      await assert.rejects(openai.responses.retrieve(first.id), NotFoundError);
    },
  },
  'openai-models': {
    kinds: OWN,
    async run({ openai }) {
      const { data } = await openai.models.list();
      assert.ok(data.some(({ id }) => id === 'openai'));
      assert.equal((await openai.models.retrieve('openai')).object, 'model');
      await assert.rejects(openai.models.retrieve('nope'), NotFoundError);
    },
  },
  'anthropic-models': {
    kinds: OWN,
    async run({ anthropic }) {
      const { data } = await anthropic.models.list();
      assert.ok(data.some(({ id }) => id === 'anthropic'));
      assert.equal((await anthropic.models.retrieve('anthropic')).type, 'model');
    },
  },
  'anthropic-count': {
    kinds: CHATS,
    async run({ anthropic }, model) {
      const count = await anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: TEXTS[0] ?? '' }] });
      assert.ok(count.input_tokens > 3 && count.input_tokens < 100, `${count.input_tokens}`);
    },
  },
  'google-models': {
    kinds: OWN,
    async run({ google }) {
      const names: unknown[] = [];
      for await (const { name } of await google.models.list()) names.push(name);
      assert.ok(names.includes('models/gemini'), JSON.stringify(names));
      assert.equal((await google.models.get({ model: 'gemini' })).name, 'models/gemini');
    },
  },
  'google-count': {
    kinds: CHATS,
    async run({ google }, model) {
      const { totalTokens } = await google.models.countTokens({ model, contents: TEXTS[0] ?? '' });
      assert.ok((totalTokens ?? 0) > 3 && (totalTokens ?? 0) < 100, `${totalTokens}`);
    },
  },
};

describe('endpoints besides chat', () => {
  let sim: SimulatedProviders;
  let running: TestGateway;
  let clients: Clients;
  const editor = createServer((request, response) => {
    if (!request.url?.endsWith('/images/edits')) {
      sendJson(response, { error: { message: 'not here' } }, 404);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isWhole = body.includes(Buffer.from(PIXEL, 'base64')) && body.includes('Make it blue') && body.includes('gpt-image-1');
      sendJson(
        response,
        isWhole ? { created: 1, data: [{ b64_json: PIXEL }] } : { error: { message: 'something is missing' } },
        isWhole ? 200 : 400,
      );
    });
  });
  before(async () => {
    sim = await startSim({}, 7);
    const origin = `http://127.0.0.1:${sim.port}`;
    const editorUrl = `http://127.0.0.1:${await listen(editor)}/v1`;
    const provider = (kind: string, path: string, rest = {}) => testProvider(`${origin}${path}`, { name: kind, kind, ...rest });
    const timeouts = { connectMs: 60_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 120_000 };
    const providers = [
      provider('openai', '/openai/v1'),
      provider('openai-compatible', '/openai/v1'),
      provider('azure-openai', '', { settings: { apiVersion: 'v1' } }),
      provider('anthropic', '/anthropic/v1'),
      provider('gemini', '/gemini/v1beta'),
      provider('mistral', '/mistral/v1'),
      provider('cohere', '/cohere/v2'),
      provider('bedrock', '/bedrock', { settings: { region: 'eu-central-1' } }),
    ].map((entry) => ({ ...entry, timeouts }));
    const editors = ['openai', 'openai-compatible'].map((kind) => testProvider(editorUrl, { name: `edits-${kind}`, kind, timeouts }));
    running = await startGateway(
      testSnapshot(origin, {
        providers: [...providers, ...editors],
        models: [
          ...providers.map(({ name }) => testModel(name, { provider: name, upstreamModel: 'sim-large' })),
          ...editors.map(({ name }) => testModel(name, { provider: name, upstreamModel: 'gpt-image-1' })),
        ],
        routes: [],
      }),
    );
    const baseURL = running.baseUrl;
    clients = {
      openai: new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 }),
      ai: createOpenAI({ baseURL, apiKey: KEY }),
      anthropic: new Anthropic({ baseURL: running.origin, apiKey: KEY, maxRetries: 0 }),
      google: new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: running.origin, retryOptions: { attempts: 1 } } }),
      langchain: (model) => new OpenAIEmbeddings({ model, apiKey: KEY, maxRetries: 0, configuration: { baseURL } }),
    };
  });
  const cells = Object.values(CELLS).reduce((sum, { kinds }) => sum + kinds.length, 0);
  const proof = new Proof('endpoints', cells);
  after(async () => {
    await running.close();
    await sim.close();
    await closeServer(editor);
    proof.close();
  });

  it('are all in the matrix', () => {
    assert.deepEqual(Object.keys(CELLS).sort(), ENDPOINT_CALLS.map(({ id }) => id).sort());
  });

  for (const { id, package: client, api } of ENDPOINT_CALLS) {
    describe(`${client}: ${api}`, () => {
      for (const kind of CELLS[id]?.kinds ?? []) {
        it(`to ${kind}`, async () => {
          await CELLS[id]?.run(clients, kind);
          proof.pass(id, kind);
        });
      }
    });
  }
});
