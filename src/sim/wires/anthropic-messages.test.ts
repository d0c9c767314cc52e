import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic, { AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from '@anthropic-ai/sdk';
import { systemClock } from '../../kernel/clock.ts';
import { simConfig } from '../config.ts';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import { type SimulatedProviders, startSimulatedProviders } from '../provider-server.ts';
import { countTokens } from '../tokens.ts';

const [SUPPORT] = CORPUS_FEATURES;
const TOOLS = SUPPORT.tools.map((tool) => ({
  name: tool.name,
  description: tool.description,
  input_schema: { ...tool.parameters, type: 'object' as const },
}));
const ask = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

describe('simulated providers with the Anthropic SDK', () => {
  let sim: SimulatedProviders;
  let client: Anthropic;
  before(async () => {
    const models = { cached: { cacheHitRate: 1, cacheMinimumTokens: 10 }, uncached: { cacheHitRate: 0, cacheMinimumTokens: 10 } };
    sim = await startSimulatedProviders({ config: simConfig.parse({ latencyFactor: 0, models }), clock: systemClock, port: 0, seed: 7 });
    client = new Anthropic({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/anthropic`, maxRetries: 0 });
  });
  after(() => sim.close());

  it('answers, and streams the same with all event types in order', async () => {
    const body = { model: 'sim-claude', max_tokens: 800, messages: ask('Do you ship to Norway, and who pays the customs duty?') };
    const whole = await client.messages.create(body);
    assert.match(textOf(whole), /VOEC/);
    assert.equal(whole.stop_reason, 'end_turn');
    assert.equal(whole.usage.output_tokens, countTokens(textOf(whole)));
    const types: string[] = [];
    const runner = client.messages.stream(body).on('streamEvent', (event) => void types.push(event.type));
    const streamed = await runner.finalMessage();
    assert.deepEqual(streamed.content, whole.content);
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
    assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
    assert.deepEqual(
      [...new Set(types)],
      ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'],
    );
    const raw = await fetch(`http://127.0.0.1:${sim.port}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ ...body, stream: true }),
    });
    assert.equal(raw.headers.get('x-plimsoll-simulated'), 'true');
    assert.match(await raw.text(), /event: ping\ndata: \{"type":"ping"\}\n\n/);
  });

  it('uses tools: input_json_delta in streams, a result answers the question', async () => {
    const messages = ask('I was charged twice for order TS-110045.');
    const first = await client.messages.create({ model: 'sim-claude', max_tokens: 500, messages, tools: TOOLS });
    const use = first.content.find((block) => block.type === 'tool_use');
    assert.equal(first.stop_reason, 'tool_use');
    assert.ok(use);
    assert.deepEqual(use.input, { order_id: 'TS-110045' });
    const streamed = await client.messages.stream({ model: 'sim-claude', max_tokens: 500, messages, tools: TOOLS }).finalMessage();
    assert.deepEqual(streamed.content.find((block) => block.type === 'tool_use')?.input, use.input);
    const second = await client.messages.create({
      model: 'sim-claude',
      max_tokens: 500,
      tools: TOOLS,
      messages: [
        ...messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'one captured, one authorised' }] },
      ],
    });
    assert.match(textOf(second), /reservation/);
  });

  it('shows thinking when asked, and counts it', async () => {
    const body = {
      model: 'sim-claude',
      max_tokens: 4_000,
      thinking: { type: 'enabled' as const, budget_tokens: 1_024 },
      messages: ask('Which law governs the agreement and where do we sue?'),
    };
    const whole = await client.messages.create(body);
    assert.deepEqual(
      whole.content.map((block) => block.type),
      ['thinking', 'text'],
    );
    assert.ok((whole.usage.output_tokens_details?.thinking_tokens ?? 0) > 0);
    assert.deepEqual(
      (await client.messages.stream(body).finalMessage()).content.map((block) => block.type),
      ['thinking', 'text'],
    );
  });

  it('caches marked prefixes: a write or a read, never both, and the classes add up', async () => {
    const system = [{ type: 'text' as const, text: SUPPORT.systemPrompt, cache_control: { type: 'ephemeral' as const } }];
    const body = { max_tokens: 300, system, messages: ask('Can I speak to a human please?') };
    const hit = (await client.messages.create({ ...body, model: 'cached' })).usage;
    const miss = (await client.messages.create({ ...body, model: 'uncached' })).usage;
    assert.ok((hit.cache_read_input_tokens ?? 0) > 50);
    assert.equal(hit.cache_creation_input_tokens, 0);
    assert.equal(miss.cache_read_input_tokens, 0);
    assert.equal(miss.cache_creation?.ephemeral_5m_input_tokens, hit.cache_read_input_tokens);
    assert.equal(miss.input_tokens, hit.input_tokens);
    const counted = await client.messages.countTokens({ model: 'cached', system, messages: body.messages });
    assert.equal(counted.input_tokens, hit.input_tokens + (hit.cache_read_input_tokens ?? 0));
  });

  it('ends at max_tokens and at stop sequences', async () => {
    const messages = ask('Give me five subject lines for our spring sale on rope, no exclamation marks.');
    const short = await client.messages.create({ model: 'sim-claude', max_tokens: 4, messages });
    assert.equal(short.stop_reason, 'max_tokens');
    const stopped = await client.messages.create({ model: 'sim-claude', max_tokens: 400, messages, stop_sequences: ['\n2.'] });
    assert.equal(stopped.stop_reason, 'stop_sequence');
    assert.equal(stopped.stop_sequence, '\n2.');
  });

  it('complains in the shape of the provider', async () => {
    const body = { model: 'sim-claude', max_tokens: 50, messages: ask('Hi') };
    await assert.rejects(client.messages.create({ ...body, model: 'claude-nope' }), NotFoundError);
    const withoutLimit = { model: 'sim-claude', messages: ask('Hi') } as Anthropic.MessageCreateParamsNonStreaming; // what is missing is what is tested
    await assert.rejects(
      client.messages.create(withoutLimit),
      (error: unknown) => error instanceof BadRequestError && /max_tokens: Field required/.test(error.message),
    );
    const withFault = (fault: string): Promise<unknown> => client.messages.create(body, { headers: { 'x-sim-fault': fault } });
    await assert.rejects(withFault('error:401'), AuthenticationError);
    await assert.rejects(withFault('error:429'), RateLimitError);
    await assert.rejects(
      withFault('error:529'),
      (error: unknown) => error instanceof InternalServerError && /overloaded_error/.test(error.message),
    );
    await assert.rejects(withFault('context_length'), /prompt is too long/);
    assert.equal(((await withFault('refusal')) as Anthropic.Message).stop_reason, 'refusal');
    assert.ok((await client.models.list()).data.some((model) => model.id === 'sim-claude'));
  });
});
