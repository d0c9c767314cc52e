/** One client of each format against every kind of provider, as the simulator plays it: it reads requests as strictly as the provider does. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { startGateway, type TestGateway, testModel, testProvider, testSnapshot } from '../../../src/gateway/testing.ts';
import type { SimulatedProviders } from '../../../src/sim/provider-server.ts';
import { startSim } from '../../../src/sim/testing.ts';
import { KEY, PIXEL, SCHEMA, weather } from './harness.ts';
import { CASES, SIMULATED_CASES, SIMULATED_CLIENTS, SIMULATED_KINDS, type SimulatedCase } from './matrix.ts';
import { Proof } from './proven.ts';

const QUESTION = 'What is the weather in Paris and Rome?';
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const DESCRIPTION = 'Weather in a city';

interface Answer {
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What each client can be asked to do, in the same words for all. */
interface SimulatedClient {
  chat(model: string): Promise<Answer>;
  stream(model: string): Promise<Answer>;
  /** @returns the cities of the calls, and the answer once both have results */
  tools(model: string): Promise<{ readonly cities: readonly unknown[]; readonly final: string }>;
  structuredOutput(model: string): Promise<string>;
  images(model: string): Promise<string>;
}

function openAiChat(origin: string): SimulatedClient {
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: KEY, maxRetries: 0 });
  const ask = { messages: [{ role: 'user' as const, content: 'Say hello to Ada.' }] };
  const answer = ({ choices, usage }: OpenAI.ChatCompletion): Answer => ({
    text: choices[0]?.message.content ?? '',
    inputTokens: usage?.prompt_tokens ?? 0,
    outputTokens: usage?.completion_tokens ?? 0,
  });
  return {
    chat: async (model) => answer(await client.chat.completions.create({ model, ...ask })),
    stream: async (model) =>
      answer(await client.chat.completions.stream({ model, ...ask, stream_options: { include_usage: true } }).finalChatCompletion()),
    async tools(model) {
      const tools = [{ type: 'function' as const, function: { name: 'get_weather', description: DESCRIPTION, parameters: PARAMETERS } }];
      const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: QUESTION }];
      const first = await client.chat.completions.create({ model, messages, tools });
      const message = first.choices[0]?.message;
      assert.ok(message !== undefined);
      const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
      const cities = calls.map((call) => (JSON.parse(call.function.arguments) as { city: unknown }).city);
      const results = calls.map((call, index) => ({ role: 'tool' as const, tool_call_id: call.id, content: weather(cities[index]) }));
      const second = await client.chat.completions.create({ model, messages: [...messages, message, ...results], tools });
      return { cities, final: answer(second).text };
    },
    async structuredOutput(model) {
      const format = { type: 'json_schema' as const, json_schema: { name: 'weather', strict: true, schema: SCHEMA } };
      return answer(await client.chat.completions.create({ model, ...ask, response_format: format })).text;
    },
    async images(model) {
      const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PIXEL}` } };
      const content = [{ type: 'text' as const, text: 'What is this?' }, image];
      return answer(await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })).text;
    },
  };
}

function openAiResponses(origin: string): SimulatedClient {
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: KEY, maxRetries: 0 });
  const ask = { input: 'Say hello to Ada.' };
  const answer = ({ output_text, usage }: OpenAI.Responses.Response): Answer => ({
    text: output_text,
    inputTokens: usage?.input_tokens ?? 0,
    outputTokens: usage?.output_tokens ?? 0,
  });
  return {
    chat: async (model) => answer(await client.responses.create({ model, ...ask })),
    stream: async (model) => answer(await client.responses.stream({ model, ...ask }).finalResponse()),
    async tools(model) {
      const tools = [{ type: 'function' as const, name: 'get_weather', description: DESCRIPTION, parameters: PARAMETERS, strict: false }];
      const first = await client.responses.create({ model, input: QUESTION, tools });
      const calls = first.output.filter((item) => item.type === 'function_call');
      const cities = calls.map((call) => (JSON.parse(call.arguments) as { city: unknown }).city);
      const results = calls.map((call, index) => ({
        type: 'function_call_output' as const,
        call_id: call.call_id,
        output: weather(cities[index]),
      }));
      const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: QUESTION }, ...calls, ...results];
      return { cities, final: answer(await client.responses.create({ model, input, tools })).text };
    },
    async structuredOutput(model) {
      const text = { format: { type: 'json_schema' as const, name: 'weather', strict: true, schema: SCHEMA } };
      return answer(await client.responses.create({ model, ...ask, text })).text;
    },
    async images(model) {
      const image = { type: 'input_image' as const, image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' as const };
      const content = [{ type: 'input_text' as const, text: 'What is this?' }, image];
      return answer(await client.responses.create({ model, input: [{ role: 'user', content }] })).text;
    },
  };
}

function anthropic(origin: string): SimulatedClient {
  const client = new Anthropic({ baseURL: origin, apiKey: KEY, maxRetries: 0 });
  const ask = { max_tokens: 500, messages: [{ role: 'user' as const, content: 'Say hello to Ada.' }] };
  const answer = ({ content, usage }: Anthropic.Message): Answer => ({
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
  });
  return {
    chat: async (model) => answer(await client.messages.create({ model, ...ask })),
    stream: async (model) => answer(await client.messages.stream({ model, ...ask }).finalMessage()),
    async tools(model) {
      const tools = [{ name: 'get_weather', description: DESCRIPTION, input_schema: { ...PARAMETERS, type: 'object' as const } }];
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: QUESTION }];
      const first = await client.messages.create({ model, max_tokens: 500, messages, tools });
      const calls = first.content.filter((block) => block.type === 'tool_use');
      const cities = calls.map((call) => (call.input as { city: unknown }).city);
      const results = calls.map((call, index) => ({ type: 'tool_result' as const, tool_use_id: call.id, content: weather(cities[index]) }));
      messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: results });
      return { cities, final: answer(await client.messages.create({ model, max_tokens: 500, messages, tools })).text };
    },
    async structuredOutput(model) {
      const format = { type: 'json_schema' as const, schema: SCHEMA };
      return answer(await client.messages.create({ model, ...ask, output_config: { format } })).text;
    },
    async images(model) {
      const image = { type: 'image' as const, source: { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL } };
      const content = [{ type: 'text' as const, text: 'What is this?' }, image];
      return answer(await client.messages.create({ model, max_tokens: 500, messages: [{ role: 'user', content }] })).text;
    },
  };
}

function gemini(origin: string): SimulatedClient {
  const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: origin, retryOptions: { attempts: 1 } } });
  const contents = 'Say hello to Ada.';
  return {
    async chat(model) {
      const { text, usageMetadata: usage } = await client.models.generateContent({ model, contents });
      return { text: text ?? '', inputTokens: usage?.promptTokenCount ?? 0, outputTokens: usage?.candidatesTokenCount ?? 0 };
    },
    async stream(model) {
      let text = '';
      let usage: { promptTokenCount?: number; candidatesTokenCount?: number } = {};
      for await (const chunk of await client.models.generateContentStream({ model, contents })) {
        text += chunk.text ?? '';
        usage = chunk.usageMetadata ?? usage;
      }
      return { text, inputTokens: usage.promptTokenCount ?? 0, outputTokens: usage.candidatesTokenCount ?? 0 };
    },
    async tools(model) {
      const config = {
        tools: [{ functionDeclarations: [{ name: 'get_weather', description: DESCRIPTION, parametersJsonSchema: PARAMETERS }] }],
      };
      const chat = client.chats.create({ model, config });
      const calls = (await chat.sendMessage({ message: QUESTION })).functionCalls ?? [];
      const message = calls.map((call) => ({
        functionResponse: {
          ...(call.id === undefined ? {} : { id: call.id }),
          name: call.name ?? '',
          response: { output: weather(call.args?.city) },
        },
      }));
      return { cities: calls.map((call) => call.args?.city), final: (await chat.sendMessage({ message })).text ?? '' };
    },
    async structuredOutput(model) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA };
      return (await client.models.generateContent({ model, contents, config })).text ?? '';
    },
    async images(model) {
      const parts = [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }];
      return (await client.models.generateContent({ model, contents: [{ role: 'user', parts }] })).text ?? '';
    },
  };
}

const CLIENTS: Readonly<Record<(typeof SIMULATED_CLIENTS)[number], (origin: string) => SimulatedClient>> = {
  'openai-chat': openAiChat,
  'openai-responses': openAiResponses,
  anthropic,
  'google-genai': gemini,
};

const CHECKS: Readonly<Record<SimulatedCase, (client: SimulatedClient, kind: string) => Promise<void>>> = {
  async chat(client, kind) {
    const { text, inputTokens, outputTokens } = await client.chat(kind);
    assert.ok(text.length > 0 && inputTokens > 0 && outputTokens > 0, JSON.stringify({ text, inputTokens, outputTokens }));
  },
  async stream(client, kind) {
    // The simulator gives the same answer to the same request.
    assert.deepEqual(await client.stream(kind), await client.chat(kind));
  },
  async tools(client, kind) {
    const { cities, final } = await client.tools(kind);
    assert.deepEqual(cities, ['Paris', 'Rome']);
    assert.match(final, /9 degrees/);
  },
  async structuredOutput(client, kind) {
    const { city, degrees } = JSON.parse(await client.structuredOutput(kind)) as { city: unknown; degrees: unknown };
    assert.deepEqual([typeof city, typeof degrees], ['string', 'number']);
  },
  async images(client, kind) {
    assert.ok((await client.images(kind)).length > 0);
  },
};

describe('one client of each format', () => {
  const cells = SIMULATED_KINDS.length * SIMULATED_CASES.length;
  const proofs = Object.fromEntries(SIMULATED_CLIENTS.map((id) => [id, new Proof(`simulated-${id}`, cells)])) as Record<
    (typeof SIMULATED_CLIENTS)[number], // of the same list
    Proof
  >;
  let sim: SimulatedProviders;
  let running: TestGateway;
  before(async () => {
    sim = await startSim({}, 7);
    const origin = `http://127.0.0.1:${sim.port}`;
    const provider = (kind: string, path: string, rest = {}) => testProvider(`${origin}${path}`, { name: kind, kind, ...rest });
    const timeouts = { connectMs: 1000, firstByteMs: 20_000, idleMs: 20_000, totalMs: 60_000 };
    const providers = [
      provider('openai', '/openai/v1'),
      provider('openai-compatible', '/openai/v1'),
      provider('azure-openai', '', { settings: { apiVersion: 'v1' } }),
      provider('anthropic', '/anthropic/v1'),
      provider('gemini', '/gemini/v1beta'),
      provider('mistral', '/mistral/v1'),
      provider('cohere', '/cohere/v2'),
      provider('bedrock', '/bedrock', { settings: { region: 'eu-central-1' } }),
    ].map((entry) => ({ ...entry, timeouts }));
    running = await startGateway(
      testSnapshot(origin, {
        providers,
        models: providers.map(({ name }) => testModel(name, { provider: name, upstreamModel: 'sim-large' })),
        routes: [],
      }),
    );
  });
  after(async () => {
    await running.close();
    await sim.close();
    for (const proof of Object.values(proofs)) proof.close();
  });
  for (const id of SIMULATED_CLIENTS) {
    for (const kind of SIMULATED_KINDS) {
      describe(`${id} to ${kind}`, () => {
        for (const name of SIMULATED_CASES) {
          it(CASES[name], async () => {
            await CHECKS[name](CLIENTS[id](running.origin), kind);
            proofs[id].pass(kind, name);
          });
        }
      });
    }
  }
});
