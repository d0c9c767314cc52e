import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { SIM_DIALECTS, type SimDialect } from '../models/config.ts';
import { CORPUS_FEATURES } from '../sim/corpus/features.ts';
import type { SimulatedProviders } from '../sim/provider-server.ts';
import { startSim } from '../sim/testing.ts';
import { simulatedBaseUrl } from './provider-kinds.ts';
import { startGateway, TEST_KEY, TEST_PRICE, type TestGateway, testModel, testProvider, testSnapshot, until } from './testing.ts';

const [SUPPORT] = CORPUS_FEATURES;
const TOOLS = SUPPORT.tools.map((tool) => ({ type: 'function' as const, function: { ...tool, parameters: { ...tool.parameters } } }));
/** As TEST_PRICE, in the words of the simulation. */
const PRICE = { inputPerMillionUsd: 1, cacheReadPerMillionUsd: 0.5, outputPerMillionUsd: 4 };

describe('simulated providers behind the gateway', () => {
  let sim: SimulatedProviders;
  let gateway: TestGateway;
  let client: OpenAI;
  before(async () => {
    sim = await startSim({ models: { 'sim-large': { price: PRICE }, 'sim-reasoner': { price: PRICE } } });
    gateway = await startGateway(null);
    client = new OpenAI({ apiKey: TEST_KEY, baseURL: gateway.baseUrl, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await sim.close();
  });

  function use(dialect: SimDialect): void {
    const baseUrl = simulatedBaseUrl(`http://127.0.0.1:${sim.port}`, dialect);
    assert.ok(baseUrl !== null);
    const provider = testProvider(baseUrl, {
      kind: 'sim',
      dialect,
      isSimulated: true,
      ...(dialect === 'bedrock' ? { settings: { region: 'eu-central-1' } } : {}),
    });
    const model = (name: string): ReturnType<typeof testModel> => testModel(name, { upstreamModel: name, price: TEST_PRICE });
    gateway.snapshot = testSnapshot(baseUrl, {
      providers: [provider],
      models: [model('sim-large'), model('sim-reasoner')],
      routes: [{ name: 'main', targets: ['sim-large'] }],
    });
    gateway.journal.settled.length = 0;
    sim.resetInvoice();
  }

  const ledger = (): bigint => gateway.journal.settled.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? '-1'), 0n);

  for (const dialect of SIM_DIALECTS)
    it(`${dialect}: text, tools and reasoning, JSON and streams; the ledger is the invoice to the pico-dollar`, async () => {
      use(dialect);
      const ask = { role: 'user' as const, content: 'Do you ship to Norway, and who pays the customs duty?' };
      for (const model of ['sim-large', 'sim-reasoner']) {
        const whole = await client.chat.completions.create({ model, messages: [ask] });
        assert.match(whole.choices[0]?.message.content ?? '', /VOEC/);
        let text = '';
        for await (const chunk of await client.chat.completions.create({ model, messages: [ask], stream: true }))
          text += chunk.choices[0]?.delta.content ?? '';
        assert.equal(text, whole.choices[0]?.message.content);
      }
      const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'I was charged twice for order TS-110045.' }];
      const called = await client.chat.completions.create({ model: 'sim-large', messages, tools: TOOLS });
      const [call] = called.choices[0]?.message.tool_calls ?? [];
      assert.ok(call?.type === 'function' && call.function.arguments === '{"order_id":"TS-110045"}', JSON.stringify(called.choices));
      const streamed = await client.chat.completions.stream({ model: 'sim-large', messages, tools: TOOLS }).finalChatCompletion();
      const [again] = streamed.choices[0]?.message.tool_calls ?? [];
      assert.ok(again?.type === 'function' && again.function.arguments === call.function.arguments);
      messages.push({ role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: call.id, content: '{"status":"paid"}' });
      const told = await client.chat.completions.create({ model: 'sim-large', messages, tools: TOOLS });
      assert.match(told.choices[0]?.message.content ?? '', /reservation/);
      await until(() => gateway.journal.settled.length === 7, 'all calls are settled');
      assert.equal(ledger().toString(), sim.invoice().total.costPicoUsd);
      assert.deepEqual([sim.invoice().total.requests, sim.invoice().total.unpricedRequests], [7, 0]);
    });
});
