import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { jsonFixture } from '../../hub/testing.ts';
import { decodeAnswer, finishReason } from './answer.ts';
import { classifyBedrockError } from './errors.ts';
import { encodeRequest } from './request.ts';
import { readBedrockUsage } from './usage.ts';

const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
const NOVA = 'amazon.nova-2-lite-v1:0';
const USER = { role: 'user', content: 'hi' };
const TOOL = { type: 'function', function: { name: 'get_weather', description: 'Weather', parameters: { properties: {} } } };
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'a:1', type: 'function', function: { name: 'get_weather', arguments: '{"a":1}' } }],
};
const ANSWER = { role: 'tool', tool_call_id: 'a:1', content: '9 °C' };

function encode(body: Record<string, unknown>, model = CLAUDE) {
  return encodeRequest({ messages: [USER], ...body }, model);
}

function refusal(body: Record<string, unknown>, model = CLAUDE): string {
  try {
    encode(body, model);
  } catch (thrown) {
    assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument');
    return String(thrown.details.param);
  }
  return assert.fail('it was not refused');
}

describe('OpenAI request → Converse', () => {
  it('says only what the client said', () => {
    assert.deepEqual(encode({ model: 'alias', stream: true, stream_options: { include_usage: true }, user: 'u' }), {
      body: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
      warnings: [],
    });
  });

  it('carries a whole tool conversation', () => {
    const { body, warnings } = encode({
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather here?' },
            { type: 'image_url', image_url: { url: 'data:image/jpg;base64,AAAA' } },
            { type: 'file', file: { filename: 'load_line.1966.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
            { type: 'file', file: { filename: 'load_line.1966.pdf', file_data: 'data:application/pdf;base64,CCCC' } },
          ],
        },
        {
          ...CALL,
          content: 'Looking',
          thinking_blocks: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'redacted_thinking', data: 'x' },
          ],
        },
        {
          ...ANSWER,
          content: [
            { type: 'text', text: '9 °C' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,DDDD' } },
          ],
        },
        { role: 'user', content: 'Thanks' },
        CALL,
        { ...ANSWER, is_error: true, content: '' },
      ],
      tools: [TOOL],
      tool_choice: 'auto',
      max_tokens: 100,
      temperature: 1.5,
      stop: 'END',
    });
    assert.deepEqual(warnings, ["temperature 1.5 was lowered to 1, the provider's highest"]);
    assert.deepEqual(body, {
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
      messages: [
        {
          role: 'user',
          content: [
            { text: 'Weather here?' },
            { image: { format: 'jpeg', source: { bytes: 'AAAA' } } },
            { document: { format: 'pdf', name: 'load-line-1966-pdf', source: { bytes: 'BBBB' } } },
            { document: { format: 'pdf', name: 'load-line-1966-pdf (2)', source: { bytes: 'CCCC' } } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
            { reasoningContent: { redactedContent: 'x' } },
            { text: 'Looking' },
            { toolUse: { toolUseId: 'a_1_1', name: 'get_weather', input: { a: 1 } } },
          ],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'a_1_1', content: [{ text: '9 °C' }, { image: { format: 'png', source: { bytes: 'DDDD' } } }] } },
            { text: 'Thanks' },
          ],
        },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'a_1_2', name: 'get_weather', input: { a: 1 } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'a_1_2', content: [{ text: '(empty)' }], status: 'error' } }] },
      ],
      inferenceConfig: { maxTokens: 100, temperature: 1, stopSequences: ['END'] },
      toolConfig: {
        tools: [{ toolSpec: { name: 'get_weather', description: 'Weather', inputSchema: { json: { type: 'object', properties: {} } } } }],
        toolChoice: { auto: {} },
      },
    });
  });

  it('sends its own answers back as the blocks that they came from', () => {
    for (const name of ['text', 'parallel-tools', 'thinking', 'redacted']) {
      const { completion } = decodeAnswer(jsonFixture('bedrock', name), '', 0);
      const { message } = (completion as { choices: [{ message: { tool_calls?: { id: string }[] } }] }).choices[0];
      const answers = (message.tool_calls ?? []).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
      const { body } = encode({ messages: [USER, message, ...answers, USER], tools: [TOOL] });
      const { output } = jsonFixture('bedrock', name) as { output: { message: { content: unknown[] } } };
      const sorted = (blocks: readonly unknown[]) => blocks.map((block) => JSON.stringify(block)).sort();
      assert.deepEqual(sorted(body.messages[1]?.content ?? []), sorted(output.message.content), name);
    }
  });

  it('asks for thinking as each family takes it', () => {
    const fields = (model: string, body: Record<string, unknown>) => encode(body, model).body.additionalModelRequestFields;
    assert.deepEqual(fields(CLAUDE, { reasoning_effort: 'medium' }), { thinking: { type: 'enabled', budget_tokens: 4096 } });
    assert.deepEqual(fields(CLAUDE, { reasoning_effort: 'high', max_tokens: 4000 }), {
      thinking: { type: 'enabled', budget_tokens: 2000 },
    });
    assert.deepEqual(fields('anthropic.claude-opus-4-6-v1', { reasoning_effort: 'high' }), {
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
    });
    assert.deepEqual(fields(CLAUDE, { thinking: { type: 'enabled', budget_tokens: 2048 } }), {
      thinking: { type: 'enabled', budget_tokens: 2048 },
    });
    assert.deepEqual(fields(NOVA, { reasoning_effort: 'xhigh' }), { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } });
    assert.deepEqual(fields('openai.gpt-oss-120b-1:0', { reasoning_effort: 'minimal' }), { reasoning_effort: 'low' });
    assert.equal(fields(CLAUDE, { reasoning_effort: 'none' }), undefined);
    const refused = (body: Record<string, unknown>, model = CLAUDE) => encode({ reasoning_effort: 'high', ...body }, model).warnings;
    assert.match(refused({ max_tokens: 100 })[0] ?? '', /leaves no room/);
    assert.match(refused({ tools: [TOOL], tool_choice: 'required' })[0] ?? '', /forced tool_choice/);
    assert.match(refused({ tools: [TOOL], messages: [USER, CALL, ANSWER] })[0] ?? '', /no thinking_blocks/);
    assert.match(refused({}, 'meta.llama3-3-70b-instruct-v1:0')[0] ?? '', /no such setting/);
    assert.match(refused({ temperature: 0.2 })[0] ?? '', /while it thinks/);
    assert.equal(encode({ reasoning_effort: 'high', temperature: 0.2 }).body.inferenceConfig, undefined);
  });

  it('keeps to what the model samples by', () => {
    const config = (model: string, body: Record<string, unknown>) => encode(body, model).body;
    assert.deepEqual(config(CLAUDE, { temperature: 0.2, top_p: 0.9 }).inferenceConfig, { temperature: 0.2 });
    assert.deepEqual(config(NOVA, { temperature: 0.2, top_p: 0.9, top_k: 20 }).inferenceConfig, { temperature: 0.2, topP: 0.9 });
    assert.deepEqual(config(NOVA, { top_k: 20 }).additionalModelRequestFields, { inferenceConfig: { topK: 20 } });
    assert.deepEqual(config(CLAUDE, { top_k: 20 }).additionalModelRequestFields, { top_k: 20 });
    assert.equal(config('anthropic.claude-opus-4-8-v1:0', { temperature: 0.2 }).inferenceConfig, undefined);
    assert.match(encode({ top_k: 5 }, 'mistral.mistral-large-2402-v1:0').warnings[0] ?? '', /top_k/);
    assert.deepEqual(config(NOVA, { service_tier: 'flex' }).serviceTier, { type: 'flex' });
  });

  it('asks for structured output', () => {
    const format = { type: 'json_schema', json_schema: { name: 'a', description: 'd', strict: true, schema: { type: 'object' } } };
    assert.deepEqual(encode({ response_format: format }).body.outputConfig, {
      textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: '{"type":"object"}', name: 'a', description: 'd' } } },
    });
    const json = encode({ response_format: { type: 'json_object' } });
    assert.deepEqual(json.body.system, [{ text: 'Answer with one JSON object and nothing else.' }]);
    assert.match(json.warnings[0] ?? '', /became an instruction/);
    assert.equal(refusal({ response_format: format }, 'anthropic.claude-3-haiku-20240307-v1:0'), 'response_format');
    const strict = { ...TOOL, function: { ...TOOL.function, strict: true } };
    assert.equal(encode({ tools: [strict] }).body.toolConfig?.tools[0]?.toolSpec.strict, true);
    assert.match(encode({ tools: [strict] }, 'anthropic.claude-3-haiku-20240307-v1:0').warnings[0] ?? '', /strict/);
  });

  it('maps every tool choice that can be said', () => {
    const choice = (wanted: unknown) => encode({ tools: [TOOL], tool_choice: wanted }).body.toolConfig?.toolChoice;
    assert.deepEqual(choice('required'), { any: {} });
    assert.deepEqual(choice({ type: 'function', function: { name: 'get_weather' } }), { tool: { name: 'get_weather' } });
    assert.equal(encode({ tools: [TOOL], tool_choice: 'none' }).body.toolConfig, undefined);
    assert.equal(refusal({ tools: [TOOL], tool_choice: 'none', messages: [USER, CALL, ANSWER] }), 'tool_choice');
    assert.equal(refusal({ messages: [USER, CALL, ANSWER] }), 'tools');
  });

  it('refuses what would change the answer, and names what it leaves out', () => {
    const parts = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
    assert.equal(
      refusal(parts({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } })),
      'messages[0].content[0].image_url.url',
    );
    assert.equal(
      refusal(parts({ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AAAA' } })),
      'messages[0].content[0].image_url.url',
    );
    assert.equal(refusal(parts({ type: 'file', file: { file_data: 'data:application/zip;base64,AAAA' } })), 'messages[0].content[0].file');
    assert.equal(refusal(parts({ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } })), 'messages[0].content[0]');
    assert.equal(refusal({ n: 3 }), 'n');
    assert.equal(refusal({ messages: [{ role: 'assistant', content: 'hi' }] }), 'messages');
    assert.equal(refusal({ messages: [{ role: 'user', content: '  ' }] }), 'messages');
    assert.deepEqual(encode({ seed: 1, tools: [TOOL], parallel_tool_calls: false, service_tier: 'scale' }).warnings, [
      'seed is not sent: Bedrock has no counterpart',
      'parallel_tool_calls false is not sent: Bedrock has no counterpart',
      'service_tier "scale" is not sent: Bedrock has priority, default and flex',
    ]);
    const marked = { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] }] };
    assert.deepEqual(encode(marked, 'meta.llama3-3-70b-instruct-v1:0').warnings, [
      'cache_control is not sent: this model has no prompt cache',
    ]);
  });
});

