import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inputTokens, outputTokens } from '../models/usage.ts';
import { readOpenAiUsage } from './usage.ts';

describe('readOpenAiUsage', () => {
  it('splits what OpenAI reports into classes that do not overlap', () => {
    assert.deepEqual(
      readOpenAiUsage({
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 60, audio_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 5 },
      }),
      {
        inputUncachedTokens: 30,
        cacheReadTokens: 60,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        audioInputTokens: 10,
        outputTextTokens: 15,
        reasoningTokens: 30,
        audioOutputTokens: 5,
      },
    );
  });

  it('never invents or loses a token, whatever the parts claim', () => {
    const tokens = fc.integer({ min: -5, max: 1000 });
    fc.assert(
      fc.property(
        tokens,
        tokens,
        tokens,
        tokens,
        tokens,
        tokens,
        tokens,
        (prompt, completion, cached, written, audioIn, reasoning, audioOut) => {
          const usage = readOpenAiUsage({
            prompt_tokens: prompt,
            completion_tokens: completion,
            prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: audioIn },
            completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: audioOut },
          });
          assert.ok(usage !== null);
          const whole = (sum: number, parts: number) => Math.max(0, sum) + (parts > Math.max(0, sum) ? parts : 0);
          assert.equal(inputTokens(usage), whole(prompt, Math.max(0, cached) + Math.max(0, written)));
          assert.equal(outputTokens(usage), whole(completion, Math.max(0, reasoning)));
          assert.ok(Object.values(usage).every((count) => count >= 0));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('knows when there is nothing to read', () => {
    for (const value of [null, undefined, 'x', [], {}, { total_tokens: 5 }]) assert.equal(readOpenAiUsage(value), null);
  });
});
