import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../../kernel/errors.ts';
import { encodeRequest } from './request.ts';
import type { AnthropicRequest } from './wire.ts';

const MODEL = 'claude-sonnet-4-5';
const HELLO = [{ role: 'user', content: 'Hello' }];

function encode(body: Record<string, unknown>, model = MODEL): AnthropicRequest & { warnings: string[] } {
  const { body: encoded, warnings } = encodeRequest({ max_tokens: 100, messages: HELLO, ...body }, model);
  return { ...encoded, warnings };
}

function refused(body: Record<string, unknown>, param: string, model = MODEL): void {
  assert.throws(
    () => encode(body, model),
    (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && thrown.details.param === param,
    JSON.stringify(body),
  );
}

describe('OpenAI request → Anthropic: messages', () => {
  it('makes the smallest request', () => {
    assert.deepEqual(encodeRequest({ model: 'alias', messages: HELLO, max_tokens: 5 }, MODEL), {
      body: { model: MODEL, max_tokens: 5, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] },
      warnings: [],
    });
  });

  it('gathers system and developer messages in order, and says when one stood inside the conversation', () => {
    const leading = [
      { role: 'system', content: 'A' },
      { role: 'developer', content: [{ type: 'text', text: 'B' }] },
    ];
    assert.equal(encode({ messages: [...leading, ...HELLO] }).system, 'A\n\nB');
    assert.deepEqual(encode({ messages: [...leading, ...HELLO] }).warnings, []);
    const late = encode({ messages: [...leading, ...HELLO, { role: 'system', content: 'C' }, { role: 'user', content: 'x' }] });
    assert.equal(late.system, 'A\n\nB\n\nC');
    assert.deepEqual(late.messages, [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'text', text: 'x' },
        ],
      },
    ]);
    assert.match(late.warnings.join(), /moved to the system prompt/);
  });

  it('keeps cache marks', () => {
    const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const { system, messages } = encode({
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'S', ...mark }] },
        { role: 'user', content: [{ type: 'text', text: 'U', ...mark }] },
      ],
    });
    assert.deepEqual(system, [{ type: 'text', text: 'S', ...mark }]);
    assert.deepEqual(messages[0]?.content, [{ type: 'text', text: 'U', ...mark }]);
  });

  it('translates images and PDF files', () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
      { type: 'image_url', image_url: { url: 'https://example.com/cat.jpg', detail: 'high' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
    ];
    const encoded = encode({ messages: [{ role: 'user', content }] });
    assert.deepEqual(encoded.messages[0]?.content, [
      { type: 'text', text: 'What is this?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/cat.jpg' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'a.pdf' },
    ]);
    assert.match(encoded.warnings.join(), /image_url\.detail/);
    const part = (value: unknown) => ({ messages: [{ role: 'user', content: [value] }] });
    refused(part({ type: 'image_url', image_url: { url: 'data:image/bmp;base64,AA' } }), 'messages[0].content[0].image_url.url');
    refused(part({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }), 'messages[0].content[0].image_url.url');
    refused(part({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), 'messages[0].content[0]');
    refused(part({ type: 'file', file: { file_id: 'file-1' } }), 'messages[0].content[0].file');
  });

  it('puts tool answers together, before the next user text', () => {
    const call = (id: string, text: string) => ({ id, type: 'function', function: { name: 'get_weather', arguments: text } });
    const { messages } = encode({
      messages: [
        ...HELLO,
        { role: 'assistant', content: 'Looking.', tool_calls: [call('a', '{"city":"Paris"}'), call('b', '')] },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: '9 °C' }] },
        { role: 'tool', tool_call_id: 'a', content: '' },
        { role: 'user', content: 'And now?' },
      ],
      tools: [{ type: 'function', function: { name: 'get_weather' } }],
    });
    assert.deepEqual(messages.slice(1), [
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Looking.' },
          { type: 'tool_use', id: 'a', name: 'get_weather', input: { city: 'Paris' } },
          { type: 'tool_use', id: 'b', name: 'get_weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'b', content: '9 °C' },
          { type: 'tool_result', tool_use_id: 'a' },
          { type: 'text', text: 'And now?' },
        ],
      },
    ]);
  });

  it('makes tool ids of other providers valid and unique', () => {
    const turn = [
      { role: 'assistant', tool_calls: [{ id: 'call:0', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'call:0', content: 'x' },
    ];
    const { messages } = encode({ messages: [...HELLO, ...turn, ...turn], tools: [{ type: 'function', function: { name: 'f' } }] });
    const ids = messages.flatMap((message) =>
      message.content.map((block) => (block.type === 'tool_use' ? block.id : block.type === 'tool_result' ? block.tool_use_id : '')),
    );
    assert.deepEqual(ids, ['', 'call_0', 'call_0', 'call_0_2', 'call_0_2']);
  });

  it('says what is wrong with a tool call or its answer', () => {
    const conversation = (fn: unknown, ...rest: unknown[]) => ({
      messages: [...HELLO, { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: fn }] }, ...rest],
    });
    const answer = { role: 'tool', tool_call_id: 'a', content: 'x' };
    const at = 'messages[1].tool_calls[0].function.arguments';
    refused(conversation({ name: 'f', arguments: '{"a":' }, answer), at);
    refused(conversation({ name: 'f', arguments: '[1]' }, answer), at);
    refused(conversation({ name: 'f', arguments: '{}' }), 'messages');
    refused(conversation({ name: 'f', arguments: '{}' }, { role: 'user', content: 'x' }, answer), 'messages[2]');
    refused(conversation({ name: 'f', arguments: '{}' }, answer, answer), 'messages[3].tool_call_id');
    refused({ messages: [...HELLO, answer] }, 'messages[1].tool_call_id');
    assert.throws(() => encode(conversation({ name: 'f', arguments: '{"a":' }, answer)), /not valid JSON/);
  });

  it('refuses conversations that Anthropic has no form for', () => {
    refused({ messages: [] }, 'messages');
    refused({ messages: [{ role: 'system', content: 'only' }] }, 'messages');
    refused({ messages: [{ role: 'assistant', content: 'first' }] }, 'messages');
    refused({ messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'messages[0].role');
    refused({ messages: 'Hello' }, 'messages');
    refused({ messages: [null] }, 'messages[0]');
  });

  it('trims the end of a prefill and leaves out empty texts', () => {
    const { messages } = encode({
      messages: [{ role: 'user', content: ' ' }, ...HELLO, { role: 'assistant', content: '' }, { role: 'assistant', content: '{ ' }],
    });
    assert.deepEqual(messages, [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content: [{ type: 'text', text: '{' }] },
    ]);
  });
});

