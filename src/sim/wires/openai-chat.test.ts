import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI, { AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai';
import { FakeClock, systemClock } from '../../kernel/clock.ts';
import { simConfig } from '../config.ts';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import { type SimulatedProviders, startSimulatedProviders } from '../provider-server.ts';
import { countTokens } from '../tokens.ts';

const [SUPPORT] = CORPUS_FEATURES;
const TOOLS = SUPPORT.tools.map((tool) => ({ type: 'function' as const, function: { ...tool, parameters: { ...tool.parameters } } }));
const ask = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];

describe('simulated providers with the openai SDK', () => {
  let sim: SimulatedProviders;
  let client: OpenAI;
  before(async () => {
    sim = await startSimulatedProviders({
      config: simConfig.parse({ latencyFactor: 0, models: { tiny: { contextTokens: 40 } } }),
      clock: systemClock,
      port: 0,
      seed: 7,
    });
    client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/openai/v1`, maxRetries: 0 });
  });
  after(() => sim.close());

  it('answers a known question from the corpus, with usage that adds up and the simulated mark', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'sim-large', messages: ask('How long do I have to return a jacket I bought online?') })
      .withResponse();
    assert.equal(response.headers.get('x-plimsoll-simulated'), 'true');
    const text = data.choices[0]?.message.content ?? '';
    assert.match(text, /\*\*30 days\*\*/);
    assert.equal(data.choices[0]?.finish_reason, 'stop');
    assert.match(data.system_fingerprint ?? '', /^fp_sim_/);
    assert.equal(data.usage?.completion_tokens, countTokens(text));
    assert.equal(data.usage?.total_tokens, (data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
  });

  it('streams the same text and the same usage as the JSON answer', async () => {
    const body = { model: 'sim-reasoner', messages: ask('Is localStorage fine for sessions? Explain the trade-offs of cookies.') };
    const whole = await client.chat.completions.create(body);
    const stream = await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } });
    let text = '';
    let chunks = 0;
    let usage: OpenAI.CompletionUsage | null = null;
    const finishes: string[] = [];
    for await (const chunk of stream) {
      chunks++;
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
      if (chunk.usage) usage = chunk.usage;
    }
    assert.ok(chunks > 10);
    assert.equal(text, whole.choices[0]?.message.content);
    assert.deepEqual(usage, whole.usage);
    assert.deepEqual(finishes, ['stop']);
    assert.ok((whole.usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0);
    assert.equal((whole.usage?.completion_tokens_details?.reasoning_tokens ?? 0) + countTokens(text), whole.usage?.completion_tokens);
  });

  it('calls a tool, then answers from its result, in JSON and in a stream', async () => {
    const messages = ask('Where is my order TS-104233? It should have been here on Monday.');
    const first = await client.chat.completions.create({ model: 'sim-large', messages, tools: TOOLS });
    const call = first.choices[0]?.message.tool_calls?.[0];
    assert.equal(first.choices[0]?.finish_reason, 'tool_calls');
    assert.ok(call?.type === 'function');
    assert.equal(call.function.name, 'get_order_status');
    assert.deepEqual(JSON.parse(call.function.arguments), { order_id: 'TS-104233' });

    const runner = client.chat.completions.stream({ model: 'sim-large', messages, tools: TOOLS });
    const streamed = (await runner.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
    assert.ok(streamed?.type === 'function');
    assert.equal(streamed.function.arguments, call.function.arguments);

    const second = await client.chat.completions.create({
      model: 'sim-large',
      tools: TOOLS,
      messages: [
        ...messages,
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: '{"status":"in_transit"}' },
      ],
    });
    assert.match(second.choices[0]?.message.content ?? '', /Hamburg hub/);
  });

  it('calls a tool that it has never seen with arguments of its schema', async () => {
    const answer = await client.chat.completions.create({
      model: 'sim-small',
      messages: ask('What is the weather in Lisbon today?'),
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Current weather of a city',
            parameters: {
              type: 'object',
              properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
              required: ['city', 'unit'],
            },
          },
        },
      ],
    });
    const call = answer.choices[0]?.message.tool_calls?.[0];
    assert.ok(call?.type === 'function');
    const { city, unit } = JSON.parse(call.function.arguments);
    assert.equal(city, 'Lisbon');
    assert.ok(['celsius', 'fahrenheit'].includes(unit));
  });

  it('honours n, stop, max_tokens, logprobs', async () => {
    const messages = ask('Give me five subject lines for our spring sale on rope, no exclamation marks.');
    const many = await client.chat.completions.create({ model: 'sim-large', messages, n: 3, logprobs: true, top_logprobs: 2 });
    assert.deepEqual(
      many.choices.map((choice) => choice.index),
      [0, 1, 2],
    );
    const logprobs = many.choices[0]?.logprobs?.content ?? [];
    assert.equal(logprobs.map((entry) => entry.token).join(''), many.choices[0]?.message.content);
    assert.ok(logprobs.every((entry) => entry.logprob <= 0 && entry.top_logprobs.length === 2));

    const short = await client.chat.completions.create({ model: 'sim-large', messages, max_completion_tokens: 5 });
    assert.equal(short.choices[0]?.finish_reason, 'length');
    assert.equal(short.usage?.completion_tokens, 5);

    const stopped = await client.chat.completions.create({ model: 'sim-large', messages, stop: ['\n2.'] });
    assert.equal(stopped.choices[0]?.message.content, '1. New halyards before the first sail');
    assert.equal(stopped.choices[0]?.finish_reason, 'stop');

    const stream = await client.chat.completions.create({ model: 'sim-large', messages, n: 2, stream: true });
    const texts = ['', ''];
    for await (const chunk of stream) for (const choice of chunk.choices) texts[choice.index] += choice.delta.content ?? '';
    assert.ok(texts.every((text) => text.includes('halyards')));
  });

  it('answers json_object and json_schema with objects that conform', async () => {
    const free = await client.chat.completions.create({
      model: 'sim-small',
      messages: ask('Answer as JSON: how do I wash the jacket?'),
      response_format: { type: 'json_object' },
    });
    assert.equal(typeof JSON.parse(free.choices[0]?.message.content ?? '').answer, 'string');
    const schema = {
      type: 'object',
      properties: {
        sentiment: { type: 'string', enum: ['positive', 'negative'] },
        score: { type: 'number', minimum: 0, maximum: 1 },
        steps: { type: 'array', items: { $ref: '#/$defs/step' }, minItems: 2, maxItems: 4 },
        note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      },
      required: ['sentiment', 'score', 'steps', 'note'],
      additionalProperties: false,
      $defs: {
        step: {
          type: 'object',
          properties: { title: { type: 'string' }, order: { type: 'integer', minimum: 1 } },
          required: ['title', 'order'],
        },
      },
    };
    const answer = await client.chat.completions.create({
      model: 'sim-small',
      messages: ask('Rate this review: the rope is great.'),
      response_format: { type: 'json_schema', json_schema: { name: 'rating', strict: true, schema } },
    });
    const value = JSON.parse(answer.choices[0]?.message.content ?? '');
    assert.deepEqual(Object.keys(value).sort(), ['note', 'score', 'sentiment', 'steps']);
    assert.ok(value.score >= 0 && value.score <= 1 && value.steps.length >= 2 && value.steps.length <= 4);
    assert.ok(
      value.steps.every((step: { title: unknown; order: unknown }) => typeof step.title === 'string' && Number.isInteger(step.order)),
    );
  });

  it('lists its models and is reachable at the root too', async () => {
    const ids = (await client.models.list()).data.map((model) => model.id);
    assert.ok(ids.includes('sim-large') && ids.includes('tiny'));
    const root = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    assert.equal((await root.models.retrieve('sim-small')).id, 'sim-small');
    assert.equal(
      (await root.chat.completions.create({ model: 'sim-small', messages: ask('Reply with the word OK.') })).choices[0]?.message.content,
      'OK',
    );
  });

  it('complains in the words and exception classes of the provider', async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'gpt-nope', messages: ask('Hi') }),
      (error: unknown) => error instanceof NotFoundError && error.code === 'model_not_found',
    );
    const withoutMessages = { model: 'sim-large' } as OpenAI.ChatCompletionCreateParamsNonStreaming; // what is missing is what is tested
    await assert.rejects(
      client.chat.completions.create(withoutMessages),
      (error: unknown) => error instanceof BadRequestError && error.param === 'messages' && error.code === 'missing_required_parameter',
    );
    await assert.rejects(
      client.chat.completions.create({ model: 'sim-large', messages: ask('Hi'), temperature: 9 }),
      (error: unknown) => error instanceof BadRequestError && error.param === 'temperature',
    );
    await assert.rejects(
      client.chat.completions.create({ model: 'sim-large', messages: [{ role: 'tool', tool_call_id: 'x', content: '1' }] }),
      BadRequestError,
    );
    await assert.rejects(
      client.chat.completions.create({ model: 'tiny', messages: ask('word '.repeat(60)) }),
      (error: unknown) => error instanceof BadRequestError && error.code === 'context_length_exceeded',
    );
    const withFault = (fault: string): Promise<unknown> =>
      client.chat.completions.create({ model: 'sim-large', messages: ask('Hi') }, { headers: { 'x-sim-fault': fault } });
    await assert.rejects(
      withFault('error:429;retry-after=2'),
      (error: unknown) => error instanceof RateLimitError && error.headers.get('retry-after') === '2',
    );
    await assert.rejects(withFault('error:500'), InternalServerError);
    await assert.rejects(
      withFault('content_filter'),
      (error: unknown) => error instanceof BadRequestError && error.code === 'content_filter',
    );
    await assert.rejects(withFault('nonsense'), BadRequestError);
  });

  it('gives the same answer for the same seed and request, another for another seed, and ids of their own', async () => {
    const body = { model: 'sim-claude', messages: ask('How do tides change the choice of an anchor chain?') };
    const [once, again] = [await client.chat.completions.create(body), await client.chat.completions.create(body)];
    assert.deepEqual(once.choices, again.choices);
    assert.deepEqual(once.usage, again.usage);
    assert.notEqual(once.id, again.id);
    const texts = new Set<string>();
    for (const seed of [1, 2, 3, 4]) {
      const other = await startSimulatedProviders({ config: simConfig.parse({ latencyFactor: 0 }), clock: systemClock, port: 0, seed });
      const answer = await new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${other.port}/v1` }).chat.completions.create(body);
      texts.add(answer.choices[0]?.message.content ?? '');
      await other.close();
    }
    assert.ok(texts.size > 1);
  });

  it('needs the key when one is configured', async () => {
    const locked = await startSimulatedProviders({
      config: simConfig.parse({ apiKey: 'sim-key', latencyFactor: 0 }),
      clock: systemClock,
      port: 0,
    });
    const baseURL = `http://127.0.0.1:${locked.port}/v1`;
    await assert.rejects(new OpenAI({ apiKey: 'wrong', baseURL, maxRetries: 0 }).models.list(), AuthenticationError);
    assert.ok((await new OpenAI({ apiKey: 'sim-key', baseURL }).models.list()).data.length > 0);
    await locked.close();
  });
});

