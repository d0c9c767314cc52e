import assert from 'node:assert/strict';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, KEY, PIXEL, proveClient, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

function client(world: World, options: { apiKey?: string; attempts?: number } = {}): GoogleGenAI {
  const { apiKey = KEY, attempts = 1 } = options;
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: world.origin, retryOptions: { attempts } } });
}

const TOOLS = [
  {
    functionDeclarations: [
      { name: 'get_weather', description: 'Weather', parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } } } },
    ],
  },
];

proveClient('google-genai', {
  async chat({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const response = await client(world).models.generateContent({
      model,
      contents: 'Hi',
      config: { systemInstruction: 'Be brief.', maxOutputTokens: 50 },
    });
    assert.equal(response.text, 'Grüße aus Oslo 🚢');
    assert.equal(response.candidates?.[0]?.finishReason, 'STOP');
    const { usageMetadata: usage } = response;
    assert.deepEqual(
      { input: usage?.promptTokenCount, cached: usage?.cachedContentTokenCount, output: usage?.candidatesTokenCount },
      USAGE,
    );
    assert.ok(world.last.text.includes('Be brief.'));
  },
  async stream({ world, model }) {
    world.next(says('Grüße aus Oslo 🚢'));
    const stream = await client(world).models.generateContentStream({ model, contents: 'Hi' });
    const deltas: string[] = [];
    let output: number | undefined;
    for await (const chunk of stream) {
      if (chunk.text) deltas.push(chunk.text);
      output = chunk.usageMetadata?.candidatesTokenCount ?? output;
    }
    assert.ok(deltas.length > 1);
    assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
    assert.equal(output, USAGE.output);
  },
  async tools({ world, model }) {
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const chat = client(world).chats.create({
      model,
      config: { tools: TOOLS, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } } },
    });
    const first = await chat.sendMessage({ message: 'Weather?' });
    const calls = first.functionCalls ?? [];
    assert.deepEqual(
      calls.map((call) => call.args?.city),
      ['Oslo', 'Tōkyō'],
    );
    const second = await chat.sendMessage({
      message: calls.map((call) => ({
        functionResponse: { id: call.id ?? '', name: call.name ?? '', response: { output: weather(call.args?.city) } },
      })),
    });
    assert.equal(second.text, 'Both cold.');
    assertResultsSent(world);
  },
  async streamedTools({ world, model }) {
    world.next(asks(...WEATHER_CALLS));
    const stream = await client(world).models.generateContentStream({ model, contents: 'Weather?', config: { tools: TOOLS } });
    const cities: unknown[] = [];
    for await (const chunk of stream) cities.push(...(chunk.functionCalls ?? []).map((call) => call.args?.city));
    assert.deepEqual(cities, ['Oslo', 'Tōkyō']);
  },
  async structuredOutput({ world, model }) {
    world.next(says('{"city":"Oslo","degrees":9}'));
    const response = await client(world).models.generateContent({
      model,
      contents: 'Weather?',
      config: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA },
    });
    assert.deepEqual(JSON.parse(response.text ?? ''), { city: 'Oslo', degrees: 9 });
    assert.ok(world.last.text.includes('"degrees"'));
  },
  async images({ world, model }) {
    world.next(says('A pixel.'));
    await client(world).models.generateContent({
      model,
      contents: [{ role: 'user', parts: [{ text: 'What?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] }],
    });
    assert.ok(world.last.text.includes(PIXEL));
  },
  async abort({ world, model }) {
    world.next({ kind: 'hang', text: 'never ends' });
    const controller = new AbortController();
    const stream = await client(world).models.generateContentStream({
      model,
      contents: 'Hi',
      config: { abortSignal: controller.signal },
    });
    await assert.rejects(async () => {
      for await (const chunk of stream) if (chunk.text) controller.abort();
    });
    await until(() => world.last.isClosedEarly, 'the provider is cancelled');
  },
  async retry({ world, model }) {
    world.next(fails(503, 'try again'), says('second try'));
    const response = await client(world, { attempts: 2 }).models.generateContent({ model, contents: 'Hi' });
    assert.equal(response.text, 'second try');
    assert.equal(world.received.length, 2);
  },
  async errors({ world, model }) {
    const fail = async (status: number, options: { apiKey?: string } = {}, name: string = model): Promise<void> => {
      await assert.rejects(
        client(world, options).models.generateContent({ model: name, contents: 'Hi' }),
        (error: unknown) => error instanceof ApiError && error.status === status,
        String(status),
      );
    };
    await fail(401, { apiKey: 'plk_wrong' });
    await fail(404, {}, 'nope');
    world.next(fails(400, 'bad request'));
    await fail(400);
    world.next(fails(429, 'slow down'), fails(429, 'slow down'), fails(429, 'slow down'));
    await fail(429);
    world.next(fails(500, 'oops'), fails(500, 'oops'), fails(500, 'oops'));
    await fail(502);
  },
});