describe('OpenAI request → Anthropic: parameters', () => {
  const tools = [
    { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} }, strict: true } },
  ];

  it('translates tools and every choice of them', () => {
    assert.deepEqual(encode({ tools }).tools, [
      { name: 'f', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true },
    ]);
    assert.equal(encode({ tools }).tool_choice, undefined);
    const choice = (value: unknown, parallel?: boolean) =>
      encode({ tools, tool_choice: value, ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }) }).tool_choice;
    assert.deepEqual(choice('auto'), { type: 'auto' });
    assert.deepEqual(choice('none'), { type: 'none' });
    assert.deepEqual(choice('required'), { type: 'any' });
    assert.deepEqual(choice({ type: 'function', function: { name: 'f' } }), { type: 'tool', name: 'f' });
    assert.deepEqual(choice(undefined, false), { type: 'auto', disable_parallel_tool_use: true });
    assert.deepEqual(choice('required', false), { type: 'any', disable_parallel_tool_use: true });
    assert.deepEqual(choice('none', false), { type: 'none' });
    assert.deepEqual(choice('auto', true), { type: 'auto' });
    refused({ tools, tool_choice: { type: 'function', function: { name: 'g' } } }, 'tool_choice');
    refused({ tool_choice: 'required' }, 'tool_choice');
    refused({ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0]');
    refused({ functions: [] }, 'functions');
  });

  it('declares the tools of the history when the request names none', () => {
    const history = [
      ...HELLO,
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ];
    const encoded = encode({ messages: history });
    assert.deepEqual([encoded.tools, encoded.tool_choice], [[{ name: 'f', input_schema: { type: 'object' } }], { type: 'none' }]);
  });

  it('sends a token limit always', () => {
    assert.equal(encode({ max_completion_tokens: 7 }).max_tokens, 7);
    assert.equal(encode({ max_tokens: 9 }).max_tokens, 9);
    const missing = encode({ max_tokens: undefined });
    assert.equal(missing.max_tokens, 4096);
    assert.match(missing.warnings.join(), /max_tokens is missing/);
    refused({ max_tokens: 0 }, 'max_tokens');
    refused({ max_completion_tokens: 1.5 }, 'max_completion_tokens');
  });

  it('fits the sampling parameters to the model', () => {
    const hot = encode({ temperature: 1.7 });
    assert.equal(hot.temperature, 1);
    assert.match(hot.warnings.join(), /temperature 1\.7 was lowered/);
    assert.deepEqual(encode({ temperature: 0.3, top_p: null }).warnings, []);
    const both = (model: string) => encode({ temperature: 0.3, top_p: 0.9 }, model);
    assert.deepEqual([both('claude-3-5-haiku-20241022').top_p, both('claude-3-5-haiku-20241022').warnings], [0.9, []]);
    assert.deepEqual([both('claude-sonnet-4-5').temperature, both('claude-sonnet-4-5').top_p], [0.3, undefined]);
    assert.match(both('claude-sonnet-4-5').warnings.join(), /top_p is not sent/);
    for (const model of ['claude-opus-4-7', 'claude-sonnet-5', 'claude-fable-5-1', 'claude-mythos-preview']) {
      assert.deepEqual([both(model).temperature, both(model).top_p], [undefined, undefined], model);
      assert.match(both(model).warnings.join(), /this model takes none/);
      assert.deepEqual(encode({ temperature: 1, top_p: 1 }, model).warnings, []);
    }
    refused({ temperature: 2.1 }, 'temperature');
    refused({ temperature: '1' }, 'temperature');
    refused({ top_p: -1 }, 'top_p');
  });

  it('maps the reasoning effort to a budget, or to an effort on newer models', () => {
    const budget = encode({ max_tokens: undefined, reasoning_effort: 'medium', temperature: 0.2 }, 'claude-sonnet-4-5-20250929');
    assert.deepEqual([budget.thinking, budget.max_tokens, budget.temperature], [{ type: 'enabled', budget_tokens: 4096 }, 8192, undefined]);
    assert.deepEqual(encode({ max_tokens: 4000, reasoning_effort: 'high' }).thinking, { type: 'enabled', budget_tokens: 2000 });
    const cramped = encode({ max_tokens: 1000, reasoning_effort: 'high' });
    assert.deepEqual([cramped.thinking, cramped.max_tokens], [undefined, 1000]);
    assert.match(cramped.warnings.join(), /no room/);
    const adaptive = encode({ reasoning_effort: 'xhigh' }, 'claude-opus-4-7');
    assert.deepEqual([adaptive.thinking, adaptive.output_config], [{ type: 'adaptive' }, { effort: 'xhigh' }]);
    assert.deepEqual(encode({ reasoning_effort: 'xhigh' }, 'claude-opus-4-6').output_config, { effort: 'high' });
    assert.deepEqual(encode({ reasoning_effort: 'none' }).thinking, undefined);
    assert.match(encode({ reasoning_effort: 'low' }, 'claude-3-haiku-20240307').warnings.join(), /does not think/);
    assert.match(
      encode({ reasoning_effort: 'low', max_tokens: 9000, tools, tool_choice: 'required' }).warnings.join(),
      /exclude each other/,
    );
    assert.deepEqual(encode({ thinking: { type: 'enabled', budget_tokens: 2048 } }).thinking, { type: 'enabled', budget_tokens: 2048 });
    refused({ reasoning_effort: 'extreme' }, 'reasoning_effort');
    refused({ reasoning_effort: 'constructor' }, 'reasoning_effort');
  });

  it('turns a JSON schema into structured output, closed as Anthropic wants it', () => {
    const schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } } },
    };
    assert.deepEqual(encode({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } }).output_config?.format, {
      type: 'json_schema',
      schema: {
        ...schema,
        properties: {
          list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false } },
        },
        additionalProperties: false,
      },
    });
    refused({ response_format: { type: 'json_schema', json_schema: { schema } } }, 'response_format', 'claude-3-5-sonnet-20241022');
    const loose = encode({ response_format: { type: 'json_object' } });
    assert.match(String(loose.system), /one JSON object/);
    assert.equal(loose.warnings.length, 1);
    assert.deepEqual(encode({ response_format: { type: 'text' } }).warnings, []);
  });

  it('passes the rest: stop, user, service tier, stream', () => {
    const encoded = encode({ stop: 'END', user: 'u-1', service_tier: 'default', stream: true, stream_options: { include_usage: true } });
    assert.deepEqual(
      [encoded.stop_sequences, encoded.metadata, encoded.service_tier, encoded.stream],
      [['END'], { user_id: 'u-1' }, 'standard_only', true],
    );
    assert.deepEqual(encoded.warnings, []);
    assert.deepEqual(encode({ stop: ['a', '\n'] }).stop_sequences, ['a']);
    assert.equal(encode({ stop: ['\n'] }).warnings.length, 1);
  });

  it('names each parameter that it drops, once, and none that asks for nothing', () => {
    const dropped = {
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { 50256: -100 },
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: -1,
      prediction: { type: 'content', content: 'x' },
    };
    assert.deepEqual(
      encode(dropped).warnings.map((warning) => warning.split(' ')[0]),
      Object.keys(dropped),
    );
    assert.deepEqual(
      encode({ logprobs: false, logit_bias: {}, presence_penalty: 0, seed: null, n: 1, store: true, metadata: { a: 'b' } }).warnings,
      [],
    );
  });

  it('refuses what would change the answer', () => {
    refused({ n: 2 }, 'n');
    refused({ modalities: ['text', 'audio'] }, 'modalities');
    refused({ audio: { voice: 'alloy', format: 'wav' } }, 'modalities');
  });
});

