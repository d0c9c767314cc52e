import assert from 'node:assert/strict';
import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, KEY, PIXEL, proveClient, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

function client(world: World, options: { apiKey?: string; maxRetries?: number } = {}): OpenAI {
  return new OpenAI({ baseURL: `${world.origin}/v1`, apiKey: KEY, maxRetries: 0, ...options });
}

const TOOLS: OpenAI.Responses.FunctionTool[] = [
  { type: 'function', name: 'get_weather', strict: false, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
];

function calls(response: OpenAI.Responses.Response): OpenAI.Responses.ResponseFunctionToolCall[] {
  return response.output.filter((item) => item.type === 'function_call');
}

function cities(response: OpenAI.Responses.Response): unknown[] {
  return calls(response).map((call) => JSON.parse(call.arguments).city);
}

proveClient('openai-responses', {
  async chat({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const response = await client(world).responses.create({ model, instructions: 'Be brief.', input: 'Hi', max_output_tokens: 50 });
    assert.equal(response.output_text, 'Grüße aus Oslo 🚢');
    assert.equal(response.status, 'completed');
    const { usage } = response;
    assert.deepEqual(
      { input: usage?.input_tokens, cached: usage?.input_tokens_details.cached_tokens, output: usage?.output_tokens },
      USAGE,
    );
    assert.ok(world.last.text.includes('Be brief.'));
  },
  async stream({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const stream = client(world).responses.stream({ model, input: 'Hi' });
    const deltas: string[] = [];
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') deltas.push(event.delta);
    }
    assert.ok(deltas.length > 1);
    assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
    assert.deepEqual([types[0], types.at(-1)], ['response.created', 'response.completed']);
    const final = await stream.finalResponse();
    assert.equal(final.output_text, 'Grüße aus Oslo 🚢');
    assert.equal(final.usage?.output_tokens, USAGE.output);
  },
  async tools({ world, model }) {
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const openai = client(world);
    const first = await openai.responses.create({ model, input: 'Weather?', tools: TOOLS });
    assert.deepEqual(cities(first), ['Oslo', 'Tōkyō']);
    const results = calls(first).map((call, index) => ({
      type: 'function_call_output' as const,
      call_id: call.call_id,
      output: weather(cities(first)[index]),
    }));
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Weather?' }, ...calls(first), ...results];
    const second = await openai.responses.create({ model, input, tools: TOOLS });
    assert.equal(second.output_text, 'Both cold.');
    assertResultsSent(world);
  },
  async streamedTools({ world, model }) {
    world.next(asks(...WEATHER_CALLS));
    const stream = client(world).responses.stream({ model, input: 'Weather?', tools: TOOLS });
    const deltas: string[] = [];
    stream.on('response.function_call_arguments.delta', (event) => deltas.push(event.delta));
    const final = await stream.finalResponse();
    assert.deepEqual(cities(final), ['Oslo', 'Tōkyō']);
    // Gemini sends calls whole.
    assert.ok(deltas.length > (model === 'gemini' ? 1 : 2));
  },
  async structuredOutput({ world, model }) {
    world.next(says('{"city":"Oslo","degrees":9}'));
    const response = await client(world).responses.parse({
      model,
      input: 'Weather?',
      text: { format: { type: 'json_schema', name: 'weather', strict: true, schema: SCHEMA } },
    });
    assert.deepEqual(response.output_parsed ?? JSON.parse(response.output_text), { city: 'Oslo', degrees: 9 });
    assert.ok(world.last.text.includes('"degrees"'));
  },
  async images({ world, model }) {
    world.next(says('A pixel.'));
    const image = { type: 'input_image' as const, image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' as const };
    await client(world).responses.create({ model, input: [{ role: 'user', content: [{ type: 'input_text', text: 'What?' }, image] }] });
    assert.ok(world.last.text.includes(PIXEL));
  },
  async abort({ world, model }) {
    world.next({ kind: 'hang', text: 'never ends' });
    const stream = await client(world).responses.create({ model, input: 'Hi', stream: true });
    try {
      for await (const event of stream) if (event.type === 'response.output_text.delta') stream.controller.abort();
    } catch (error) {
      assert.ok(error instanceof APIUserAbortError);
    }
    await until(() => world.last.isClosedEarly, 'the provider is cancelled');
  },
  async retry({ world, model }) {
    world.next(fails(503, 'try again'), says('second try'));
    const response = await client(world, { maxRetries: 1 }).responses.create({ model, input: 'Hi' });
    assert.equal(response.output_text, 'second try');
    assert.equal(world.received.length, 2);
  },
  async errors({ world, model }) {
    const create = (options: { apiKey?: string } = {}, name: string = model) =>
      client(world, options).responses.create({ model: name, input: 'Hi' });
    await assert.rejects(create({ apiKey: 'plk_wrong' }), AuthenticationError);
    await assert.rejects(create({}, 'nope'), NotFoundError);
    world.next(fails(400, 'bad request'));
    await assert.rejects(create(), BadRequestError);
    world.next(fails(429, 'slow down'), fails(429, 'slow down'), fails(429, 'slow down'));
    await assert.rejects(create(), RateLimitError);
    world.next(fails(500, 'oops'), fails(500, 'oops'), fails(500, 'oops'));
    await assert.rejects(create(), InternalServerError);
  },
});
