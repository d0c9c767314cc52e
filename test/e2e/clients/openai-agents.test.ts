import assert from 'node:assert/strict';
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import { assertResultsSent, type CaseContext, KEY, proveClient, WEATHER_CALLS, weather } from './harness.ts';
import { asks, says } from './scenario.ts';

// Its traces go to OpenAI, which cannot be reached from here.
setTracingDisabled(true);

/** An agent that calls one tool twice at once, reads both results and answers. */
function agentLoop(useResponses: boolean): (context: CaseContext) => Promise<void> {
  return async ({ world, model }) => {
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
    const modelProvider = new OpenAIProvider({ apiKey: KEY, baseURL: `${world.origin}/v1`, useResponses });
    const agent = new Agent({ name: 'Weather', instructions: 'Be brief.', model, tools: [getWeather] });
    for (const stream of [false, true]) {
      world.next(asks(...WEATHER_CALLS), says('Both cold.'));
      cities.length = 0;
      const runner = new Runner({ modelProvider });
      const result = stream ? await runner.run(agent, 'Weather?', { stream: true }) : await runner.run(agent, 'Weather?');
      if ('completed' in result) await result.completed;
      assert.equal(result.finalOutput, 'Both cold.');
      assert.deepEqual(cities, ['Oslo', 'Tōkyō']);
      assertResultsSent(world);
      assert.equal(world.received.length, 2);
    }
  };
}

proveClient('agents-chat', { agentLoop: agentLoop(false) });
proveClient('agents-responses', { agentLoop: agentLoop(true) });
