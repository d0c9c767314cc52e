import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { AGENTS, type AgentScript, ENDING_AGENTS, RUNAWAY_AGENTS } from './corpus/agents.ts';
import { drawTask, isRight } from './corpus/tasks.ts';
import type { SimulatedProviders } from './provider-server.ts';
import { seededRandom } from './seeded-random.ts';
import { startSim } from './testing.ts';

describe('what the simulated models say', () => {
  let sim: SimulatedProviders;
  let client: OpenAI;
  before(async () => {
    sim = await startSim({ models: { coin: { quality: { simple: 1, medium: 0.5, complex: 0 } } } });
    client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
  });
  after(() => sim.close());

  const say = async (model: string, content: string, extra: object = {}): Promise<string> =>
    (await client.chat.completions.create({ model, messages: [{ role: 'user', content }], ...extra })).choices[0]?.message.content ?? '';

  it("answers the README's question from the orders", async () => {
    assert.match(await say('sim-large', 'Where is my order 1042?'), /\*\*1042\*\*/);
    const tool = {
      type: 'function' as const,
      function: { name: 'get_order_status', parameters: { type: 'object', properties: { order_id: { type: 'string' } } } },
    };
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Where is my order 1042?' }];
    const asked = await client.chat.completions.create({ model: 'sim-large', messages, tools: [tool] });
    const [call] = asked.choices[0]?.message.tool_calls ?? [];
    assert.ok(call?.type === 'function' && call.function.arguments === '{"order_id":"1042"}');
    messages.push({ role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: call.id, content: '{"status":"lost at sea"}' });
    const told = await client.chat.completions.create({ model: 'sim-large', messages, tools: [tool] });
    assert.match(told.choices[0]?.message.content ?? '', /lost at sea/);
  });

  it('answers tasks rightly as often as the quality of the model says', async () => {
    const rates: Record<string, number> = {};
    for (const [model, difficulty] of [
      ['coin', 'simple'],
      ['coin', 'medium'],
      ['coin', 'complex'],
      ['sim-large', 'complex'],
      ['sim-small', 'complex'],
    ] as const) {
      const random = seededRandom('quality', difficulty);
      const answers = await Promise.all(
        Array.from({ length: 150 }, async () => {
          const task = drawTask(difficulty, random);
          return isRight(task, await say(model, task.prompt));
        }),
      );
      rates[`${model} ${difficulty}`] = answers.filter(Boolean).length / answers.length;
    }
    const near = (rate: number | undefined, expected: number, within: number): void =>
      assert.ok(Math.abs((rate ?? 9) - expected) <= within, `${JSON.stringify(rates)}: ${expected}`);
    near(rates['coin simple'], 1, 0);
    near(rates['coin medium'], 0.5, 0.13);
    near(rates['coin complex'], 0, 0);
    near(rates['sim-large complex'], 0.92, 0.08);
    near(rates['sim-small complex'], 0.42, 0.13);
  });

  it('keeps the final answer in every style and in JSON', async () => {
    const prompt = 'What is 17 + 25?';
    for (const style of ['standard', 'terse', 'chatty', 'bullets'] as const) {
      const other = await startSim({ models: { styled: { style } } });
      const { choices } = await new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${other.port}/v1` }).chat.completions.create({
        model: 'styled',
        messages: [{ role: 'user', content: prompt }],
      });
      assert.ok(isRight({ truth: '42' }, choices[0]?.message.content ?? ''), choices[0]?.message.content ?? '');
      await other.close();
    }
    const schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'], additionalProperties: false };
    const typed = await say('coin', prompt, {
      response_format: { type: 'json_schema', json_schema: { name: 'result', strict: true, schema } },
    });
    assert.deepEqual(JSON.parse(typed), { answer: '42' });
  });

  async function runAgent(script: AgentScript, mostSteps: number): Promise<{ readonly calls: string[]; readonly answer: string | null }> {
    const tools = script.tools.map((tool) => ({ type: 'function' as const, function: { ...tool, parameters: { ...tool.parameters } } }));
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: script.systemPrompt },
      { role: 'user', content: script.question },
    ];
    const calls: string[] = [];
    while (calls.length < mostSteps) {
      const { choices } = await client.chat.completions.create({ model: 'sim-large', messages, tools });
      const message = choices[0]?.message;
      const [call] = message?.tool_calls ?? [];
      if (call?.type !== 'function') return { calls, answer: message?.content ?? '' };
      calls.push(`${call.function.name} ${call.function.arguments}`);
      const result = script.steps.find((step) => JSON.stringify(step.arguments) === call.function.arguments)?.result;
      messages.push({ role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) });
    }
    return { calls, answer: null };
  }

  it('takes the steps of an agent one by one and comes to an end', async () => {
    for (const script of ENDING_AGENTS) {
      const { calls, answer } = await runAgent(script, 10);
      assert.deepEqual(
        calls,
        script.steps.map((step) => `${step.name} ${JSON.stringify(step.arguments)}`),
      );
      assert.equal(answer, script.answer);
    }
  });

  it('runs away: the same call again and again, or to and fro', async () => {
    for (const script of RUNAWAY_AGENTS) {
      const { calls, answer } = await runAgent(script, 9);
      assert.equal(answer, null);
      assert.equal(new Set(calls).size, script.steps.length);
    }
  });

  it('agents name tools that they have', () => {
    for (const { tools, steps } of AGENTS) for (const step of steps) assert.ok(tools.some(({ name }) => name === step.name));
  });
});