describe('Bedrock answers', () => {
  it('map every stop reason; one that is not known passes as it is', () => {
    assert.deepEqual(
      ['end_turn', 'stop_sequence', 'tool_use', 'max_tokens', 'guardrail_intervened', 'malformed_tool_use', 'constructor'].map(
        finishReason,
      ),
      ['stop', 'stop', 'tool_calls', 'length', 'content_filter', 'malformed_tool_use', 'constructor'],
    );
  });

  it('are refused when they are none', () => {
    for (const body of [null, {}, { stopReason: 'end_turn' }, { output: { message: { content: [] } } }])
      assert.throws(
        () => decodeAnswer(body, '', 0),
        (thrown) => thrown instanceof PlimsollError && thrown.code === 'provider_bad_response',
      );
  });

  it('count tokens in classes that do not overlap', () => {
    const { facts } = decodeAnswer(jsonFixture('bedrock', 'cache'), '', 0);
    assert.deepEqual(facts.usage, {
      inputUncachedTokens: 21,
      cacheReadTokens: 4000,
      cacheWrite5mTokens: 700,
      cacheWrite1hTokens: 300,
      audioInputTokens: 0,
      outputTextTokens: 6,
      reasoningTokens: 0,
      audioOutputTokens: 0,
    });
    assert.equal(readBedrockUsage({ inputTokens: 1 }), null);
  });
});

