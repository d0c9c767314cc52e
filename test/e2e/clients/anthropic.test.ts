import assert from 'node:assert/strict';
import Anthropic, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, KEY, PIXEL, proveClient, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

function client(world: World, options: { apiKey?: string; maxRetries?: number } = {}): Anthropic {
  return new Anthropic({ baseURL: world.origin, apiKey: KEY, maxRetries: 0, ...options });
}

const MESSAGES: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }];
const TOOLS: Anthropic.Tool[] = [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }];

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function toolUses(message: Anthropic.Message): Anthropic.ToolUseBlock[] {
  return message.content.filter((block) => block.type === 'tool_use');
}

function cities(message: Anthropic.Message): unknown[] {
  return toolUses(message).map((block) => (block.input as { city: unknown }).city);
}

proveClient('anthropic', {
  async chat({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const message = await client(world).messages.create({ model, max_tokens: 50, system: 'Be brief.', messages: MESSAGES });
    assert.equal(textOf(message), 'Grüße aus Oslo 🚢');
    assert.equal(message.stop_reason, 'end_turn');
    const { usage } = message;
    const cached = usage.cache_read_input_tokens ?? 0;
    assert.deepEqual({ input: usage.input_tokens + cached, cached, output: usage.output_tokens }, USAGE);
    assert.ok(world.last.text.includes('Be brief.'));
  },
  async stream({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const stream = client(world).messages.stream({ model, max_tokens: 50, messages: MESSAGES });
    const deltas: string[] = [];
    stream.on('text', (delta) => deltas.push(delta));
    const message = await stream.finalMessage();
    assert.ok(deltas.length > 1);
    assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
    assert.equal(textOf(message), 'Grüße aus Oslo 🚢');
    assert.equal(message.usage.output_tokens, USAGE.output);
    assert.equal(message.stop_reason, 'end_turn');
  },
  async tools({ world, model }) {
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const anthropic = client(world);
    const first = await anthropic.messages.create({ model, max_tokens: 50, messages: MESSAGES, tools: TOOLS });
    assert.deepEqual(cities(first), ['Oslo', 'Tōkyō']);
    assert.equal(first.stop_reason, 'tool_use');
    const results = toolUses(first).map((block, index) => ({
      type: 'tool_result' as const,
      tool_use_id: block.id,
      content: weather(cities(first)[index]),
    }));
    const second = await anthropic.messages.create({
      model,
      max_tokens: 50,
      messages: [...MESSAGES, { role: 'assistant', content: first.content }, { role: 'user', content: results }],
      tools: TOOLS,
    });
    assert.equal(textOf(second), 'Both cold.');
    assertResultsSent(world);
  },
  async streamedTools({ world, model }) {
    world.next(asks(...WEATHER_CALLS));
    const stream = client(world).messages.stream({ model, max_tokens: 50, messages: MESSAGES, tools: TOOLS });
    const deltas: string[] = [];
    stream.on('inputJson', (delta) => deltas.push(delta));
    assert.deepEqual(cities(await stream.finalMessage()), ['Oslo', 'Tōkyō']);
    // Gemini sends calls whole.
    assert.ok(deltas.length > (model === 'gemini' ? 1 : 2));
  },
  async structuredOutput({ world, model }) {
    world.next(says('{"city":"Oslo","degrees":9}'));
    const message = await client(world).messages.create({
      model,
      max_tokens: 50,
      messages: MESSAGES,
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
    });
    assert.deepEqual(JSON.parse(textOf(message)), { city: 'Oslo', degrees: 9 });
    assert.ok(world.last.text.includes('"degrees"'));
  },
  async images({ world, model }) {
    world.next(says('A pixel.'));
    const image = { type: 'image' as const, source: { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL } };
    await client(world).messages.create({
      model,
      max_tokens: 50,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, image] }],
    });
    assert.ok(world.last.text.includes(PIXEL));
  },
  async abort({ world, model }) {
    world.next({ kind: 'hang', text: 'never ends' });
    const stream = await client(world).messages.create({ model, max_tokens: 50, messages: MESSAGES, stream: true });
    try {
      for await (const event of stream) if (event.type === 'content_block_delta') stream.controller.abort();
    } catch (error) {
      assert.ok(error instanceof APIUserAbortError);
    }
    await until(() => world.last.isClosedEarly, 'the provider is cancelled');
  },
  async retry({ world, model }) {
    world.next(fails(503, 'try again'), says('second try'));
    const message = await client(world, { maxRetries: 1 }).messages.create({ model, max_tokens: 50, messages: MESSAGES });
    assert.equal(textOf(message), 'second try');
    assert.equal(world.received.length, 2);
  },
  async errors({ world, model }) {
    const create = (options: { apiKey?: string } = {}, name: string = model) =>
      client(world, options).messages.create({ model: name, max_tokens: 50, messages: MESSAGES });
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
