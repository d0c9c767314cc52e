import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import type { SimulatedProviders } from '../provider-server.ts';
import { see, startSim } from '../testing.ts';
import { countTokens } from '../tokens.ts';

const [SUPPORT] = CORPUS_FEATURES;
const DECLARATIONS = SUPPORT.tools.map((tool) => ({
  name: tool.name,
  description: tool.description,
  parametersJsonSchema: tool.parameters,
}));

describe('simulated providers with the Google GenAI SDK', () => {
  let sim: SimulatedProviders;
  let client: GoogleGenAI;
  before(async () => {
    sim = await startSim({ models: { tiny: { contextTokens: 20 } } }, 7);
    client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `http://127.0.0.1:${sim.port}/gemini` } });
  });
  after(() => sim.close());

  it('answers, and streams the same text with usage in every chunk', async () => {
    const request = { model: 'sim-large', contents: 'Do you ship to Norway, and who pays the customs duty?' };
    const whole = await client.models.generateContent(request);
    assert.match(whole.text ?? '', /VOEC/);
    assert.equal(whole.candidates?.[0]?.finishReason, 'STOP');
    assert.equal(whole.usageMetadata?.candidatesTokenCount, countTokens(whole.text ?? ''));
    let text = '';
    let chunks = 0;
    let last = whole;
    let previousTotal = 0;
    for await (const chunk of await client.models.generateContentStream(request)) {
      chunks++;
      text += chunk.text ?? '';
      const total = chunk.usageMetadata?.totalTokenCount ?? 0;
      assert.ok(total >= previousTotal && total > 0);
      previousTotal = total;
      last = chunk;
    }
    assert.ok(chunks > 10);
    assert.equal(text, whole.text);
    assert.equal(last.candidates?.[0]?.finishReason, 'STOP');
    assert.deepEqual(last.usageMetadata, whole.usageMetadata);
  });

  it('sends a JSON array where server-sent events are not asked for', async () => {
    const body = { contents: [{ parts: [{ text: 'Reply with the word OK.' }] }] };
    const seen = await see(sim.port, '/v1beta/models/sim-large:streamGenerateContent', { body });
    const items = JSON.parse(seen.text);
    assert.equal(
      items
        .map((item: { candidates: { content: { parts: { text: string }[] } }[] }) => item.candidates[0]?.content.parts[0]?.text)
        .join(''),
      'OK',
    );
    const broken = await see(sim.port, '/v1beta/models/sim-large:streamGenerateContent', {
      body: { contents: [{ parts: [{ text: SUPPORT.conversations[0]?.turns[0].question }] }] },
      headers: { 'x-sim-fault': 'malformed_sse' },
    });
    assert.throws(() => JSON.parse(broken.text), SyntaxError);
  });

  it('calls functions and answers from their results; modes are honoured', async () => {
    const contents = [{ role: 'user', parts: [{ text: 'I was charged twice for order TS-110045.' }] }];
    const config = { tools: [{ functionDeclarations: DECLARATIONS }] };
    const first = await client.models.generateContent({ model: 'sim-large', contents, config });
    const [call] = first.functionCalls ?? [];
    assert.deepEqual([call?.name, call?.args], ['get_order_status', { order_id: 'TS-110045' }]);
    for await (const chunk of await client.models.generateContentStream({ model: 'sim-large', contents, config }))
      if (chunk.functionCalls) assert.deepEqual(chunk.functionCalls[0]?.args, call?.args);
    const second = await client.models.generateContent({
      model: 'sim-large',
      config,
      contents: [
        ...contents,
        { role: 'model', parts: [{ functionCall: call ?? {} }] },
        { role: 'user', parts: [{ functionResponse: { name: 'get_order_status', response: { status: 'paid' } } }] },
      ],
    });
    assert.match(second.text ?? '', /reservation/);
    const mode = (value: FunctionCallingConfigMode, allowedFunctionNames?: string[]): Promise<string | undefined> =>
      client.models
        .generateContent({
          model: 'sim-large',
          contents: 'Hello there',
          config: {
            ...config,
            toolConfig: { functionCallingConfig: { mode: value, ...(allowedFunctionNames ? { allowedFunctionNames } : {}) } },
          },
        })
        .then((answer) => answer.functionCalls?.[0]?.name);
    assert.deepEqual(
      [
        await mode(FunctionCallingConfigMode.AUTO),
        await mode(FunctionCallingConfigMode.ANY),
        await mode(FunctionCallingConfigMode.ANY, ['search_docs']),
      ],
      [undefined, 'get_order_status', 'search_docs'],
    );
  });

  it('shows thoughts when asked, counts them apart, and signs calls of a model that thinks', async () => {
    const config = { thinkingConfig: { includeThoughts: true } };
    const answer = await client.models.generateContent({
      model: 'sim-reasoner',
      contents: 'Which law governs the agreement and where do we sue?',
      config,
    });
    const thoughts = answer.candidates?.[0]?.content?.parts?.filter((part) => part.thought) ?? [];
    assert.equal(thoughts.length, 1);
    assert.equal(answer.usageMetadata?.thoughtsTokenCount, countTokens(thoughts[0]?.text ?? ''));
    const { promptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount = 0, totalTokenCount } = answer.usageMetadata ?? {};
    assert.equal(promptTokenCount + candidatesTokenCount + thoughtsTokenCount, totalTokenCount);
    const called = await client.models.generateContent({
      model: 'sim-reasoner',
      contents: 'I was charged twice for order TS-110045.',
      config: { tools: [{ functionDeclarations: DECLARATIONS }] },
    });
    assert.ok(called.candidates?.[0]?.content?.parts?.[0]?.thoughtSignature);
  });

  it('answers JSON of a schema in capitals, ends at limits, counts and embeds', async () => {
    const answer = await client.models.generateContent({
      model: 'sim-small',
      contents: 'Rate this review: the rope is great.',
      config: {
        responseMimeType: 'application/json',
        responseSchema: {
          type: Type.OBJECT,
          properties: { sentiment: { type: Type.STRING, enum: ['good', 'bad'] } },
          required: ['sentiment'],
        },
      },
    });
    assert.ok(['good', 'bad'].includes(JSON.parse(answer.text ?? '').sentiment));
    const short = await client.models.generateContent({
      model: 'sim-small',
      contents: 'How do I tie a bowline knot?',
      config: { maxOutputTokens: 4 },
    });
    assert.deepEqual([short.candidates?.[0]?.finishReason, short.usageMetadata?.candidatesTokenCount], ['MAX_TOKENS', 4]);
    const counted = await client.models.countTokens({ model: 'sim-small', contents: 'How do I tie a bowline knot?' });
    assert.equal(counted.totalTokens, short.usageMetadata?.promptTokenCount);
    const { embeddings = [] } = await client.models.embedContent({
      model: 'sim-small',
      contents: ['rope for a mooring line', 'ropes for mooring lines', 'invoice number'],
      config: { outputDimensionality: 256 },
    });
    const [a = [], b = [], c = []] = embeddings.map(({ values }) => values ?? []);
    const cosine = (left: number[], right: number[]): number => left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
    assert.equal(a.length, 256);
    assert.ok(cosine(a, b) > 0.4 && cosine(a, b) > cosine(a, c) + 0.2, `${cosine(a, b)} ${cosine(a, c)}`);
    assert.ok((await client.models.get({ model: 'sim-large' })).name === 'models/sim-large');
  });

  it('complains in the shape of the provider', async () => {
    const fails = async (status: number, pattern: RegExp, promise: Promise<unknown>): Promise<void> => {
      await assert.rejects(
        promise,
        (error: unknown) => error instanceof ApiError && error.status === status && pattern.test(error.message),
      );
    };
    const faulty = (fault: string): Promise<unknown> =>
      client.models.generateContent({ model: 'sim-large', contents: 'Hi', config: { httpOptions: { headers: { 'x-sim-fault': fault } } } });
    await fails(404, /NOT_FOUND/, client.models.generateContent({ model: 'nope', contents: 'Hi' }));
    await fails(
      400,
      /exceeds the maximum number of tokens/,
      client.models.generateContent({ model: 'tiny', contents: 'word '.repeat(60) }),
    );
    await fails(429, /RESOURCE_EXHAUSTED.*retryDelay":"7s/, faulty('error:429;retry-after=7'));
    await fails(503, /UNAVAILABLE/, faulty('error:503'));
    await fails(400, /API_KEY_INVALID/, faulty('key_revoked'));
    const blocked = (await faulty('content_filter')) as { promptFeedback?: { blockReason?: string } };
    assert.equal(blocked.promptFeedback?.blockReason, 'PROHIBITED_CONTENT');
    const unknown = await see(sim.port, '/v1beta/models/sim-large:generateContent', {
      body: { contents: [{ parts: [{ text: 'Hi' }] }], max_tokens: 4 },
    });
    assert.match(unknown.text, /Unknown name \\"maxTokens\\": Cannot find field/);
    const stream = await see(sim.port, '/gemini/v1beta/models/sim-large:streamGenerateContent?alt=sse&key=k', {
      body: { contents: [{ parts: [{ text: 'Hi' }] }] },
      headers: { 'x-sim-fault': 'content_filter' },
    });
    assert.deepEqual([stream.status, /^data: \{"promptFeedback"/.test(stream.text)], [200, true]);
    const vertex = '/gemini/v1/projects/p/locations/eu/publishers/google/models/sim-large:generateContent';
    assert.equal(
      (
        await see(sim.port, vertex, {
          body: { system_instruction: { parts: [{ text: 'Be brief.' }] }, contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
        })
      ).status,
      200,
    );
  });
});