describe('Bedrock errors', () => {
  it('are classified by the exception that the header or the body names, else by status', () => {
    const code = (status: number, type: string | null, message = 'x', body = JSON.stringify({ message })) =>
      classifyBedrockError(status, body, type === null ? {} : { 'x-amzn-errortype': type }).code;
    assert.equal(code(429, 'ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/'), 'provider_rate_limited');
    assert.equal(code(400, 'ServiceQuotaExceededException'), 'provider_rate_limited');
    assert.equal(code(400, 'ValidationException'), 'provider_rejected');
    assert.equal(code(400, 'ValidationException', 'Input is too long for requested model.'), 'context_length_exceeded');
    assert.equal(code(403, 'AccessDeniedException'), 'provider_auth_failed');
    assert.equal(code(403, 'ExpiredTokenException'), 'provider_auth_failed');
    assert.equal(code(408, 'ModelTimeoutException'), 'provider_timeout');
    assert.equal(code(429, 'ModelNotReadyException'), 'provider_unavailable');
    assert.equal(code(424, 'ModelErrorException'), 'provider_unavailable');
    assert.equal(
      code(400, null, '', '{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"bad token"}'),
      'provider_auth_failed',
    );
    assert.deepEqual(
      [code(503, null, '', '<html>'), code(404, null), code(500, 'constructor')],
      ['provider_unavailable', 'provider_rejected', 'provider_unavailable'],
    );
  });
});
