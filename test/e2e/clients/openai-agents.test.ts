import assert from 'node:assert/strict';
import { Agent, type AgentInputItem, type AgentOutputType, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { until } from '../../../src/gateway/testing.ts';
import { assertResultsSent, type CaseContext, KEY, PIXEL, proveClient, SCHEMA, WEATHER_CALLS, type World, weather } from './harness.ts';
import type { Case } from './matrix.ts';
import { asks, fails, says, USAGE } from './scenario.ts';

// Its traces go to OpenAI, which cannot be reached from here.
setTracingDisabled(true);

interface Options {
  readonly apiKey?: string;
  readonly maxRetries?: number;
  readonly signal?: AbortSignal;
}

const OUTPUT: AgentOutputType = {
  type: 'json_schema',
  name: 'weather',
  strict: true,
  schema: { ...SCHEMA, required: ['city', 'degrees'] },
};

function agentCases(useResponses: boolean): Readonly<Record<Case, (context: CaseContext) => Promise<void>>> {
  const runner = (world: World, { apiKey = KEY, maxRetries = 0 }: Options = {}): Runner => {
    const openAIClient = new OpenAI({ apiKey, baseURL: `${world.origin}/v1`, maxRetries });
    return new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses }) });
  };
  const agentOf = (model: string, rest: object = {}): Agent => new Agent({ name: 'Weather', instructions: 'Be brief.', model, ...rest });

  /** An agent that calls one tool twice at once, reads both results and answers. */
  const agentLoop = async ({ world, model }: CaseContext, stream: boolean): Promise<void> => {
    const cities: string[] = [];
    const getWeather = tool({
      name: 'get_weather',
      description: 'Weather',
      strict: false,
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: true },
      execute: (input) => {
        const { city } = input as { city: string };
        cities.push(city);
        return weather(city);
      },
    });
    const agent = agentOf(model, { tools: [getWeather] });
    world.next(asks(...WEATHER_CALLS), says('Both cold.'));
    const result = stream
      ? await runner(world).run(agent, 'Weather?', { stream: true })
      : await runner(world).run(agent, 'Weather?', { stream: false });
    if ('completed' in result) await result.completed;
    assert.equal(result.finalOutput, 'Both cold.');
    assert.deepEqual(cities, ['Oslo', 'Tōkyō']);
    assertResultsSent(world);
    assert.equal(world.received.length, 2);
  };

  return {
    async chat({ world, model }) {
      world.next(says('Grüße aus Oslo 🚢'));
      const { finalOutput, rawResponses } = await runner(world).run(agentOf(model), 'Hi');
      assert.equal(finalOutput, 'Grüße aus Oslo 🚢');
      const usage = rawResponses[0]?.usage;
      assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [USAGE.input, USAGE.output]);
      assert.ok(world.last.text.includes('Be brief.'));
    },
    async stream({ world, model }) {
      world.next(says('Grüße aus Oslo 🚢'));
      const result = await runner(world).run(agentOf(model), 'Hi', { stream: true });
      const deltas: string[] = [];
      for await (const event of result)
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') deltas.push(event.data.delta);
      assert.ok(deltas.length > 1);
      assert.equal(deltas.join(''), 'Grüße aus Oslo 🚢');
      assert.equal(result.finalOutput, 'Grüße aus Oslo 🚢');
    },
    tools: (context) => agentLoop(context, false),
    streamedTools: (context) => agentLoop(context, true),
    async structuredOutput({ world, model }) {
      world.next(says('{"city":"Oslo","degrees":9}'));
      const { finalOutput } = await runner(world).run(agentOf(model, { outputType: OUTPUT }), 'Weather?');
      assert.deepEqual(finalOutput, { city: 'Oslo', degrees: 9 });
      assert.ok(world.last.text.includes('degrees'));
    },
    async images({ world, model }) {
      world.next(says('A pixel.'));
      const image = { type: 'input_image' as const, image: `data:image/png;base64,${PIXEL}` };
      const input: AgentInputItem[] = [{ role: 'user', content: [{ type: 'input_text', text: 'What?' }, image] }];
      const { finalOutput } = await runner(world).run(agentOf(model), input);
      assert.equal(finalOutput, 'A pixel.');
      assert.ok(world.last.text.includes(PIXEL));
    },
    async abort({ world, model }) {
      world.next({ kind: 'hang', text: 'never ends' });
      const controller = new AbortController();
      const result = await runner(world).run(agentOf(model), 'Hi', { stream: true, signal: controller.signal });
      try {
        for await (const event of result)
          if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') controller.abort();
      } catch (error) {
        assert.match(String(error), /abort/i);
      }
      await until(() => world.last.isClosedEarly, 'the provider is cancelled');
    },
    async retry({ world, model }) {
      world.next(fails(503, 'try again'), says('second try'));
      const { finalOutput } = await runner(world, { maxRetries: 1 }).run(agentOf(model), 'Hi');
      assert.equal(finalOutput, 'second try');
      assert.equal(world.received.length, 2);
    },
    async errors({ world, model }) {
      const fail = async (status: number, name: string = model, options: Options = {}): Promise<void> => {
        await assert.rejects(
          runner(world, options).run(agentOf(name), 'Hi'),
          (error: unknown) => error instanceof OpenAI.APIError && error.status === status,
          String(status),
        );
      };
      await fail(401, model, { apiKey: 'plk_wrong' });
      await fail(404, 'nope');
      world.next(fails(400, 'bad request'));
      await fail(400);
      world.next(fails(429, 'slow down'), fails(429, 'slow down'), fails(429, 'slow down'));
      await fail(429);
      world.next(fails(500, 'oops'), fails(500, 'oops'), fails(500, 'oops'));
      await fail(502);
    },
  };
}

proveClient('agents-chat', agentCases(false));
proveClient('agents-responses', agentCases(true));
