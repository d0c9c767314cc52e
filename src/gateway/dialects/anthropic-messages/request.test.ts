import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { encodeRequest } from '../../providers/anthropic/request.ts';
import { decodeRequest } from './request.ts';

const WEATHER = { name: 'get_weather', description: 'Weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };

/** A conversation with everything that both sides have a word for. */
const AGENT = {
  model: 'main',
  max_tokens: 2048,
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Weather in the picture and the paper?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, cache_control: { type: 'ephemeral' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'paper.pdf' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Two cities.', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'eA==' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Oslo' } },
        { type: 'tool_use', id: 'toolu_2', name: 'get_weather', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: '9 °C' },
        {
          type: 'tool_result',
          tool_use_id: 'toolu_2',
          is_error: true,
          content: [
            { type: 'text', text: 'no city' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          ],
        },
        { type: 'text', text: 'And?' },
      ],
    },
  ],
  tools: [{ ...WEATHER, cache_control: { type: 'ephemeral' } }],
  tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  stop_sequences: ['END'],
  temperature: 0.5,
  metadata: { user_id: 'ada' },
  service_tier: 'standard_only',
  stream: true,
};

function refuses(change: Record<string, unknown>, param: string): void {
  assert.throws(
    () => decodeRequest({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'q' }], ...change }),
    (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && thrown.details.param === param,
    param,
  );
}

