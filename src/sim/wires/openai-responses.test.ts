import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import type { SimulatedProviders } from '../provider-server.ts';
import { ResponseMemory } from '../response-memory.ts';
import { startSim } from '../testing.ts';
import { countTokens } from '../tokens.ts';

const [SUPPORT] = CORPUS_FEATURES;
const TOOLS = SUPPORT.tools.map((tool) => ({
  type: 'function' as const,
  name: tool.name,
  description: tool.description,
  parameters: { ...tool.parameters },
  strict: true,
}));

describe('simulated responses with the openai SDK', () => {
  let sim: SimulatedProviders;
  let client: OpenAI;
  before(async () => {
    sim = await startSim({}, 7);
    client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/openai/v1`, maxRetries: 0 });
  });
  after(() => sim.close());

  it('answers, and streams the same with numbered events in the order of the API', async () => {
    const body = {
      model: 'sim-reasoner',
      input: 'Do you ship to Norway, and who pays the customs duty?',
      reasoning: { summary: 'auto' as const },
    };
    const whole = await client.responses.create(body);
    assert.match(whole.output_text, /VOEC/);
    assert.deepEqual(
      whole.output.map(({ type }) => type),
      ['reasoning', 'message'],
    );
    assert.equal((whole.usage?.output_tokens_details.reasoning_tokens ?? 0) + countTokens(whole.output_text), whole.usage?.output_tokens);
    const types: string[] = [];
    let text = '';
    let last: OpenAI.Responses.Response | null = null;
    for await (const event of await client.responses.create({ ...body, stream: true })) {
      assert.equal(event.sequence_number, types.length);
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') last = event.response;
    }
    assert.equal(text, whole.output_text);
    assert.deepEqual(last?.usage, whole.usage);
    assert.deepEqual(
      types.filter((type, at) => type !== types[at - 1]),
      [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.reasoning_summary_part.added',
        'response.reasoning_summary_text.delta',
        'response.reasoning_summary_text.done',
        'response.reasoning_summary_part.done',
        'response.output_item.done',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ],
    );
    const final = await client.responses.stream(body).finalResponse();
    assert.equal(final.output_text, whole.output_text);
  });

  it('keeps the conversation behind previous_response_id: tool results, then questions', async () => {
    const first = await client.responses.create({
      model: 'sim-large',
      input: 'Where is my order TS-104233? It should have been here on Monday.',
      tools: TOOLS,
      instructions: 'Be brief.',
    });
    const [call] = first.output;
    assert.ok(call?.type === 'function_call');
    assert.deepEqual(JSON.parse(call.arguments), { order_id: 'TS-104233' });
    const second = await client.responses.create({
      model: 'sim-large',
      previous_response_id: first.id,
      tools: TOOLS,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: '{"status":"in_transit"}' }],
    });
    assert.match(second.output_text, /Hamburg hub/);
    const third = await client.responses.create({
      model: 'sim-large',
      previous_response_id: second.id,
      tools: TOOLS,
      input: 'OK, I will use the parcel shop. Thanks!',
    });
    assert.match(third.output_text, /pick-up code/);
    assert.ok((third.usage?.input_tokens ?? 0) > (second.usage?.input_tokens ?? 0));
    const stored = await client.responses.retrieve(second.id);
    assert.equal(stored.output_text ?? '', second.output_text);
    await client.responses.delete(second.id);
    await assert.rejects(client.responses.retrieve(second.id), NotFoundError);
    await assert.rejects(
      client.responses.create({ model: 'sim-large', previous_response_id: second.id, input: 'Hi' }),
      (error: unknown) => error instanceof BadRequestError && error.code === 'previous_response_not_found',
    );
    const unstored = await client.responses.create({ model: 'sim-large', input: 'Hi', store: false });
    await assert.rejects(client.responses.retrieve(unstored.id), NotFoundError);
  });

  it('streams arguments of calls, honours formats, limits and refusals', async () => {
    const stream = client.responses.stream({ model: 'sim-large', input: 'I was charged twice for order TS-110045.', tools: TOOLS });
    const { output } = await stream.finalResponse();
    assert.ok(output[0]?.type === 'function_call' && output[0].arguments === '{"order_id":"TS-110045"}');
    const schema = {
      type: 'object',
      properties: { mood: { type: 'string', enum: ['good', 'bad'] } },
      required: ['mood'],
      additionalProperties: false,
    };
    const typed = await client.responses.create({
      model: 'sim-small',
      input: 'Rate it.',
      text: { format: { type: 'json_schema', name: 'rating', schema, strict: true } },
    });
    assert.ok(['good', 'bad'].includes(JSON.parse(typed.output_text).mood));
    const short = await client.responses.create({
      model: 'sim-large',
      input: 'How do tides change the choice of an anchor chain?',
      max_output_tokens: 16,
    });
    assert.deepEqual(
      [short.status, short.incomplete_details, short.usage?.output_tokens],
      ['incomplete', { reason: 'max_output_tokens' }, 16],
    );
    const refused = await client.responses.create({ model: 'sim-large', input: 'Hi' }, { headers: { 'x-sim-fault': 'refusal' } });
    assert.ok(refused.output[0]?.type === 'message' && refused.output[0].content[0]?.type === 'refusal');
  });

  it('refuses what belongs to the other API, and results without a call', async () => {
    const wrong = { model: 'sim-large', input: 'Hi', max_tokens: 5 } as OpenAI.Responses.ResponseCreateParamsNonStreaming; // what is wrong is what is tested
    await assert.rejects(
      client.responses.create(wrong),
      (error: unknown) => error instanceof BadRequestError && /Unsupported parameter: 'max_tokens'/.test(error.message),
    );
    await assert.rejects(
      client.responses.create({ model: 'sim-large', input: [{ type: 'function_call_output', call_id: 'x', output: '1' }] }),
      BadRequestError,
    );
    const events: string[] = [];
    await assert.rejects(async () => {
      const options = { headers: { 'x-sim-fault': 'error_after=3' } };
      for await (const event of await client.responses.create({ model: 'sim-large', input: 'Hi', stream: true }, options))
        events.push(event.type);
    });
    assert.equal(events.length, 3);
  });

  it('keeps a bounded number of answers', () => {
    const memory = new ResponseMemory();
    for (let at = 0; at < 2_500; at++) memory.put(`${at}`, { turns: [], callIds: new Set(), body: at, characters: 10 });
    assert.deepEqual([memory.get('499'), memory.get('500')?.body], [null, 500]);
    memory.put('huge', { turns: [], callIds: new Set(), body: 'huge', characters: 40 * 1024 * 1024 });
    assert.equal(memory.get('2499'), null);
  });
});

describe('simulated embeddings with the openai SDK', () => {
  it('gives close vectors to texts that share words, the same each time, in both encodings', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const input = ['Where is my order?', 'Where is my order now?', 'Wie wasche ich die Jacke?'];
    const { data, usage } = await client.embeddings.create({ model: 'sim-small', input });
    const float = await client.embeddings.create({ model: 'sim-small', input, encoding_format: 'float', dimensions: 1_536 });
    const cosine = (a: number, b: number): number =>
      (data[a]?.embedding ?? []).reduce((sum, value, at) => sum + value * (data[b]?.embedding[at] ?? 0), 0);
    assert.ok(cosine(0, 1) > 0.8 && cosine(0, 2) < 0.2, `${cosine(0, 1)} ${cosine(0, 2)}`);
    for (const [at, { embedding }] of data.entries())
      for (const [place, value] of embedding.entries()) assert.ok(Math.abs(value - (float.data[at]?.embedding[place] ?? 9)) < 1e-6);
    assert.equal(
      usage.prompt_tokens,
      input.reduce((sum, text) => sum + countTokens(text), 0),
    );
    assert.equal((await client.embeddings.create({ model: 'sim-small', input: 'x', dimensions: 64 })).data[0]?.embedding.length, 64);
    await assert.rejects(client.embeddings.create({ model: 'sim-small', input: '' }), BadRequestError);
    await assert.rejects(
      client.embeddings.create({ model: 'sim-small', input: 'word '.repeat(9_000) }),
      (error: unknown) => error instanceof BadRequestError && error.code === 'context_length_exceeded',
    );
    assert.equal(sim.invoice().total.usage.inputUncachedTokens, usage.prompt_tokens * 2 + 1);
    await sim.close();
  });
});
