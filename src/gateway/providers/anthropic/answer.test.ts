import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { Secret } from '../../../kernel/secret.ts';
import { Credentials, NO_CREDENTIALS } from '../../credentials.ts';
import { toOpenAiUsage } from '../../usage.ts';
import anthropic from '../anthropic.ts';
import { decodeAnswer } from './answer.ts';
import { jsonFixture, MESSAGE_FIXTURES } from './fixtures.ts';
import { modelTraits } from './model-traits.ts';
import { encodeRequest } from './request.ts';
import { mergeUsage, readAnthropicUsage } from './usage.ts';

interface Message {
  content: string | null;
  refusal: string | null;
  reasoning_content?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
}

function decode(name: string): { message: Message; finish: string; usage: unknown } {
  const completion = decodeAnswer(jsonFixture(name), 'alias', 1).completion as {
    choices: [{ message: Message; finish_reason: string }];
    usage: unknown;
  };
  return { message: completion.choices[0].message, finish: completion.choices[0].finish_reason, usage: completion.usage };
}

describe('Anthropic answer → OpenAI completion', () => {
  it('maps every stop reason', () => {
    const expected = { text: 'stop', 'stop-sequence': 'stop', 'max-tokens': 'length', tool: 'tool_calls', refusal: 'content_filter' };
    for (const [name, finish] of Object.entries(expected)) assert.equal(decode(name).finish, finish, name);
    const finishOf = (reason: string) => decodeAnswer({ ...jsonFixture('text'), stop_reason: reason }, '', 0).facts.finishReasons[0];
    assert.equal(finishOf('pause_turn'), 'stop');
    assert.equal(finishOf('model_context_window_exceeded'), 'length');
    assert.equal(finishOf('reason_from_the_future'), 'reason_from_the_future');
    assert.equal(finishOf('constructor'), 'constructor');
  });

  it('keeps text, thinking, tool calls and refusals, and skips blocks that it does not know', () => {
    assert.equal(
      decode('text').message.content,
      'Der Plimsoll-Strich zeigt, wie tief ein Schiff beladen werden darf. 🚢 Übermäßige Last ist „verboten“.',
    );
    assert.match(decode('thinking').message.reasoning_content ?? '', /^27 · 453/);
    assert.equal(decode('unknown-blocks').message.content, 'A load line is a mark on the hull.');
    assert.match(decode('refusal').message.refusal ?? '', /dangerous agent/);
    const parallel = decode('parallel-tools').message;
    assert.equal(parallel.content, null);
    assert.deepEqual(
      parallel.tool_calls?.map((call) => [call.id, call.function.name, JSON.parse(call.function.arguments)]),
      [
        ['toolu_01First', 'get_weather', { location: 'Paris' }],
        ['toolu_02Second', 'get_time', {}],
        ['toolu_03Third', 'get_weather', { location: '東京' }],
      ],
    );
  });

  it('reports all input as prompt tokens', () => {
    assert.deepEqual(decode('cache').usage, {
      prompt_tokens: 21 + 18_500 + 3_000,
      completion_tokens: 14,
      total_tokens: 21_535,
      prompt_tokens_details: { cached_tokens: 18_500, cache_write_tokens: 3_000 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
    assert.deepEqual((decode('thinking').usage as { completion_tokens_details: unknown }).completion_tokens_details, {
      reasoning_tokens: 71,
    });
  });

  it('sends an answer back as the very blocks that it came from', () => {
    for (const name of MESSAGE_FIXTURES) {
      if (name === 'unknown-blocks') continue; // server-side blocks have no OpenAI form
      const { message } = decode(name);
      // A refusal's explanation is not part of what the model said.
      const assistant = { role: 'assistant', ...message, refusal: null };
      const answers = (message.tool_calls ?? []).map((call) => ({ role: 'tool', tool_call_id: call.id, content: 'ok' }));
      const tools = [{ type: 'function', function: { name: 'get_weather' } }];
      const { body } = encodeRequest(
        { messages: [{ role: 'user', content: 'q' }, assistant, ...answers, { role: 'user', content: 'next' }], max_tokens: 9, tools },
        'claude-sonnet-4-5',
      );
      const content = jsonFixture(name).content as { type: string; text?: string }[];
      assert.deepEqual(body.messages[1]?.content, content, name);
    }
  });

  it('refuses what is not a message, and passes on an error with status 200', () => {
    const fails = (body: unknown, code: string) =>
      assert.throws(
        () => decodeAnswer(body, '', 0),
        (thrown) => thrown instanceof PlimsollError && thrown.code === code,
      );
    fails(null, 'provider_bad_response');
    fails({ ...jsonFixture('text'), stop_reason: null }, 'provider_bad_response');
    fails({ object: 'chat.completion' }, 'provider_bad_response');
    fails({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'provider_unavailable');
  });
});

describe('Anthropic usage', () => {
  it('keeps the classes apart and the total of cache writes right', () => {
    const read = (extra: object) => readAnthropicUsage({ input_tokens: 10, output_tokens: 5, ...extra });
    assert.equal(read({ cache_creation_input_tokens: 7 })?.cacheWrite5mTokens, 7);
    assert.equal(read({ cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 } })?.cacheWrite1hTokens, 4);
    const grown = read({ cache_creation_input_tokens: 9, cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 } });
    assert.deepEqual([grown?.cacheWrite5mTokens, grown?.cacheWrite1hTokens], [5, 4]);
    assert.equal(read({ output_tokens_details: { thinking_tokens: 4 } })?.outputTextTokens, 1);
    assert.equal(readAnthropicUsage({ output_tokens: 1 }), null);
    assert.equal(readAnthropicUsage(null), null);
    assert.equal(readAnthropicUsage({ input_tokens: -1, output_tokens: 1 }), null);
  });

  it('merges events without losing what an earlier one said', () => {
    const merged = mergeUsage(
      { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 },
      { output_tokens: 20, input_tokens: null, cache_read_input_tokens: undefined },
    );
    assert.deepEqual(merged, { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 20 });
    const usage = readAnthropicUsage(merged);
    assert.ok(usage !== null);
    assert.equal(toOpenAiUsage(usage).prompt_tokens, 15);
  });
});

describe('Anthropic adapter', () => {
  it('addresses the Messages API', () => {
    assert.deepEqual(anthropic.headers(new Credentials(new Secret('sk-ant-1')), {}), {
      'anthropic-version': '2023-06-01',
      'x-api-key': 'sk-ant-1',
    });
    assert.deepEqual(anthropic.headers(NO_CREDENTIALS, {}), { 'anthropic-version': '2023-06-01' });
    assert.equal(`https://api.anthropic.com/v1${anthropic.chat[0]?.path('', false, {})}`, 'https://api.anthropic.com/v1/messages');
  });

  it('classifies errors by their type, else by status', () => {
    const code = (status: number, type: string | null, message = 'x') =>
      anthropic.classifyError(
        status,
        type === null ? '<html>bad gateway</html>' : JSON.stringify({ type: 'error', error: { type, message } }),
        {},
      ).code;
    assert.equal(code(400, 'invalid_request_error'), 'provider_rejected');
    assert.equal(code(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'), 'context_length_exceeded');
    assert.equal(code(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'), 'provider_auth_failed');
    assert.equal(code(401, 'authentication_error'), 'provider_auth_failed');
    assert.equal(code(403, 'permission_error'), 'provider_auth_failed');
    assert.equal(code(404, 'not_found_error'), 'provider_rejected');
    assert.equal(code(413, 'request_too_large'), 'provider_rejected');
    assert.equal(code(429, 'rate_limit_error'), 'provider_rate_limited');
    assert.equal(code(500, 'api_error'), 'provider_unavailable');
    assert.equal(code(529, 'overloaded_error'), 'provider_unavailable');
    assert.equal(code(504, 'timeout_error'), 'provider_timeout');
    assert.deepEqual(
      [code(502, null), code(429, null), code(401, null), code(418, null), code(408, null)],
      ['provider_unavailable', 'provider_rate_limited', 'provider_auth_failed', 'provider_rejected', 'provider_timeout'],
    );
    assert.equal(code(500, 'constructor'), 'provider_unavailable');
  });

  it('never repeats a key', () => {
    const body = JSON.stringify({ error: { type: 'authentication_error', message: 'bad key sk-ant-api03-SECRETSECRET given' } });
    assert.equal(anthropic.classifyError(401, body, {}).message, 'Anthropic answered with status 401: bad key sk-… given');
  });

  it('reads versions out of model ids', () => {
    const thinking = (id: string) => modelTraits(id).thinking;
    for (const id of ['claude-2.1', 'claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022', 'claude-3-5-sonnet-latest'])
      assert.equal(thinking(id), 'none', id);
    for (const id of [
      'claude-3-7-sonnet-20250219',
      'claude-opus-4-20250514',
      'claude-sonnet-4-0',
      'claude-opus-4-1-20250805',
      'claude-haiku-4-5',
    ])
      assert.equal(thinking(id), 'budget', id);
    for (const id of [
      'claude-opus-4-6',
      'claude-sonnet-4.6',
      'claude-opus-4-8',
      'claude-sonnet-5',
      'claude-haiku-5-5',
      'sim-claude',
      'claude-opus-5-20260901',
    ])
      assert.equal(thinking(id), 'adaptive', id);
    assert.equal(modelTraits('claude-opus-4-20250514').sampling, 'free');
    assert.equal(modelTraits('claude-opus-4-10').sampling, 'none');
    assert.equal(modelTraits('us.anthropic.claude-sonnet-4-5-20250929-v1:0').sampling, 'one');
  });
});
