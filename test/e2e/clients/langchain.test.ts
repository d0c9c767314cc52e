import assert from 'node:assert/strict';
import { HumanMessage, SystemMessage, ToolMessage, type UsageMetadata } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { APIUserAbortError } from 'openai';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, KEY, PIXEL, proveClient, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

function client(world: World, model: string, options: { apiKey?: string; maxRetries?: number } = {}): ChatOpenAI {
  const { apiKey = KEY, maxRetries = 0 } = options;
  return new ChatOpenAI({ model, apiKey, maxRetries, configuration: { baseURL: `${world.origin}/v1` } });
}

const WEATHER = tool(({ city }: { city: string }) => weather(city), {
  name: 'get_weather',
  description: 'Weather',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
});
const MESSAGES = [new SystemMessage('Be brief.'), new HumanMessage('Hi')];

proveClient('langchain', {
  async chat({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const answer = await client(world, model).invoke(MESSAGES);
    assert.equal(answer.content, 'Grüße aus Oslo 🚢');
    // Declared as never for this client's generic message.
    const usage = answer.usage_metadata as UsageMetadata | undefined;
    assert.deepEqual({ input: usage?.input_tokens, cached: usage?.input_token_details?.cache_read, output: usage?.output_tokens }, USAGE);
    assert.ok(world.last.text.includes('Be brief.'));
  },
  async stream({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const deltas: string[] = [];
    for await (const chunk of await client(world, model).stream(MESSAGES)) if (chunk.content !== '') deltas.push(String(chunk.content));
    assert.ok(deltas.length > 1);
    assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
  },
  async tools({ world, model }) {
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const bound = client(world, model).bindTools([WEATHER]);
    const first = await bound.invoke(MESSAGES);
    const calls = first.tool_calls ?? [];
    assert.deepEqual(
      calls.map((call) => call.args.city),
      ['Oslo', 'Tōkyō'],
    );
    const results = calls.map((call) => new ToolMessage({ tool_call_id: call.id ?? '', content: weather(call.args.city) }));
    const second = await bound.invoke([...MESSAGES, first, ...results]);
    assert.equal(second.content, 'Both cold.');
    assertResultsSent(world);
  },
  async streamedTools({ world, model }) {
    world.next(asks(...WEATHER_CALLS));
    const chunks = await client(world, model).bindTools([WEATHER]).stream(MESSAGES);
    let whole: Awaited<ReturnType<typeof chunks.next>>['value'] | null = null;
    for await (const chunk of chunks) whole = whole === null ? chunk : whole.concat(chunk);
    assert.deepEqual(
      whole?.tool_calls?.map((call: { args: { city?: unknown } }) => call.args.city),
      ['Oslo', 'Tōkyō'],
    );
  },
  async structuredOutput({ world, model }) {
    world.next(says('{"city":"Oslo","degrees":9}'));
    const structured = client(world, model).withStructuredOutput(
      { title: 'weather', ...SCHEMA },
      { method: 'jsonSchema', name: 'weather' },
    );
    assert.deepEqual(await structured.invoke(MESSAGES), { city: 'Oslo', degrees: 9 });
    assert.ok(world.last.text.includes('"degrees"'));
  },
  async images({ world, model }) {
    world.next(says('A pixel.'));
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } };
    await client(world, model).invoke([new HumanMessage({ content: [{ type: 'text', text: 'What?' }, image] })]);
    assert.ok(world.last.text.includes(PIXEL));
  },
  async abort({ world, model }) {
    world.next({ kind: 'hang', text: 'never ends' });
    const controller = new AbortController();
    await assert.rejects(
      async () => {
        for await (const chunk of await client(world, model).stream(MESSAGES, { signal: controller.signal }))
          if (chunk.content !== '') controller.abort();
      },
      (error: unknown) => error instanceof APIUserAbortError || (error instanceof Error && /abort/i.test(`${error.name} ${error.message}`)),
    );
    await until(() => world.last.isClosedEarly, 'the provider is cancelled');
  },
  async retry({ world, model }) {
    world.next(fails(503, 'try again'), says('second try'));
    const answer = await client(world, model, { maxRetries: 1 }).invoke(MESSAGES);
    assert.equal(answer.content, 'second try');
    assert.equal(world.received.length, 2);
  },
  async errors({ world, model }) {
    const fail = async (status: number, name: string = model, apiKey: string = KEY): Promise<void> => {
      await assert.rejects(
        client(world, name, { apiKey }).invoke(MESSAGES),
        (error: unknown) => error instanceof Error && 'status' in error && error.status === status,
        String(status),
      );
    };
    await fail(401, model, 'plk_wrong');
    await fail(404, 'nope');
    world.next(fails(400, 'bad request'));
    await fail(400);
    world.next(fails(429, 'slow down'), fails(429, 'slow down'), fails(429, 'slow down'));
    await fail(429);
    world.next(fails(500, 'oops'), fails(500, 'oops'), fails(500, 'oops'));
    await fail(502);
  },
});
