import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlimsollError } from '../../../kernel/errors.ts';
import { sealThinking } from '../../hub/sealed-thinking.ts';
import { parsePath } from './path.ts';
import { decodeRequest } from './request.ts';

const PATH = '/v1beta/models/main:generateContent';
const HI = [{ role: 'user', parts: [{ text: 'Hi' }] }];

function decode(body: Record<string, unknown>, path = PATH) {
  return decodeRequest({ contents: HI, ...body }, path);
}

function refuses(body: Record<string, unknown>, param: string): void {
  assert.throws(
    () => decode(body),
    (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && thrown.details.param === param,
    param,
  );
}

describe('the path of a Gemini call', () => {
  it('holds model and method', () => {
    assert.deepEqual(parsePath('/v1beta/models/a%2Fb:c:streamGenerateContent?alt=sse&x=1'), {
      model: 'a/b:c',
      method: 'streamGenerateContent',
      isEventStream: true,
    });
    assert.deepEqual(parsePath('/v1/models/m:generateContent'), { model: 'm', method: 'generateContent', isEventStream: false });
    assert.throws(() => parsePath('/v1beta/models/%zz:generateContent'), PlimsollError);
  });
});

describe('generateContent request → hub', () => {
  it('translates a conversation with functions, media and thoughts', () => {
    const blocks = [{ type: 'thinking', thinking: 'hm', signature: 's' }];
    const { body, warnings } = decode(
      {
        systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'In English.' }] },
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'Weather?' },
              { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
              { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } },
              { inline_data: { mime_type: 'application/pdf', data: 'JVBERi0=' } },
              { inlineData: { mimeType: 'text/plain', data: Buffer.from('Grüße').toString('base64') } },
              { inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } },
            ],
          },
          {
            role: 'model',
            parts: [
              { text: 'hm', thought: true },
              { text: 'I look.' },
              { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: sealThinking(blocks) },
              { functionCall: { name: 'get_weather', args: {} } },
              { functionCall: { id: 'own', name: 'get_time' } },
            ],
          },
          {
            role: 'user',
            parts: [
              { functionResponse: { name: 'get_weather', response: { output: '9 °C' } } },
              { functionResponse: { id: 'own', name: 'get_time', response: { hour: 9 } } },
              { functionResponse: { name: 'get_weather', response: { error: 'no city' } } },
              { text: 'And?' },
            ],
          },
        ],
        tools: [
          {
            functionDeclarations: [
              {
                name: 'get_weather',
                description: 'Weather',
                parameters: {
                  type: 'OBJECT',
                  properties: {
                    city: { type: 'STRING', nullable: true },
                    days: { type: 'ARRAY', items: { type: 'INTEGER' }, maxItems: '3' },
                  },
                  required: ['city'],
                  propertyOrdering: ['city'],
                },
              },
              { name: 'get_time', parametersJsonSchema: { type: 'object' } },
            ],
          },
        ],
        toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
        generationConfig: {
          temperature: 0.5,
          topP: 0.9,
          topK: 40,
          maxOutputTokens: 100,
          stopSequences: ['END'],
          candidateCount: 1,
          seed: 7,
          responseMimeType: 'application/json',
          responseSchema: { type: 'OBJECT', properties: { a: { type: 'NUMBER' } } },
          thinkingConfig: { thinkingBudget: 4096, includeThoughts: true },
        },
      },
      '/v1beta/models/main:streamGenerateContent?alt=sse',
    );
    assert.deepEqual(warnings, []);
    assert.deepEqual(body, {
      model: 'main',
      messages: [
        { role: 'system', content: 'Be brief.\n\nIn English.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
            { type: 'text', text: 'Grüße' },
            { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          reasoning_content: 'hm',
          thinking_blocks: blocks,
          tool_calls: [
            { id: 'call_0', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
            { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
            { id: 'own', type: 'function', function: { name: 'get_time', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_0', content: '9 °C' },
        { role: 'tool', tool_call_id: 'own', content: '{"hour":9}' },
        { role: 'tool', tool_call_id: 'call_1', content: 'no city', is_error: true },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'Weather',
            parameters: {
              type: 'object',
              properties: { city: { type: ['string', 'null'] }, days: { type: 'array', items: { type: 'integer' }, maxItems: 3 } },
              required: ['city'],
            },
          },
        },
        { type: 'function', function: { name: 'get_time', parameters: { type: 'object' } } },
      ],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      max_completion_tokens: 100,
      stop: ['END'],
      seed: 7,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object', properties: { a: { type: 'number' } } } },
      },
      reasoning_effort: 'medium',
      stream: true,
    });
  });

  it('takes every name in either spelling', () => {
    const { body } = decodeRequest(
      {
        contents: { parts: [{ text: 'Hi' }] },
        system_instruction: { parts: [{ text: 'S' }] },
        generation_config: { max_output_tokens: 5, response_mime_type: 'application/json', thinking_config: { thinking_level: 'LOW' } },
        tools: [{ function_declarations: [{ name: 'f' }] }],
        tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['f'] } },
      },
      PATH,
    );
    assert.deepEqual(body, {
      model: 'main',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'Hi' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      max_completion_tokens: 5,
      response_format: { type: 'json_object' },
      reasoning_effort: 'low',
    });
  });

  it('maps every mode of calling functions', () => {
    const tools = [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }];
    const choice = (config: object) => decode({ tools, toolConfig: { functionCallingConfig: config } }).body;
    assert.equal(choice({ mode: 'NONE' }).tool_choice, 'none');
    assert.equal(choice({ mode: 'ANY' }).tool_choice, 'required');
    assert.equal(choice({ mode: 'VALIDATED' }).tool_choice, undefined);
    const some = choice({ mode: 'ANY', allowedFunctionNames: ['a', 'c'] });
    assert.deepEqual([some.tool_choice, (some.tools as unknown[]).length], ['required', 2]);
  });

  it('keeps Google’s own signatures for a Gemini provider', () => {
    const { body } = decode({
      contents: [...HI, { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'R29vZ2xl' }] }],
    });
    const [, message] = body.messages as { tool_calls: { extra_content: unknown }[] }[];
    assert.deepEqual(message?.tool_calls[0]?.extra_content, { google: { thought_signature: 'R29vZ2xl' } });
  });

  it('refuses what only Google can do, naming the member', () => {
    refuses({ cachedContent: 'cachedContents/1' }, 'cachedContent');
    refuses({ tools: [{ googleSearch: {} }] }, 'tools[0].googleSearch');
    refuses({ tools: [{ code_execution: {} }] }, 'tools[0].code_execution');
    refuses(
      { toolConfig: { functionCallingConfig: { mode: 'SOME' } }, tools: [{ functionDeclarations: [{ name: 'a' }] }] },
      'toolConfig.functionCallingConfig.mode',
    );
    const part = (value: unknown) => ({ contents: [{ role: 'user', parts: [value] }] });
    refuses(part({ videoMetadata: {} }), 'contents[0].parts[0].videoMetadata');
    refuses(part({ executableCode: {} }), 'contents[0].parts[0].executableCode');
    refuses(part({ inlineData: { mimeType: 'video/mp4', data: 'x' } }), 'contents[0].parts[0].inlineData.mimeType');
    refuses(part({ fileData: { mimeType: 'image/png', fileUri: 'gs://a/b' } }), 'contents[0].parts[0].fileData.fileUri');
    refuses(
      part({ fileData: { mimeType: 'image/png', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' } }),
      'contents[0].parts[0].fileData.fileUri',
    );
    refuses(part({ functionResponse: { name: 'f', response: {} } }), 'contents[0].parts[0].functionResponse');
    refuses(part({}), 'contents[0].parts[0]');
    refuses(part(7), 'contents[0].parts[0]');
    refuses({ contents: [{ role: '__proto__', parts: [] }] }, 'contents[0].role');
    refuses({ contents: 'Hi' }, 'contents');
    refuses({ systemInstruction: { parts: [{ inlineData: {} }] } }, 'systemInstruction.parts[0]');
    refuses({ generationConfig: { responseModalities: ['IMAGE'] } }, 'generationConfig.responseModalities');
    refuses({ generationConfig: { responseMimeType: 'text/x.enum' } }, 'generationConfig.responseMimeType');
    refuses(
      { generationConfig: { responseMimeType: 'application/json', responseSchema: { type: 'MAP' } } },
      'generationConfig.responseSchema.type',
    );
    refuses({ generationConfig: { thinkingConfig: { thinkingLevel: 'HUGE' } } }, 'generationConfig.thinkingConfig.thinkingLevel');
  });

  it('names what it leaves out', () => {
    const { warnings } = decode({
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      labels: { a: 'b' },
      generationConfig: { responseLogprobs: true, thinkingConfig: { thinkingBudget: -1 } },
      somethingNew: 1,
    });
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      ['somethingNew', 'safetySettings', 'labels', 'generationConfig.responseLogprobs'],
    );
  });
});
