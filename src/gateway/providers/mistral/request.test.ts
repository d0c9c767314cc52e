import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { readMistralUsage } from './answer.ts';
import { classifyMistralError } from './errors.ts';
import { encodeRequest } from './request.ts';

const USER = { role: 'user', content: 'hi' };
const TOOL = { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } };

function encode(body: Record<string, unknown>, model = 'mistral-large-latest') {
  return encodeRequest({ messages: [USER], ...body }, model);
}

describe('OpenAI request → Mistral', () => {
  it('sends only members that Mistral knows', () => {
    assert.deepEqual(
      encode({
        model: 'alias',
        stream: true,
        stream_options: { include_usage: true },
        store: true,
        user: 'u',
        metadata: { a: 'b' },
        max_completion_tokens: 10,
        seed: 7,
        temperature: 0.5,
        top_p: 0.9,
        stop: 'END',
        safe_prompt: true,
        logit_bias: { 1: 1 },
      }),
      {
        body: {
          model: 'mistral-large-latest',
          messages: [{ role: 'user', content: 'hi' }],
          temperature: 0.5,
          top_p: 0.9,
          max_tokens: 10,
          random_seed: 7,
          stop: ['END'],
          safe_prompt: true,
          stream: true,
        },
        warnings: ['logit_bias is not sent: Mistral has no counterpart'],
      },
    );
  });

  it('gives tools ids of nine characters, the same in call and answer, and others in another turn', () => {
    const call = {
      role: 'assistant',
      content: 'Looking',
      tool_calls: [{ id: 'toolu_01ABC', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }],
    };
    const answer = { role: 'tool', tool_call_id: 'toolu_01ABC', content: '9' };
    const { body } = encode({ messages: [USER, call, answer, call, answer], tools: [TOOL] });
    const messages = body.messages as {
      role: string;
      content: string;
      tool_calls?: [{ id: string; function: unknown }];
      tool_call_id?: string;
      name?: string;
    }[];
    const [, first, firstAnswer, second, secondAnswer] = messages;
    assert.match(first?.tool_calls?.[0].id ?? '', /^[A-Za-z0-9]{9}$/);
    assert.equal(firstAnswer?.tool_call_id, first?.tool_calls?.[0].id);
    assert.equal(firstAnswer?.name, 'f');
    assert.equal(secondAnswer?.tool_call_id, second?.tool_calls?.[0].id);
    assert.notEqual(second?.tool_calls?.[0].id, first?.tool_calls?.[0].id);
    assert.deepEqual(first?.tool_calls?.[0].function, { name: 'f', arguments: '{"a":1}' });
    const own = { ...call, tool_calls: [{ ...call.tool_calls[0], id: 'D681PevKs' }] };
    const kept = encode({ messages: [USER, own, { ...answer, tool_call_id: 'D681PevKs' }] }).body.messages as typeof messages;
    assert.equal(kept[1]?.tool_calls?.[0].id, 'D681PevKs');
  });

  it('maps tools, formats, images and a begun answer', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
          ],
        },
        { role: 'assistant', content: 'It is' },
      ],
      tools: [TOOL],
      tool_choice: 'required',
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: { type: 'object' } } },
    });
    assert.deepEqual(body, {
      model: 'mistral-large-latest',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'document_url', document_url: 'data:application/pdf;base64,AAAA', document_name: 'a.pdf' },
            { type: 'input_audio', input_audio: 'BBBB' },
          ],
        },
        { role: 'assistant', content: 'It is', prefix: true },
      ],
      tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }],
      tool_choice: 'any',
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
    });
    assert.deepEqual(encode({ tools: [TOOL], tool_choice: { type: 'function', function: { name: 'f' } } }).body.tool_choice, {
      type: 'function',
      function: { name: 'f' },
    });
    assert.deepEqual(encode({ response_format: { type: 'json_object' } }).body.response_format, { type: 'json_object' });
  });

  it('asks for reasoning as the model takes it', () => {
    assert.equal(encode({ reasoning_effort: 'low' }, 'magistral-medium-latest').body.prompt_mode, 'reasoning');
    assert.equal(encode({ reasoning_effort: 'low' }, 'mistral-small-2603').body.reasoning_effort, 'high');
    assert.equal(encode({ reasoning_effort: 'minimal' }, 'mistral-small-2603').body.reasoning_effort, 'none');
    assert.deepEqual(encode({ reasoning_effort: 'high' }, 'codestral-latest').warnings, [
      'reasoning_effort is not sent: this model does not reason',
    ]);
  });

  it('lowers a temperature that is too high, and refuses several answers', () => {
    assert.deepEqual(encode({ temperature: 2 }).warnings, ["temperature 2 was lowered to 1.5, the provider's highest"]);
    assert.throws(
      () => encode({ n: 2 }),
      (thrown) => thrown instanceof PlimsollError && thrown.details.param === 'n',
    );
    assert.throws(
      () => encode({ messages: [] }),
      (thrown) => thrown instanceof PlimsollError && thrown.details.param === 'messages',
    );
  });

  it('reads cached tokens under every name that Mistral has used', () => {
    for (const cached of [
      { num_cached_tokens: 4 },
      { prompt_tokens_details: { cached_tokens: 4 } },
      { prompt_token_details: { cached_tokens: 4 } },
    ])
      assert.equal(readMistralUsage({ prompt_tokens: 10, completion_tokens: 1, ...cached })?.cacheReadTokens, 4);
    assert.equal(readMistralUsage(null), null);
  });

  it('reads errors in every form', () => {
    const error = (status: number, body: unknown) => classifyMistralError(status, JSON.stringify(body));
    assert.deepEqual(error(422, { detail: [{ loc: ['body', 'foo'], msg: 'Extra inputs are not permitted' }] }), {
      code: 'provider_rejected',
      message: 'body.foo: Extra inputs are not permitted',
    });
    assert.equal(error(422, { object: 'error', message: { detail: [{ msg: 'bad' }] } }).message, 'bad');
    assert.equal(
      error(400, {
        object: 'error',
        message: 'Prompt contains 130000 tokens, too large for model with 128000 maximum context length',
        type: 'invalid_request_error',
      }).code,
      'context_length_exceeded',
    );
    assert.equal(error(429, { message: 'Requests rate limit exceeded' }).code, 'provider_rate_limited');
    assert.equal(classifyMistralError(503, '<html>').code, 'provider_unavailable');
  });
});
