import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import {
  type FunctionCallingConfig,
  GoogleGenAI,
  type Content as SdkContent,
  type FunctionDeclaration as SdkFunctionDeclaration,
  type GenerationConfig as SdkGenerationConfig,
} from '@google/genai';
import { fixture, fixtureNames, jsonFixture } from '../../hub/testing.ts';
import { closeServer, listen } from '../../testing.ts';
import { encodeRequest } from './request.ts';
import type { Content, FunctionDeclaration, GeminiRequest, GenerationConfig } from './wire.ts';

/** Compile only while everything that we can send is something that the SDK can send. Its enums are strings on the wire. */
type Loose<T> = T extends string
  ? string
  : T extends readonly (infer U)[]
    ? Loose<U>[]
    : T extends object
      ? { [K in keyof T]: Loose<T[K]> }
      : T;
export const checks = {
  contents: (contents: Content[]): Loose<SdkContent>[] => contents,
  tools: (tool: FunctionDeclaration): Loose<SdkFunctionDeclaration> => tool,
  generation: (config: GenerationConfig): Loose<SdkGenerationConfig> => config,
  choice: (config: NonNullable<GeminiRequest['toolConfig']>['functionCallingConfig']): Loose<FunctionCallingConfig> => config,
};

describe('the official Google SDK', () => {
  let name = 'text';
  const received: { url: string; body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      received.push({ url: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
      const isStream = request.url?.includes('streamGenerateContent');
      response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
      response.end(isStream ? fixture('gemini', `${name}.sse`) : JSON.stringify(jsonFixture('gemini', name)));
    });
  });
  let client: GoogleGenAI;
  before(async () => {
    client = new GoogleGenAI({
      apiKey: 'test',
      apiVersion: 'v1beta',
      httpOptions: { baseUrl: `http://127.0.0.1:${await listen(server)}` },
    });
  });
  after(() => closeServer(server));

  it('says the same as we do for the same request, at the same path', async () => {
    const { body } = encodeRequest(
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Weather?' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            ],
          },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'fc_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          { role: 'tool', tool_call_id: 'fc_1', content: '9 °C' },
        ],
        tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'integer' } } } } }],
        tool_choice: 'required',
        temperature: 0.5,
        max_tokens: 20,
        stop: 'END',
        reasoning_effort: 'low',
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
      },
      'gemini-2.5-flash',
    );
    await client.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: body.contents as SdkContent[],
      config: {
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        tools: body.tools as { functionDeclarations: SdkFunctionDeclaration[] }[],
        toolConfig: body.toolConfig as { functionCallingConfig: FunctionCallingConfig },
        ...(body.generationConfig as SdkGenerationConfig),
      },
    });
    const last = received.at(-1);
    assert.equal(last?.url, '/v1beta/models/gemini-2.5-flash:generateContent');
    const { systemInstruction: theirs, ...rest } = last.body;
    const { systemInstruction: ours, ...expected } = body;
    assert.deepEqual(rest, expected);
    assert.deepEqual((theirs as { parts: unknown }).parts, ours?.parts);
  });

  for (const fixtureName of fixtureNames('gemini'))
    it(`reads the fixture ${fixtureName}, as JSON and as a stream, to the same answer`, async () => {
      name = fixtureName;
      const request = { model: 'gemini-2.5-flash', contents: 'x' };
      const whole = await client.models.generateContent(request);
      let text = '';
      let finish: string | undefined;
      let calls = 0;
      for await (const chunk of await client.models.generateContentStream(request)) {
        text += chunk.text ?? '';
        calls += chunk.functionCalls?.length ?? 0;
        finish = chunk.candidates?.[0]?.finishReason ?? finish;
      }
      assert.equal(text, whole.text ?? '');
      assert.equal(finish, whole.candidates?.[0]?.finishReason);
      assert.equal(calls, whole.functionCalls?.length ?? 0);
    });
});
