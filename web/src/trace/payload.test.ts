import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePayload } from './payload.ts';

describe('payload of a span', () => {
  it('reads a request body', () => {
    const payload = parsePayload(
      JSON.stringify({
        model: 'default',
        temperature: 0.2,
        tools: [{ type: 'function', function: { name: 'find_order' } }],
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: '{}' },
        ],
      }),
    );
    assert.equal(payload.kind, 'chat');
    if (payload.kind !== 'chat') return;
    assert.deepEqual(payload.tools, ['find_order']);
    assert.deepEqual(payload.parameters, { model: 'default', temperature: 0.2 });
    assert.deepEqual(payload.messages[1]?.parts, [
      { kind: 'text', text: 'Look' },
      { kind: 'media', label: 'Image', detail: 'image/png, 1 KB inline' },
    ]);
    assert.equal(payload.messages[2]?.label, 'call_1');
  });

  it('reads answers, tool calls and refusals', () => {
    const payload = parsePayload(
      JSON.stringify([
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find_order', arguments: '{"id":7}' } }],
        },
        { message: { role: 'assistant', content: 'Hi', refusal: 'No.' } },
      ]),
    );
    assert.deepEqual(payload.kind === 'chat' && payload.messages.flatMap((message) => message.parts), [
      { kind: 'toolCall', id: 'call_1', name: 'find_order', arguments: '{\n  "id": 7\n}' },
      { kind: 'text', text: 'Hi' },
      { kind: 'refusal', text: 'No.' },
    ]);
  });

  it('reads the requests of every API', () => {
    const chat = (body: unknown) => {
      const payload = parsePayload(JSON.stringify(body));
      assert.ok(payload.kind === 'chat');
      return { roles: payload.messages.map(({ role, parts }) => [role, ...parts.map(({ kind }) => kind)]), tools: payload.tools };
    };
    assert.deepEqual(
      chat({
        system: 'Be brief.',
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'x' } }] },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } }] },
        ],
        tools: [{ name: 'f' }],
      }),
      {
        roles: [
          ['system', 'text'],
          ['user', 'media'],
          ['assistant', 'toolCall'],
        ],
        tools: ['f'],
      },
    );
    assert.deepEqual(
      chat({
        instructions: 'Be brief.',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
          { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: 'a', output: 'ok' },
        ],
      }).roles,
      [
        ['system', 'text'],
        ['user', 'text'],
        ['assistant', 'toolCall'],
        ['tool', 'text'],
      ],
    );
    assert.deepEqual(chat({ input: 'Hi' }).roles, [['user', 'text']]);
    assert.deepEqual(
      chat({
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: 'x' } }] },
          { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
        ],
        tools: [{ functionDeclarations: [{ name: 'f' }, { name: 'g' }] }],
      }),
      {
        roles: [
          ['system', 'text'],
          ['user', 'text', 'media'],
          ['model', 'toolCall'],
        ],
        tools: ['f', 'g'],
      },
    );
  });

  it('reads the documents of a retriever', () => {
    const documents = [
      { id: 'd1', score: 0.5, content: 'Within 30 days.', metadata: null },
      { id: null, score: null, content: null, metadata: { page: 3 } },
    ];
    assert.deepEqual(parsePayload(JSON.stringify({ documents })), {
      kind: 'documents',
      isCut: false,
      documents: [
        { id: 'd1', score: 0.5, text: 'Within 30 days.' },
        { id: null, score: null, text: '{\n  "page": 3\n}' },
      ],
    });
  });

  it('tells nothing, preview and cut JSON apart', () => {
    assert.deepEqual(parsePayload(null), { kind: 'none' });
    assert.deepEqual(parsePayload('Where is my order?'), { kind: 'preview', text: 'Where is my order?' });
    assert.deepEqual(parsePayload('42'), { kind: 'preview', text: '42' });
    const cut = parsePayload('{"messages":[{"role":"user","content":"Where is');
    assert.equal(cut.kind === 'chat' && cut.isCut, true);
    assert.equal(parsePayload('{"a":1}').kind, 'json');
    assert.equal(parsePayload('[1,2]').kind, 'json');
  });

  it('takes any JSON in any place', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        for (const text of [
          { messages: value },
          { messages: [value] },
          { messages: [{ role: 'user', content: value }] },
          { messages: [{ tool_calls: value }] },
          { contents: [value], systemInstruction: value, tools: [value] },
          { input: [{ type: 'function_call', arguments: value }] },
          [value],
        ])
          assert.ok(parsePayload(JSON.stringify(text)).kind);
      }),
      { numRuns: 200 },
    );
  });
});