describe('Messages request → hub', () => {
  it('translates a conversation with tools, images, documents and thinking', () => {
    const { body, warnings } = decodeRequest(AGENT);
    assert.deepEqual(warnings, []);
    assert.deepEqual(body, {
      model: 'main',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather in the picture and the paper?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' }, cache_control: { type: 'ephemeral' } },
            { type: 'file', file: { filename: 'paper.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          reasoning_content: 'Two cities.',
          thinking_blocks: [
            { type: 'thinking', thinking: 'Two cities.', signature: 'c2ln' },
            { type: 'redacted_thinking', data: 'eA==' },
          ],
          tool_calls: [
            { id: 'toolu_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
            { id: 'toolu_2', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'toolu_1', content: '9 °C' },
        {
          role: 'tool',
          tool_call_id: 'toolu_2',
          is_error: true,
          content: [
            { type: 'text', text: 'no city' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          ],
        },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'get_weather', description: 'Weather', parameters: WEATHER.input_schema },
          cache_control: { type: 'ephemeral' },
        },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      max_completion_tokens: 2048,
      stop: ['END'],
      temperature: 0.5,
      user: 'ada',
      service_tier: 'default',
      stream: true,
    });
  });

  it('comes back as the same request when a provider encodes it for Anthropic again', () => {
    const { body, warnings } = encodeRequest(decodeRequest(AGENT).body, 'main');
    assert.deepEqual(warnings, []);
    const { model, max_tokens, messages, system, tools, tool_choice, stop_sequences, temperature, metadata, service_tier, stream } = AGENT;
    assert.deepEqual(body, {
      ...{ model, max_tokens, messages, system, tools, tool_choice, stop_sequences, temperature, metadata, service_tier, stream },
    });
  });

  it('maps thinking, effort and structured output', () => {
    const decode = (change: object) => decodeRequest({ model: 'm', max_tokens: 9000, messages: [], ...change }).body;
    assert.deepEqual(decode({ thinking: { type: 'enabled', budget_tokens: 5000 } }).reasoning_effort, 'medium');
    assert.deepEqual(decode({ thinking: { type: 'enabled', budget_tokens: 1024 } }).reasoning_effort, 'low');
    assert.deepEqual(decode({ thinking: { type: 'enabled', budget_tokens: 8500 } }).reasoning_effort, 'high');
    assert.deepEqual(decode({ thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } }).reasoning_effort, 'xhigh');
    const disabled = decode({ thinking: { type: 'disabled' } });
    assert.deepEqual([disabled.thinking, disabled.reasoning_effort], [{ type: 'disabled' }, undefined]);
    const schema = { type: 'object', properties: { a: { type: 'number' } } };
    const format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } };
    assert.deepEqual(decode({ output_config: { format: { type: 'json_schema', schema } } }).response_format, format);
    assert.deepEqual(decode({ output_format: { type: 'json_schema', schema } }).response_format, format);
  });

  it('maps every tool choice', () => {
    const choice = (tool_choice: object) => decodeRequest({ model: 'm', max_tokens: 9, messages: [], tools: [WEATHER], tool_choice }).body;
    assert.equal(choice({ type: 'any' }).tool_choice, 'required');
    assert.equal(choice({ type: 'none' }).tool_choice, 'none');
    assert.deepEqual(choice({ type: 'tool', name: 'get_weather' }).tool_choice, { type: 'function', function: { name: 'get_weather' } });
  });

  it('reads documents of text and search results as text, and system messages inside the conversation', () => {
    const { body } = decodeRequest({
      model: 'm',
      max_tokens: 9,
      system: 'S',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Body' }, title: 'T', context: 'C' },
            { type: 'document', source: { type: 'content', content: 'Inner' } },
            { type: 'search_result', title: 'Hit', source: 'https://a', content: [{ type: 'text', text: 'found' }] },
          ],
        },
        { role: 'system', content: 'Later' },
      ],
    });
    assert.deepEqual(body.messages, [
      { role: 'system', content: 'S' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'T\nC\nBody' },
          { type: 'text', text: 'Inner' },
          { type: 'text', text: 'Hit\nhttps://a\nfound' },
        ],
      },
      { role: 'system', content: 'Later' },
    ]);
  });

  it('keeps unsigned thinking out of the blocks that must be signed', () => {
    const { body } = decodeRequest({
      model: 'm',
      max_tokens: 9,
      messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: '' }] }],
    });
    assert.deepEqual(body.messages, [{ role: 'assistant', content: null, reasoning_content: 'hm' }]);
  });

  it('refuses what only Anthropic can do, naming the member', () => {
    refuses({ max_tokens: undefined }, 'max_tokens');
    refuses({ max_tokens: 0 }, 'max_tokens');
    refuses({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type');
    refuses({ mcp_servers: [{ type: 'url', url: 'https://x' }] }, 'mcp_servers');
    refuses({ container: 'c_1' }, 'container');
    refuses({ inference_geo: 'eu' }, 'inference_geo');
    refuses({ thinking: { type: 'enabled' } }, 'thinking.budget_tokens');
    refuses({ thinking: { type: 'much' } }, 'thinking.type');
    refuses({ output_config: { format: { type: 'xml' } } }, 'output_config.format');
    const content = (block: unknown) => ({ messages: [{ role: 'user', content: [block] }] });
    refuses(content({ type: 'image', source: { type: 'file', file_id: 'f' } }), 'messages[0].content[0].source');
    refuses(content({ type: 'web_search_tool_result' }), 'messages[0].content[0].type');
    refuses(content(7), 'messages[0].content[0]');
    refuses({ messages: 'no' }, 'messages');
    refuses({ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role');
    refuses(
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: 'x' }] }] },
      'messages[0].content[0].input',
    );
  });

  it('names what it leaves out', () => {
    const { warnings } = decodeRequest({
      model: 'm',
      max_tokens: 9,
      messages: [],
      context_management: { edits: [{}] },
      tools: [{ ...WEATHER, defer_loading: true }],
      output_config: { task_budget: { type: 'tokens' } },
    });
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      ['context_management', 'output_config.task_budget', 'tools[].defer_loading'],
    );
  });

  it('does not trip over names of the prototype', () => {
    const hostile = JSON.parse('{"__proto__":{"container":"x"},"constructor":1,"model":"m","max_tokens":9,"messages":[]}') as object;
    const { body, warnings } = decodeRequest({ ...hostile });
    assert.equal(body.model, 'm');
    assert.equal(warnings.length, 2);
  });
});
