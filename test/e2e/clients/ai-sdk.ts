/** The cells of Vercel's AI SDK: the same for each of its providers. */
import assert from 'node:assert/strict';
import { APICallError, generateText, jsonSchema, type LanguageModel, type ModelMessage, Output, stepCountIs, streamText, tool } from 'ai';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, type CaseContext, PIXEL, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import type { Case } from './matrix.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

const WEATHER = {
  get_weather: tool({
    description: 'Weather',
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }),
    execute: ({ city }: { city: string }) => weather(city),
  }),
};

/** @param make the provider's model behind the gateway, with a key of its own where one is given */
export function aiSdkCases(
  make: (world: World, model: string, apiKey?: string) => LanguageModel,
): Readonly<Partial<Record<Case, (context: CaseContext) => Promise<void>>>> {
  return {
    async chat({ world, model }) {
      world.next(says('Grüße aus Oslo 🚢'));
      const { text, finishReason, usage } = await generateText({
        model: make(world, model),
        instructions: 'Be brief.',
        prompt: 'Hi',
        maxOutputTokens: 50,
      });
      assert.equal(text, 'Grüße aus Oslo 🚢');
      assert.equal(finishReason, 'stop');
      assert.deepEqual({ input: usage.inputTokens, cached: usage.inputTokenDetails.cacheReadTokens, output: usage.outputTokens }, USAGE);
      assert.ok(world.last.text.includes('Be brief.'));
    },
    async stream({ world, model }) {
      world.next(says('Grüße aus Oslo 🚢'));
      const result = streamText({ model: make(world, model), prompt: 'Hi' });
      const deltas: string[] = [];
      for await (const delta of result.textStream) deltas.push(delta);
      assert.ok(deltas.length > 1);
      assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
      assert.equal(await result.finishReason, 'stop');
      assert.equal((await result.usage).outputTokens, USAGE.output);
    },
    async tools({ world, model }) {
      world.next(asks(...WEATHER_CALLS), says('Both cold.'));
      const { text, steps } = await generateText({
        model: make(world, model),
        prompt: 'Weather?',
        tools: WEATHER,
        stopWhen: stepCountIs(3),
      });
      assert.equal(text, 'Both cold.');
      assert.deepEqual(
        steps[0]?.toolCalls.map((call) => (call.dynamic ? null : call.input.city)),
        ['Oslo', 'Tōkyō'],
      );
      assertResultsSent(world);
    },
    async streamedTools({ world, model }) {
      world.next(asks(...WEATHER_CALLS), says('Both cold.'));
      const result = streamText({ model: make(world, model), prompt: 'Weather?', tools: WEATHER, stopWhen: stepCountIs(3) });
      assert.equal((await result.steps).length, 2);
      assert.deepEqual(
        (await result.steps)[0]?.toolCalls.map((call) => (call.dynamic ? null : call.input.city)),
        ['Oslo', 'Tōkyō'],
      );
      assertResultsSent(world);
    },
    async structuredOutput({ world, model }) {
      world.next(says('{"city":"Oslo","degrees":9}'));
      const { output } = await generateText({
        model: make(world, model),
        prompt: 'Weather?',
        output: Output.object({ schema: jsonSchema<{ city: string; degrees: number }>(SCHEMA) }),
      });
      assert.deepEqual(output, { city: 'Oslo', degrees: 9 });
      assert.ok(world.last.text.includes('degrees'));
    },
    async images({ world, model }) {
      world.next(says('A pixel.'));
      const messages: ModelMessage[] = [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'file', mediaType: 'image/png', data: Buffer.from(PIXEL, 'base64') },
          ],
        },
      ];
      await generateText({ model: make(world, model), messages });
      assert.ok(world.last.text.includes(PIXEL));
    },
    async abort({ world, model }) {
      world.next({ kind: 'hang', text: 'never ends' });
      const controller = new AbortController();
      const result = streamText({ model: make(world, model), prompt: 'Hi', abortSignal: controller.signal, onError: () => {} });
      for await (const part of result.fullStream) if (part.type === 'text-delta') controller.abort();
      await until(() => world.last.isClosedEarly, 'the provider is cancelled');
    },
    async retry({ world, model }) {
      world.next(fails(503, 'try again'), says('second try'));
      const { text } = await generateText({ model: make(world, model), prompt: 'Hi', maxRetries: 1 });
      assert.equal(text, 'second try');
      assert.equal(world.received.length, 2);
    },
    async errors({ world, model }) {
      const fail = async (status: number, isRetryable: boolean, name: string = model, apiKey?: string): Promise<void> => {
        await assert.rejects(
          generateText({ model: make(world, name, apiKey), prompt: 'Hi', maxRetries: 0 }),
          (error: unknown) => APICallError.isInstance(error) && error.statusCode === status && error.isRetryable === isRetryable,
          String(status),
        );
      };
      await fail(401, false, model, 'plk_wrong');
      await fail(404, false, 'nope');
      world.next(fails(400, 'bad request'));
      await fail(400, false);
      world.next(fails(429, 'slow down'), fails(429, 'slow down'), fails(429, 'slow down'));
      await fail(429, true);
      world.next(fails(500, 'oops'), fails(500, 'oops'), fails(500, 'oops'));
      await fail(502, true);
    },
  };
}
