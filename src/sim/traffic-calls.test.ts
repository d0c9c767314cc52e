import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { CORPUS_FEATURES } from './corpus/features.ts';
import type { SimulatedProviders } from './provider-server.ts';
import { startSim } from './testing.ts';
import { type Answer, type CallOrder, callChat, callResponses, type Message } from './traffic-calls.ts';
import { callMessages, MessagesError } from './traffic-messages.ts';

const [SUPPORT] = CORPUS_FEATURES;
const QUESTION = 'Where is my order TS-104233? It should have been here on Monday.';

describe('one call of the traffic', () => {
  let sim: SimulatedProviders;
  let client: OpenAI;
  before(async () => {
    // Slow enough to be left in the middle.
    sim = await startSim({ latencyFactor: 1, models: { slow: { ttftMedianMs: 1, ttftP95Ms: 1, tokensPerSecond: 400 } } });
    client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
  });
  after(() => sim.close());

  const order = (values: Partial<CallOrder>): CallOrder => ({
    model: 'slow',
    messages: [
      { role: 'system', text: SUPPORT.systemPrompt },
      { role: 'user', text: QUESTION },
    ],
    tools: [],
    isStream: false,
    leavesEarly: false,
    caller: { user: 'u', session: 's', customer: null, tags: {} },
    signal: new AbortController().signal,
    nowMs: () => performance.now(),
    ...values,
  });
  const APIS: Readonly<Record<string, (order: CallOrder) => Promise<Answer>>> = {
    chat: (asked) => callChat(client, asked),
    responses: (asked) => callResponses(client, asked),
    messages: (asked) => callMessages(`http://127.0.0.1:${sim.port}/v1`, 'any', asked),
  };

  for (const [name, call] of Object.entries(APIS)) {
    it(`${name}: JSON and stream give the same text, calls and counts; results of tools are understood`, async () => {
      const tools = SUPPORT.tools;
      const whole = await call(order({ tools }));
      const streamed = await call(order({ tools, isStream: true }));
      const facts = ({ text, toolCalls, inputTokens, outputTokens }: Answer): unknown => [
        text,
        toolCalls.map((use) => [use.name, use.arguments]),
        inputTokens,
        outputTokens,
      ];
      assert.deepEqual(facts(streamed), facts(whole));
      assert.deepEqual(
        whole.toolCalls.map((use) => use.arguments),
        ['{"order_id":"TS-104233"}'],
      );
      assert.ok(whole.inputTokens > 0 && whole.outputTokens > 0 && whole.firstContentMs === null && streamed.firstContentMs !== null);
      const messages: Message[] = [
        ...order({}).messages,
        { role: 'assistant', text: whole.text, toolCalls: whole.toolCalls },
        ...whole.toolCalls.map((use): Message => ({ role: 'tool', callId: use.id, text: '{"status":"in_transit"}' })),
      ];
      assert.match((await call(order({ tools, messages, isStream: true }))).text, /Hamburg hub/);
    });

    it(`${name}: who leaves early closes the connection`, async () => {
      const before = sim.stats().aborted;
      const left = await call(order({ isStream: true, leavesEarly: true }));
      assert.ok(left.wasLeft && left.text.length > 0 && left.text.length < 60);
      while (sim.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(sim.stats().aborted, before + 1);
    });

    it(`${name}: errors, and streams that break, are thrown`, async () => {
      const faulty = (fault: string, isStream: boolean): Promise<Answer> =>
        call(order({ isStream, messages: [{ role: 'user', text: `${QUESTION}\n[[sim:fault=${fault}]]` }] }));
      for (const [fault, isStream] of [
        ['error:503', false],
        ['error:429', true],
        ['cut_after=5', true],
        ['error_after=5', true],
      ] as const)
        await assert.rejects(faulty(fault, isStream), `${fault} ${isStream}`);
    });
  }

  it('messages: an error keeps its status and type', async () => {
    await assert.rejects(
      callMessages(`http://127.0.0.1:${sim.port}/v1`, 'any', order({ model: 'nope' })),
      (error: unknown) => error instanceof MessagesError && error.status === 404 && error.type === 'not_found_error',
    );
  });
});
