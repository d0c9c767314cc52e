import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { jsonFixture } from '../../hub/testing.ts';
import gemini from '../gemini.ts';
import { decodeAnswer } from './answer.ts';
import { encodeRequest } from './request.ts';

const USER = { role: 'user', content: 'hi' };
const TOOL = {
  type: 'function',
  function: { name: 'get_weather', description: 'Weather', parameters: { type: 'object', properties: {} } },
};

function encode(body: Record<string, unknown>, model = 'gemini-2.5-flash') {
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

describe('OpenAI request → Gemini', () => {
  it('says only what the client said', () => {
    assert.deepEqual(encode({ model: 'alias', stream: true, stream_options: { include_usage: true }, user: 'u', store: false }), {
      body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
      warnings: [],
    });
  });

  it('carries a whole tool conversation', () => {
    const { body, warnings } = encode({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather here?' },
            { type: 'image_url', image_url: { url: 'data:image/jpg;base64,AAAA', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
            { type: 'input_audio', input_audio: { data: 'CCCC', format: 'mp3' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'hm',
          tool_calls: [
            {
              id: 'fc_1',
              type: 'function',
              function: { name: 'get_weather', arguments: '{"location":"Paris"}' },
              extra_content: { google: { thought_signature: 'sig' } },
            },
            { id: 'call_gemini_abc_1', type: 'function', function: { name: 'get_time', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 'fc_1', content: '{"celsius":9}' },
        { role: 'tool', tool_call_id: 'call_gemini_abc_1', content: '12:00', is_error: true },
        { role: 'user', content: 'Thanks' },
      ],
      tools: [TOOL],
      tool_choice: 'auto',
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(body, {
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Weather here?' },
            { inlineData: { mimeType: 'image/jpeg', data: 'AAAA' } },
            { inlineData: { mimeType: 'application/pdf', data: 'BBBB' } },
            { inlineData: { mimeType: 'audio/mp3', data: 'CCCC' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'fc_1', name: 'get_weather', args: { location: 'Paris' } }, thoughtSignature: 'sig' },
            { functionCall: { name: 'get_time', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'fc_1', name: 'get_weather', response: { celsius: 9 } } },
            { functionResponse: { name: 'get_time', response: { error: '12:00' } } },
            { text: 'Thanks' },
          ],
        },
      ],
      tools: [
        {
          functionDeclarations: [{ name: 'get_weather', description: 'Weather', parametersJsonSchema: { type: 'object', properties: {} } }],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    });
  });

  it('sends its own answers back as the parts that they came from', () => {
    for (const name of ['text', 'parallel-tools', 'tool']) {
      const { completion } = decodeAnswer(jsonFixture('gemini', name), '', 0);
      const { message } = (completion as { choices: [{ message: { tool_calls?: { id: string }[] } }] }).choices[0];
      const answers = (message.tool_calls ?? []).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
      const { body } = encode({ messages: [USER, message, ...answers, USER], tools: [TOOL] }, 'gemini-3-pro-preview');
      const [candidate] = jsonFixture('gemini', name).candidates as [{ content: { parts: unknown } }];
      assert.deepEqual(body.contents[1]?.parts, candidate.content.parts, name);
    }
  });

  it('gives Gemini 3 a stand-in for signatures that another provider cannot have, once per step', () => {
    const calls = ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } }));
    const messages = [
      USER,
      { role: 'assistant', content: null, tool_calls: calls },
      ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: '1' })),
    ];
    const signatures = (model: string) =>
      encode({ messages, tools: [TOOL] }, model).body.contents[1]?.parts.map((part) =>
        'thoughtSignature' in part ? part.thoughtSignature : null,
      );
    assert.deepEqual(signatures('gemini-3-flash'), ['skip_thought_signature_validator', null]);
    assert.deepEqual(signatures('gemini-2.5-pro'), [null, null]);
  });

  it('maps sampling, limits, stop and formats', () => {
    const { body, warnings } = encode({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: -0.2,
      max_tokens: 5,
      max_completion_tokens: 10,
      stop: ['END', ''],
      response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object' } } },
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(body.generationConfig, {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxOutputTokens: 10,
      stopSequences: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: -0.2,
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object' },
    });
    assert.deepEqual(encode({ response_format: { type: 'json_object' } }).body.generationConfig, { responseMimeType: 'application/json' });
    assert.equal(encode({ response_format: { type: 'text' }, stop: null, temperature: null }).body.generationConfig, undefined);
  });

  it('asks for thinking as the model takes it', () => {
    const thinking = (model: string, body: Record<string, unknown>) => encode(body, model).body.generationConfig?.thinkingConfig;
    assert.deepEqual(thinking('gemini-2.5-flash', { reasoning_effort: 'medium' }), { includeThoughts: true, thinkingBudget: 8192 });
    assert.deepEqual(thinking('gemini-2.5-flash', { reasoning_effort: 'none' }), { thinkingBudget: 0 });
    assert.deepEqual(thinking('gemini-2.5-pro', { reasoning_effort: 'none' }), { thinkingBudget: 128 });
    assert.deepEqual(thinking('gemini-3-pro-preview', { reasoning_effort: 'xhigh' }), { includeThoughts: true, thinkingLevel: 'HIGH' });
    assert.deepEqual(thinking('gemini-3-flash', { thinking: { type: 'disabled' } }), { thinkingLevel: 'MINIMAL' });
    assert.deepEqual(thinking('gemini-2.5-flash', { thinking: { type: 'enabled', budget_tokens: 2000 } }), {
      includeThoughts: true,
      thinkingBudget: 2000,
    });
    assert.deepEqual(thinking('gemini-2.5-flash', { thinking: { type: 'adaptive' } }), { includeThoughts: true, thinkingBudget: -1 });
    assert.equal(thinking('gemini-2.0-flash', { reasoning_effort: 'high' }), undefined);
    assert.deepEqual(encode({ reasoning_effort: 'high' }, 'gemini-2.0-flash').warnings, [
      'reasoning is not asked for: this model does not think',
    ]);
  });

  it('maps every tool choice', () => {
    const config = (choice: unknown) => encode({ tools: [TOOL], tool_choice: choice }).body.toolConfig?.functionCallingConfig;
    assert.equal(config(undefined), undefined);
    assert.deepEqual(config('none'), { mode: 'NONE' });
    assert.deepEqual(config('required'), { mode: 'ANY' });
    assert.deepEqual(config({ type: 'function', function: { name: 'get_weather' } }), {
      mode: 'ANY',
      allowedFunctionNames: ['get_weather'],
    });
  });

  it('names what it leaves out', () => {
    assert.deepEqual(
      encode({ tools: [TOOL], parallel_tool_calls: false, logprobs: true, logit_bias: { 1: 1 }, service_tier: 'flex' }).warnings,
      [
        'logprobs is not sent: Gemini has no counterpart',
        'logit_bias is not sent: Gemini has no counterpart',
        'service_tier is not sent: Gemini has no counterpart',
        'parallel_tool_calls false is not sent: Gemini has no counterpart',
      ],
    );
    assert.deepEqual(encode({ messages: [USER, { role: 'system', content: 's' }, { ...USER, name: 'bob' }] }).warnings, [
      'messages[].name is not sent',
      'system messages inside the conversation were moved to the system instruction at its start',
    ]);
  });

  it('refuses what would change the answer, and names the member', () => {
    const image = (url: string) => ({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
    assert.equal(refusal(image('https://example.com/a.png')), 'messages[0].content[0].image_url.url');
    assert.equal(refusal(image('file:///etc/passwd')), 'messages[0].content[0].image_url.url');
    assert.equal(refusal({ n: 2 }), 'n');
    assert.equal(refusal({ modalities: ['text', 'audio'] }), 'modalities');
    assert.equal(refusal({ stop: ['1', '2', '3', '4', '5', '6'] }), 'stop');
    assert.equal(refusal({ functions: [{}] }), 'functions');
    assert.equal(refusal({ tools: [{ type: 'web_search' }] }), 'tools[0]');
    assert.equal(refusal({ tool_choice: 'required' }), 'tool_choice');
    assert.equal(refusal({ tools: [TOOL], tool_choice: { type: 'function', function: { name: 'other' } } }), 'tool_choice');
    assert.equal(refusal({ temperature: 3 }), 'temperature');
    assert.equal(refusal({ max_tokens: 0 }), 'max_tokens');
    assert.equal(refusal({ reasoning_effort: 'huge' }), 'reasoning_effort');
    assert.equal(refusal({ response_format: { type: 'json_schema', json_schema: {} } }), 'response_format.json_schema.schema');
    assert.equal(refusal({ messages: [] }), 'messages');
    assert.equal(refusal({ messages: [{ role: 'robot', content: 'x' }] }), 'messages[0].role');
    assert.equal(refusal({ messages: [{ role: 'tool', tool_call_id: 'x', content: 'x' }] }), 'messages[0].tool_call_id');
    const call = { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{' } }] };
    assert.equal(refusal({ messages: [USER, call] }), 'messages[1].tool_calls[0].function.arguments');
    const open = { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] };
    assert.equal(refusal({ messages: [USER, open, USER] }), 'messages[2]');
    assert.equal(
      refusal({ messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'x', format: 'midi' } }] }] }),
      'messages[0].content[0].input_audio.format',
    );
    assert.equal(
      refusal({ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,A' } }] }, USER] }),
      'messages[0].content[0]',
    );
  });

  it('puts the model and the method into the path', () => {
    const path = (model: string, isStream: boolean) => gemini.chat[0]?.path(model, isStream, {});
    assert.equal(path('gemini-2.5-flash', false), '/models/gemini-2.5-flash:generateContent');
    assert.equal(path('gemini-2.5-flash', true), '/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
    assert.equal(path('tunedModels/mine', false), '/tunedModels/mine:generateContent');
    assert.equal(path('a?x=1#y', false), '/models/a%3Fx%3D1%23y:generateContent');
  });
});