describe('time of the simulated providers', () => {
  it('waits for the clock: first byte at the planned time, the rest chunk by chunk', { timeout: 120_000 }, async (t) => {
    const clock = new FakeClock(1_780_000_000_000);
    const profile = {
      ttftMedianMs: 500,
      ttftP95Ms: 500,
      jitter: 0,
      tokensPerSecond: 100,
      tokensPerChunk: 1,
      prefillMsPerThousandTokens: 0,
    };
    const sim = await startSimulatedProviders({ config: simConfig.parse({ models: { clockwork: profile } }), clock, port: 0 });
    t.after(() => sim.close());
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const received: string[] = [];
    let isDone = false;
    const run = (async () => {
      const stream = await client.chat.completions.create({
        model: 'clockwork',
        messages: ask('Say one two three four five'),
        stream: true,
      });
      for await (const chunk of stream) received.push(chunk.choices[0]?.delta.content ?? '');
      isDone = true;
    })();
    const until = async (condition: () => boolean): Promise<void> => {
      while (!t.signal.aborted && !condition()) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => sim.stats().open === 1 && sim.stats().byModel.clockwork === 1);
    await clock.advance(499);
    assert.deepEqual(received, []);
    await clock.advance(1);
    await until(() => received.length === 2);
    assert.deepEqual(received, ['', 'one']);
    await clock.advance(10);
    await until(() => received.length === 3);
    assert.equal(received.join(''), 'one two');
    while (!t.signal.aborted && !isDone) {
      await clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run;
    assert.equal(received.join(''), 'one two three four five');
  });
});
