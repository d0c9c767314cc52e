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

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
];
const TOOLS: OpenAI.ChatCompletionFunctionTool[] = [
  { type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];

function cities(message: OpenAI.ChatCompletionMessage | undefined): unknown[] {
  return (message?.tool_calls ?? []).map((call) => (call.type === 'function' ? JSON.parse(call.function.arguments).city : null));
}

proveClient('openai-chat', {
  async chat({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const { choices, usage } = await client(world).chat.completions.create({ model, messages: MESSAGES, max_tokens: 50 });
    assert.equal(choices[0]?.message.content, 'Grüße aus Oslo 🚢');
    assert.equal(choices[0]?.finish_reason, 'stop');
    assert.deepEqual(
      { input: usage?.prompt_tokens, cached: usage?.prompt_tokens_details?.cached_tokens, output: usage?.completion_tokens },
      USAGE,
    );
    assert.ok(world.last.text.includes('Be brief.'));
  },
  async stream({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const stream = client(world).chat.completions.stream({ model, messages: MESSAGES, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on('content', (delta) => deltas.push(delta));
    const final = await stream.finalChatCompletion();
    assert.ok(deltas.length > 1);
    assert.equal(final.choices[0]?.message.content, deltas.join(''));
    assert.equal(final.choices[0]?.message.content, 'Grüße aus Oslo 🚢');
    assert.equal(final.usage?.completion_tokens, USAGE.output);
  },
  async tools({ world, model }) {
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const openai = client(world);
    const first = await openai.chat.completions.create({ model, messages: MESSAGES, tools: TOOLS });
    const message = first.choices[0]?.message;
    assert.ok(message !== undefined);
    assert.deepEqual(cities(message), ['Oslo', 'Tōkyō']);
    assert.equal(first.choices[0]?.finish_reason, 'tool_calls');
    const results = (message.tool_calls ?? []).map((call, index) => ({
      role: 'tool' as const,
      tool_call_id: call.id,
      content: weather(cities(message)[index]),
    }));
    const second = await openai.chat.completions.create({ model, messages: [...MESSAGES, message, ...results], tools: TOOLS });
    assert.equal(second.choices[0]?.message.content, 'Both cold.');
    assertResultsSent(world);
  },
  async streamedTools({ world, model }) {
    world.next(asks(...WEATHER_CALLS));
    const stream = client(world).chat.completions.stream({ model, messages: MESSAGES, tools: TOOLS });
    const final = await stream.finalChatCompletion();
    assert.deepEqual(cities(final.choices[0]?.message), ['Oslo', 'Tōkyō']);
  },
  async structuredOutput({ world, model }) {
    world.next(says('{"city":"Oslo","degrees":9}'));
    const { choices } = await client(world).chat.completions.parse({
      model,
      messages: MESSAGES,
      response_format: { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema: SCHEMA } },
    });
    assert.deepEqual(JSON.parse(choices[0]?.message.content ?? ''), { city: 'Oslo', degrees: 9 });
    assert.ok(world.last.text.includes('"degrees"'));
  },
  async images({ world, model }) {
    world.next(says('A pixel.'));
    const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PIXEL}` } };
    await client(world).chat.completions.create({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, image] }] });
    assert.ok(world.last.text.includes(PIXEL));
  },
  async abort({ world, model }) {
    world.next({ kind: 'hang', text: 'never ends' });
    const stream = await client(world).chat.completions.create({ model, messages: MESSAGES, stream: true });
    try {
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) stream.controller.abort();
    } catch (error) {
      assert.ok(error instanceof APIUserAbortError);
    }
    await until(() => world.last.isClosedEarly, 'the provider is cancelled');
  },
  async retry({ world, model }) {
    world.next(fails(503, 'try again'), says('second try'));
    const { choices } = await client(world, { maxRetries: 1 }).chat.completions.create({ model, messages: MESSAGES });
    assert.equal(choices[0]?.message.content, 'second try');
    assert.equal(world.received.length, 2);
  },
  async errors({ world, model }) {
    const create = (options: { apiKey?: string } = {}, name: string = model) =>
      client(world, options).chat.completions.create({ model: name, messages: MESSAGES });
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