describe('OpenAI request → Anthropic: any conversation', () => {
  const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', ' ', 'Hello'));
  const id = fc.constantFrom('a', 'b', 'c', 'call:1');
  const message = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        role: fc.constantFrom('user', 'system', 'developer', 'assistant'),
        content: fc.oneof(
          text,
          fc.array(
            text.map((value) => ({ type: 'text', text: value })),
            { maxLength: 2 },
          ),
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        role: fc.constant('assistant'),
        content: fc.option(text),
        tool_calls: fc.array(
          id.map((value) => ({ id: value, type: 'function', function: { name: 'f', arguments: '{"x":1}' } })),
          { minLength: 1, maxLength: 2 },
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ role: fc.constant('tool'), tool_call_id: id, content: text }) },
  );
  /** A whole tool turn, so that many conversations are valid. */
  const turn = fc.tuple(fc.uniqueArray(id, { minLength: 1, maxLength: 3 }), fc.boolean(), text).map(([ids, isReversed, answer]) => [
    {
      role: 'assistant',
      content: null,
      tool_calls: ids.map((value) => ({ id: value, type: 'function', function: { name: 'f', arguments: '' } })),
    },
    ...(isReversed ? [...ids].reverse() : ids).map((value) => ({ role: 'tool', tool_call_id: value, content: answer })),
  ]);
  const conversation = fc.array(fc.oneof({ weight: 1, arbitrary: message.map((value) => [value]) }, { weight: 2, arbitrary: turn }), {
    maxLength: 8,
  });

  it('either encodes to alternating messages with every tool call answered at once, or is refused', () => {
    let encodedCount = 0;
    fc.assert(
      fc.property(conversation, (parts) => {
        let encoded: AnthropicRequest;
        try {
          encoded = encode({ messages: [...HELLO, ...parts.flat()] });
        } catch (thrown) {
          assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument');
          return;
        }
        encodedCount++;
        const seen = new Set<string>();
        encoded.messages.forEach((current, index) => {
          assert.equal(current.role, index % 2 === 0 ? 'user' : 'assistant');
          assert.ok(current.content.length > 0);
          const calls = current.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
          for (const call of calls) {
            assert.match(call, /^[A-Za-z0-9_-]+$/);
            assert.ok(!seen.has(call), 'ids are unique');
            seen.add(call);
          }
          const next = encoded.messages[index + 1]?.content ?? [];
          const answers = next.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
          assert.deepEqual([...answers].sort(), [...calls].sort());
          assert.ok(
            next.slice(0, answers.length).every((block) => block.type === 'tool_result'),
            'answers come first',
          );
          for (const block of current.content) if (block.type === 'text') assert.notEqual(block.text.trim(), '');
        });
      }),
      { numRuns: 200 },
    );
    assert.ok(encodedCount > 20, `only ${encodedCount} of 200 conversations were valid`);
  });
});
