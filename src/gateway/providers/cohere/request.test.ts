import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { jsonFixture } from '../../hub/testing.ts';
import { decodeAnswer, finishReason } from './answer.ts';
import { classifyCohereError } from './errors.ts';
import { encodeRequest } from './request.ts';
import { readCohereUsage } from './usage.ts';

const USER = { role: 'user', content: 'hi' };
const TOOL = { type: 'function', function: { name: 'get_weather', description: 'd', parameters: { type: 'object' } } };
const OTHER = { type: 'function', function: { name: 'get_time' } };

function encode(body: Record<string, unknown>, model = 'command-a-03-2025') {
  return encodeRequest({ messages: [USER], ...body }, model);
}

function refusal(body: Record<string, unknown>): string {
  try {
    encode(body);
  } catch (thrown) {
    assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument');
    return String(thrown.details.param);
  }
  return assert.fail('it was not refused');
}

describe('OpenAI request → Cohere', () => {
  it('renames what has another name', () => {
    assert.deepEqual(
      encode({
        temperature: 0.5,
        top_p: 1,
        top_k: 40,
        max_tokens: 9,
        seed: 7,
        stop: ['END'],
        frequency_penalty: 0.3,
        presence_penalty: 1.5,
      }),
      {
        body: {
          model: 'command-a-03-2025',
          messages: [{ role: 'user', content: 'hi' }],
          temperature: 0.5,
          p: 0.99,
          k: 40,
          max_tokens: 9,
          seed: 7,
          presence_penalty: 1,
          frequency_penalty: 0.3,
          stop_sequences: ['END'],
          stream: false,
        },
        warnings: ["presence_penalty 1.5 was lowered to 1, the provider's highest"],
      },
    );
    assert.deepEqual(encode({ frequency_penalty: -1, stream: true }).warnings, [
      'frequency_penalty -1 is not sent: Cohere takes none below 0',
    ]);
  });

  it('carries a whole tool conversation', () => {
    const { message } = (
      decodeAnswer(jsonFixture('cohere', 'parallel-tools'), '', 0).completion as {
        choices: [{ message: { tool_calls: { id: string }[] } }];
      }
    ).choices[0];
    const answers = message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
    const { body, warnings } = encode({
      messages: [{ role: 'system', content: 'Be brief.' }, USER, message, ...answers],
      tools: [TOOL, OTHER],
    });
    const { tool_plan, tool_calls } = jsonFixture('cohere', 'parallel-tools').message as Record<string, unknown>;
    assert.deepEqual(body.messages, [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
      { role: 'assistant', tool_plan, tool_calls },
      { role: 'tool', tool_call_id: 'get_weather_8fs1', content: 'ok' },
      { role: 'tool', tool_call_id: 'get_time_x2', content: 'ok' },
    ]);
    assert.deepEqual(warnings, ['citations of tool answers are left out: OpenAI’s format has no place for them']);
  });

  it('offers only the tool that must be called', () => {
    const names = (choice: unknown) => {
      const { tools, tool_choice } = encode({ tools: [TOOL, OTHER], tool_choice: choice }).body;
      return [(tools as { function: { name: string } }[]).map((tool) => tool.function.name).join(), tool_choice];
    };
    assert.deepEqual(names({ type: 'function', function: { name: 'get_time' } }), ['get_time', 'REQUIRED']);
    assert.deepEqual(names('required'), ['get_weather,get_time', 'REQUIRED']);
    assert.deepEqual(names('none'), ['get_weather,get_time', 'NONE']);
    assert.deepEqual(names('auto'), ['get_weather,get_time', undefined]);
    assert.equal(encode({ tools: [{ ...TOOL, function: { ...TOOL.function, strict: true } }] }).body.strict_tools, true);
  });

  it('maps formats, images and thinking', () => {
    const schema = { type: 'object' };
    assert.deepEqual(encode({ response_format: { type: 'json_schema', json_schema: { schema } } }).body.response_format, {
      type: 'json_object',
      json_schema: schema,
    });
    assert.deepEqual(encode({ response_format: { type: 'json_object' } }).body.response_format, { type: 'json_object' });
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const { messages } = encode({ messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, image] }] }).body;
    assert.deepEqual(messages, [{ role: 'user', content: [{ type: 'text', text: 'See' }, image] }]);
    const thinking = (body: Record<string, unknown>) => encode(body, 'command-a-reasoning-08-2025').body.thinking;
    assert.deepEqual(thinking({ reasoning_effort: 'low' }), { type: 'enabled', token_budget: 1024 });
    assert.deepEqual(thinking({ reasoning_effort: 'none' }), { type: 'disabled' });
    assert.deepEqual(thinking({ thinking: { type: 'enabled', budget_tokens: 700 } }), { type: 'enabled', token_budget: 700 });
    assert.deepEqual(encode({ reasoning_effort: 'low' }).warnings, ['reasoning is not asked for: this model does not reason']);
  });

  it('refuses what would change the answer, and names the member', () => {
    const file = { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } };
    assert.equal(refusal({ messages: [{ role: 'user', content: [file] }] }), 'messages[0].content[0]');
    assert.equal(refusal({ n: 2 }), 'n');
    assert.equal(refusal({ stop: ['1', '2', '3', '4', '5', '6'] }), 'stop');
    const call = { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] };
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    assert.equal(refusal({ messages: [USER, call, { role: 'tool', tool_call_id: 'a', content: [image] }] }), 'messages[2].content[0]');
  });
});

describe('Cohere answers', () => {
  it('map every finish reason; one that is not known passes as it is', () => {
    assert.deepEqual(
      ['COMPLETE', 'STOP_SEQUENCE', 'MAX_TOKENS', 'TOOL_CALL', 'ERROR_TOXIC', 'SOMETHING_NEW', 'constructor'].map(finishReason),
      ['stop', 'stop', 'length', 'tool_calls', 'content_filter', 'something_new', 'constructor'],
    );
  });

  it('count what is billed, else what was used', () => {
    assert.equal(decodeAnswer(jsonFixture('cohere', 'text'), '', 0).facts.usage?.inputUncachedTokens, 9);
    assert.equal(decodeAnswer(jsonFixture('cohere', 'max-tokens'), '', 0).facts.usage?.inputUncachedTokens, 9);
    const cached = decodeAnswer(jsonFixture('cohere', 'citations'), '', 0).facts.usage;
    assert.deepEqual([cached?.inputUncachedTokens, cached?.cacheReadTokens], [0, 80]);
    for (const none of [null, {}, { billed_units: { search_units: 1 } }]) assert.equal(readCohereUsage(none), null);
  });

  it('say errors by status', () => {
    const code = (status: number, message = 'x') => classifyCohereError(status, JSON.stringify({ id: 'a', message })).code;
    assert.equal(code(400), 'provider_rejected');
    assert.equal(code(400, 'too many tokens: total number of tokens in the prompt cannot exceed 128000'), 'context_length_exceeded');
    assert.deepEqual(
      [401, 402, 403, 498].map((status) => code(status)),
      Array(4).fill('provider_auth_failed'),
    );
    assert.deepEqual(
      [429, 500, 503, 499, 504].map((status) => code(status)),
      ['provider_rate_limited', 'provider_unavailable', 'provider_unavailable', 'provider_unavailable', 'provider_timeout'],
    );
    assert.equal(classifyCohereError(502, '<html>').message, 'Cohere answered with status 502: no reason given');
  });
});
