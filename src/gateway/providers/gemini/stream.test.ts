import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addUp, assertSameWhereverCut, chunksOf, factsOf, fixture, fixtureNames, jsonFixture, sseSteps } from '../../hub/testing.ts';
import { decodeAnswer } from './answer.ts';
import { GeminiStreamDecoder } from './stream.ts';

const OPTIONS = { requestedModel: 'alias', createdSeconds: 1_700_000_000, includeUsage: true, answerId: 'chatcmpl-1' };
const steps = (pieces: readonly Buffer[], options = OPTIONS) => sseSteps(new GeminiStreamDecoder(options), pieces);
const NAMES = fixtureNames('gemini');

describe('Gemini stream → OpenAI chunks', () => {
  for (const name of NAMES) {
    it(`${name}: adds up to what the JSON answer decodes to`, () => {
      const found = steps([fixture('gemini', `${name}.sse`)]);
      const { completion, facts } = decodeAnswer(jsonFixture('gemini', name), 'alias', OPTIONS.createdSeconds, 'chatcmpl-1');
      assert.deepEqual(addUp(chunksOf(found)), completion);
      assert.equal(found.filter((step) => step.isDone).length, 1);
      assert.ok(found.every((step) => step.error === null));
      const streamed = factsOf(found);
      const rest = { outputCharacters: null };
      assert.deepEqual({ ...streamed, ...rest }, { ...facts, ...rest });
    });

    it(`${name}: gives the same steps wherever the bytes are cut`, () => {
      assertSameWhereverCut(fixture('gemini', `${name}.sse`), (pieces) => steps(pieces));
    });

    it(`${name}: is an error, never an answer, when the stream ends early`, () => {
      const text = fixture('gemini', `${name}.sse`).toString();
      const ends = [...text.matchAll(/\r\n\r\n/g)].map((match) => match.index + 4);
      for (const at of [0, ...ends.slice(0, -1)]) {
        const found = steps([Buffer.from(text.slice(0, at))]);
        assert.equal(found.at(-1)?.error?.code, 'provider_stream_cut', `cut at ${at}`);
        assert.ok(chunksOf(found).every((chunk) => chunk.choices.every((choice) => choice.finish_reason === null)));
      }
    });
  }

  it('opens each call with id and name, then its arguments, and keeps made-up ids apart', () => {
    const calls = chunksOf(steps([fixture('gemini', 'parallel-tools.sse')])).flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert.deepEqual(calls.slice(0, 2), [
      {
        index: 0,
        id: 'call_gemini_nJ4CaKzLNpSs1MkPwIDbuAo_0',
        type: 'function',
        function: { name: 'get_weather', arguments: '' },
        extra_content: { google: { thought_signature: 'CpcBAdHtim9FirstSignature==' } },
      },
      { index: 0, function: { arguments: '{"location":"Paris","unit":"celsius"}' } },
    ]);
    assert.equal(new Set(calls.map((call) => call.id).filter(Boolean)).size, 3);
  });

  it('sends usage only to who asked, and reports it to the gateway always', () => {
    const found = steps([fixture('gemini', 'cache-audio.sse')], { ...OPTIONS, includeUsage: false });
    assert.ok(chunksOf(found).every((chunk) => chunk.usage === undefined));
    assert.deepEqual(factsOf(found).usage, {
      inputUncachedTokens: 18_521 - 16_000 - 300 + 7,
      cacheReadTokens: 16_000,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      audioInputTokens: 300,
      outputTextTokens: 14,
      reasoningTokens: 0,
      audioOutputTokens: 0,
    });
  });

  it('tells a blocked prompt, an error event and a broken tool call from an answer', () => {
    const fails = (...events: unknown[]) =>
      steps([Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))]).find((step) => step.error !== null)?.error;
    assert.deepEqual(fails(jsonFixture('gemini', 'errors/blocked')), {
      code: 'content_filtered',
      message: 'Google refused the prompt: PROHIBITED_CONTENT.',
    });
    assert.equal(fails({ error: { code: 503, status: 'UNAVAILABLE', message: 'The model is overloaded.' } })?.code, 'provider_unavailable');
    assert.equal(fails([{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota' } }])?.code, 'provider_rate_limited');
    assert.equal(fails({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 }] })?.code, 'provider_bad_response');
    assert.equal(fails('text')?.code, 'provider_bad_response');
    assert.equal(steps([Buffer.from('data: {no json\n\n')])[0]?.error?.code, 'provider_bad_response');
  });
});
