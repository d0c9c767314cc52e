import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../../kernel/errors.ts';
import { inputTokens, outputTokens } from '../../../models/usage.ts';
import { jsonFixture } from '../../hub/testing.ts';
import { decodeAnswer, finishReason } from './answer.ts';
import { classifyGeminiError } from './errors.ts';
import { readGeminiUsage } from './usage.ts';

function decode(name: string) {
  const { completion, facts } = decodeAnswer(jsonFixture('gemini', name), 'alias', 1);
  const { choices, usage } = completion as { choices: [{ message: Record<string, unknown>; finish_reason: string }]; usage: unknown };
  return { message: choices[0].message, finish: choices[0].finish_reason, usage, facts };
}

describe('Gemini answer → OpenAI completion', () => {
  it('maps every finish reason; one that is not known passes as it is', () => {
    const expected = { text: 'stop', 'parallel-tools': 'tool_calls', 'max-tokens': 'length', safety: 'content_filter' };
    for (const [name, finish] of Object.entries(expected)) assert.equal(decode(name).finish, finish, name);
    assert.equal(finishReason('RECITATION', false), 'content_filter');
    assert.equal(finishReason('REASON_FROM_THE_FUTURE', false), 'reason_from_the_future');
    assert.equal(finishReason('constructor', false), 'constructor');
    assert.equal(finishReason('MAX_TOKENS', true), 'length');
  });

  it('keeps text, thoughts, calls with their signatures, and images', () => {
    assert.match(String(decode('thinking').message.reasoning_content), /^27 · 453/);
    assert.equal(decode('thinking').message.content, '27 · 453 = 12 231.');
    assert.deepEqual(decode('tool').message.tool_calls, [
      {
        id: 'fc_8812',
        type: 'function',
        function: { name: 'search', arguments: '{"query":"load line \\"1966\\" \\\\ convention","limit":3}' },
        extra_content: { google: { thought_signature: 'sig-A==' } },
      },
    ]);
    assert.equal(decode('parallel-tools').message.content, null);
    assert.deepEqual(decode('image').message.images, [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }]);
  });

  it('reports all input as prompt tokens, with cached and audio ones apart', () => {
    assert.deepEqual(decode('cache-audio').usage, {
      prompt_tokens: 18_528,
      completion_tokens: 14,
      total_tokens: 18_542,
      prompt_tokens_details: { cached_tokens: 16_000, audio_tokens: 300 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
    assert.deepEqual(decode('thinking').facts.usage?.reasoningTokens, 71);
    assert.equal(decode('thinking').facts.usage?.outputTextTokens, 9);
  });

  it('refuses what is no answer, and passes on a blocked prompt and an error with status 200', () => {
    const fails = (body: unknown, code: string) =>
      assert.throws(
        () => decodeAnswer(body, '', 0),
        (thrown) => thrown instanceof PlimsollError && thrown.code === code,
      );
    fails(null, 'provider_bad_response');
    fails({ candidates: [] }, 'provider_bad_response');
    fails({ candidates: [{ content: { parts: [{ text: 'cut' }] } }] }, 'provider_bad_response');
    fails(jsonFixture('gemini', 'errors/blocked'), 'content_filtered');
    fails({ error: { status: 'UNAVAILABLE', message: 'overloaded' } }, 'provider_unavailable');
  });
});

describe('Gemini usage', () => {
  it('never counts a token twice or invents one, whatever the parts claim', () => {
    const tokens = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined });
    const details = fc.option(fc.array(fc.record({ modality: fc.constantFrom('TEXT', 'AUDIO', 'IMAGE'), tokenCount: tokens })), {
      nil: undefined,
    });
    const metadata = fc.record({
      promptTokenCount: fc.integer({ min: 0, max: 1000 }),
      cachedContentTokenCount: tokens,
      candidatesTokenCount: tokens,
      thoughtsTokenCount: tokens,
      toolUsePromptTokenCount: tokens,
      promptTokensDetails: details,
      cacheTokensDetails: details,
      candidatesTokensDetails: details,
    });
    fc.assert(
      fc.property(metadata, (raw) => {
        const usage = readGeminiUsage(raw);
        assert.ok(usage !== null);
        assert.equal(inputTokens(usage), raw.promptTokenCount + (raw.toolUsePromptTokenCount ?? 0));
        assert.equal(outputTokens(usage), (raw.candidatesTokenCount ?? 0) + (raw.thoughtsTokenCount ?? 0));
        assert.ok(Object.values(usage).every((count) => count >= 0));
      }),
    );
  });

  it('is null for what is none', () => {
    for (const other of [null, 'x', {}, { promptTokenCount: -1 }, { input_tokens: 3, output_tokens: 4 }])
      assert.equal(readGeminiUsage(other), null);
  });
});

describe('Gemini errors', () => {
  it('are classified by their status name, else by HTTP status', () => {
    const code = (http: number, status: string | null, message = 'x') =>
      classifyGeminiError(http, status === null ? '<html>' : JSON.stringify({ error: { code: http, status, message } })).code;
    assert.equal(code(400, 'INVALID_ARGUMENT'), 'provider_rejected');
    assert.equal(
      code(400, 'INVALID_ARGUMENT', 'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).'),
      'context_length_exceeded',
    );
    assert.equal(code(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'), 'provider_auth_failed');
    assert.equal(code(403, 'PERMISSION_DENIED'), 'provider_auth_failed');
    assert.equal(code(429, 'RESOURCE_EXHAUSTED'), 'provider_rate_limited');
    assert.equal(code(503, 'UNAVAILABLE'), 'provider_unavailable');
    assert.equal(code(504, 'DEADLINE_EXCEEDED'), 'provider_timeout');
    assert.deepEqual(
      [code(502, null), code(404, null), code(401, null)],
      ['provider_unavailable', 'provider_rejected', 'provider_auth_failed'],
    );
    assert.equal(code(500, 'constructor'), 'provider_unavailable');
  });
});
