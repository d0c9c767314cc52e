import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CountRule } from '../models/count-rule.ts';
import { inputTokens, outputTokens } from '../models/usage.ts';
import { explainUsage } from '../models/usage-check.ts';
import { findAdapter } from './adapter-for.ts';

interface Truth {
  readonly plainInput: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly plainOutput: number;
  readonly reasoning: number;
}
interface Sums {
  readonly input: number;
  readonly output: number;
  readonly total: number;
}

/** How each dialect writes its counts down; what a sum holds is decided by the sender. */
const WRITERS: Readonly<Record<string, { readonly kinds: readonly string[]; write(truth: Truth, sums: Sums): Record<string, unknown> }>> = {
  openai: {
    kinds: ['openai', 'azure-openai', 'mistral', 'openrouter', 'xai', 'deepseek', 'openai-compatible'],
    write: (truth, { input, output, total }) => ({
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: total,
      prompt_tokens_details: { cached_tokens: truth.cacheRead, cache_write_tokens: truth.cacheWrite },
      completion_tokens_details: { reasoning_tokens: truth.reasoning },
    }),
  },
  gemini: {
    kinds: ['gemini', 'vertex'],
    write: (truth, { input, output, total }) => ({
      promptTokenCount: input,
      cachedContentTokenCount: truth.cacheRead,
      candidatesTokenCount: output,
      thoughtsTokenCount: truth.reasoning,
      totalTokenCount: total,
    }),
  },
  bedrock: {
    kinds: ['bedrock'],
    write: (truth, { input, output, total }) => ({
      inputTokens: input,
      outputTokens: output,
      totalTokens: total,
      cacheReadInputTokens: truth.cacheRead,
      cacheWriteInputTokens: truth.cacheWrite,
    }),
  },
};

const tokens = fc.oneof(fc.constant(0), fc.nat(9), fc.nat(200_000));
const rule = fc.constantFrom<CountRule>('inclusive', 'exclusive');

describe('counts of a sender that may not keep to its dialect', () => {
  for (const [dialect, { kinds, write }] of Object.entries(WRITERS))
    for (const kind of kinds)
      it(`${dialect} from ${kind}: read rightly, or the conflict is told`, () => {
        const adapter = findAdapter(kind);
        assert.ok(adapter);
        fc.assert(
          fc.property(
            tokens,
            tokens,
            tokens,
            tokens,
            tokens,
            rule,
            rule,
            (plainInput, cacheRead, written, plainOutput, thought, inputRule, outputRule) => {
              const cacheWrite = dialect === 'gemini' ? 0 : written;
              const reasoning = dialect === 'bedrock' ? 0 : thought;
              const truth = { plainInput, cacheRead, cacheWrite, plainOutput, reasoning };
              const input = plainInput + (inputRule === 'inclusive' ? cacheRead + cacheWrite : 0);
              const output = plainOutput + (outputRule === 'inclusive' ? reasoning : 0);
              const whole = plainInput + cacheRead + cacheWrite + plainOutput + reasoning;
              const provided = write(truth, { input, output, total: whole });
              const usage = adapter.readUsage(provided);
              assert.ok(usage);
              const isRight =
                inputTokens(usage) === plainInput + cacheRead + cacheWrite &&
                outputTokens(usage) === plainOutput + reasoning &&
                usage.cacheReadTokens === cacheRead;
              const { conflict } = explainUsage(provided, usage);
              // Sums that come out alike by chance (as much cached as thought, each counted the other way) cost as much as the total says.
              if (!isRight) assert.ok(conflict !== null || inputTokens(usage) + outputTokens(usage) === whole, JSON.stringify(provided));
              else assert.equal(conflict, null);
            },
          ),
          { numRuns: 500 },
        );
      });
});
