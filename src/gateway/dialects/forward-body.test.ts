import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wholeBody } from '../body/chat-body.ts';
import { JsonScanner } from '../body/json-scanner.ts';
import type { ClientDialect } from '../client-dialect.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { gemini } from './gemini.ts';
import { openAiResponses } from './openai-responses.ts';

const scanner = new JsonScanner(64);
const MODEL = Buffer.from('"real"');
const CAP = { name: 'max_tokens', tokens: 7 } as const;

function forward(dialect: ClientDialect, text: string, cap: typeof CAP | null): string {
  return wholeBody(
    dialect.forwardBody(dialect.scan(Buffer.from(text), scanner, '/v1beta/models/m:generateContent'), MODEL, cap),
  ).toString();
}

describe('forwarded bodies', () => {
  it('change only where they must', () => {
    assert.equal(
      forward(anthropicMessages, '{ "model" :"m", "x":[1.0 ],"messages":[],"plimsoll":{"a":1}}', null),
      '{ "model" :"real", "x":[1.0 ],"messages":[]}',
    );
    assert.equal(forward(openAiResponses, '{"plimsoll":null, "input":"a","model":"m"}', null), '{"input":"a","model":"real"}');
    const bytes = Buffer.from('{"contents":[],\n"safetySettings":[]}');
    assert.equal(wholeBody(gemini.forwardBody(gemini.scan(bytes, scanner, '/v1beta/models/m:generateContent'), MODEL, null)), bytes);
  });

  it('are held to a cap under the name that their dialect has for it', () => {
    assert.equal(forward(anthropicMessages, '{"model":"m","messages":[]}', CAP), '{"model":"real","max_tokens":7,"messages":[]}');
    assert.equal(forward(openAiResponses, '{"model":"m","input":"a"}', CAP), '{"model":"real","max_output_tokens":7,"input":"a"}');
    for (const [text, expected] of [
      ['{"contents":[]}', '{"generationConfig":{"maxOutputTokens":7},"contents":[]}'],
      ['{"plimsoll":{},"contents":[]}', '{"generationConfig":{"maxOutputTokens":7},"contents":[]}'],
      ['{"contents":[],"generationConfig":{ }}', '{"contents":[],"generationConfig":{"maxOutputTokens":7 }}'],
      ['{"contents":[],"generation_config":{"topK":1}}', '{"contents":[],"generation_config":{"maxOutputTokens":7,"topK":1}}'],
      ['{"contents":[],"generationConfig":null}', '{"contents":[],"generationConfig":{"maxOutputTokens":7}}'],
    ] as const)
      assert.equal(forward(gemini, text, CAP), expected);
  });
});
