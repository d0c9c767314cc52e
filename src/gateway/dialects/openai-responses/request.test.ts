import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { sealThinking } from '../../hub/sealed-thinking.ts';
import { decodeRequest } from './request.ts';

const WEATHER = { type: 'function', name: 'get_weather', description: 'Weather', parameters: { type: 'object' }, strict: true };
const BLOCKS = [
  { type: 'thinking', thinking: 'Two cities.', signature: 'c2ln' },
  { type: 'redacted_thinking', data: 'eA==' },
];

function refuses(change: Record<string, unknown>, param: string): void {
  assert.throws(
    () => decodeRequest({ model: 'm', input: 'q', ...change }),
    (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && thrown.details.param === param,
    param,
  );
}

describe('Responses request → hub', () => {
  it('translates a conversation with tools, images, files and reasoning', () => {
    const { body, warnings } = decodeRequest({
      model: 'main',
      instructions: 'Be brief.',
      input: [
        { role: 'developer', content: 'In English.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Weather?' },
            { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
          ],
        },
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ type: 'summary_text', text: 'Two cities.' }],
          encrypted_content: sealThinking(BLOCKS),
        },
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
        },
        { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call', call_id: 'call_2', name: 'get_weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: '9 °C' },
        { type: 'function_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'no city' }] },
        { type: 'message', role: 'user', content: 'And?' },
      ],
      tools: [WEATHER],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      metadata: { team: 'x' },
      include: ['reasoning.encrypted_content'],
      store: false,
      truncation: 'disabled',
      stream: true,
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(body, {
      model: 'main',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: 'In English.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          thinking_blocks: BLOCKS,
          reasoning_content: 'Two cities.',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
            { id: 'call_2', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '9 °C' },
        { role: 'tool', tool_call_id: 'call_2', content: 'no city' },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        { type: 'function', function: { name: 'get_weather', description: 'Weather', parameters: { type: 'object' }, strict: true } },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      verbosity: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
      reasoning_effort: 'high',
      max_completion_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      metadata: { team: 'x' },
      stream: true,
    });
  });

  it('takes a text for input, and two assistant messages for two', () => {
    assert.deepEqual(decodeRequest({ model: 'm', input: 'Hi' }).body.messages, [{ role: 'user', content: 'Hi' }]);
    const said = (text: string) => ({ role: 'assistant', content: [{ type: 'output_text', text }] });
    const { body } = decodeRequest({
      model: 'm',
      input: [said('a'), said('b'), { type: 'reasoning', summary: [], encrypted_content: 'gAAA' }],
    });
    assert.deepEqual(body.messages, [
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
  });

  it('maps every tool choice', () => {
    const choice = (tool_choice: unknown) =>
      decodeRequest({ model: 'm', input: 'q', tools: [WEATHER, { ...WEATHER, name: 'other' }], tool_choice }).body;
    assert.equal(choice('required').tool_choice, 'required');
    assert.equal(choice('none').tool_choice, 'none');
    assert.deepEqual(choice({ type: 'function', name: 'other' }).tool_choice, { type: 'function', function: { name: 'other' } });
    const allowed = choice({ type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'other' }] });
    assert.equal(allowed.tool_choice, 'required');
    assert.equal((allowed.tools as unknown[]).length, 1);
  });

  it('refuses state and tools that live at OpenAI, naming the member and the reason', () => {
    refuses({ previous_response_id: 'resp_1' }, 'previous_response_id');
    assert.throws(() => decodeRequest({ model: 'm', input: 'q', previous_response_id: 'r' }), /kept by the provider that answered before/);
    refuses({ conversation: 'conv_1' }, 'conversation');
    refuses({ prompt: { id: 'p' } }, 'prompt');
    refuses({ tools: [{ type: 'web_search' }] }, 'tools[0].type');
    refuses({ tools: [{ type: 'custom', name: 'x' }] }, 'tools[0].type');
    refuses({ tool_choice: { type: 'web_search' } }, 'tool_choice.type');
    refuses({ tool_choice: 'maybe' }, 'tool_choice');
    refuses({ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].type');
    refuses({ input: [{ type: 'computer_call' }] }, 'input[0].type');
    refuses({ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] }, 'input[0].content[0].file_id');
    refuses({ input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://x' }] }] }, 'input[0].content[0].file_url');
    refuses({ input: [{ role: '__proto__', content: 'x' }] }, 'input[0].role');
    refuses({ input: [7] }, 'input[0]');
    refuses({ input: {} }, 'input');
    refuses({ text: { format: { type: 'xml' } } }, 'text.format.type');
    refuses({ reasoning: 'high' }, 'reasoning');
  });

  it('names what it leaves out', () => {
    const { warnings } = decodeRequest({
      model: 'm',
      input: 'q',
      store: true,
      truncation: 'auto',
      include: ['message.output_text.logprobs'],
      top_logprobs: 2,
      something_new: 1,
    });
    assert.equal(warnings.length, 5);
  });

  it('takes sealed thinking only as it was', () => {
    const read = (encrypted_content: string) =>
      decodeRequest({
        model: 'm',
        input: [
          { type: 'reasoning', summary: [], encrypted_content },
          { role: 'assistant', content: 'a' },
        ],
      });
    const sealed = sealThinking(BLOCKS);
    assert.deepEqual((read(sealed).body.messages as { thinking_blocks: unknown }[])[0]?.thinking_blocks, BLOCKS);
    for (const text of ['gAAAAABo', `${sealed.slice(0, 24)}!!`, sealThinking([{ type: 'text', text: 'x' }])]) {
      const [message] = read(text).body.messages as { thinking_blocks?: unknown[] }[];
      assert.equal(message?.thinking_blocks?.length ?? 0, 0, text);
    }
    assert.equal(read('gAAAAABo').warnings.length, 1);
  });
});
