import { type CountRule, countRules } from '../models/count-rule.ts';
import { inputTokens, outputTokens, type Usage } from '../models/usage.ts';

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function object(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
}

/** What OpenAI's format defines; some services count reasoning beside the completion. */
const OPENAI_RULES: { readonly input: CountRule; readonly output: CountRule } = { input: 'inclusive', output: 'inclusive' };

/**
 * OpenAI's usage object → disjoint classes. There `prompt_tokens` includes what was read from and written to the cache and audio tokens,
 * `completion_tokens` includes reasoning and audio tokens. Servers that speak the format differ: parts that exceed their sum, or that the total
 * counts beside it, are taken as beside it (`countRules`). No token is counted twice and none is invented.
 * @param rules what the service defines, for what the numbers do not prove
 * @returns null when it is not a usage object
 * @see https://platform.openai.com/docs/api-reference/chat/object (`usage`)
 */
export function readOpenAiUsage(value: unknown, rules = OPENAI_RULES): Usage | null {
  const usage = object(value);
  if (usage === null || (typeof usage.prompt_tokens !== 'number' && typeof usage.completion_tokens !== 'number')) return null;
  const input = count(usage.prompt_tokens);
  const inputDetails = object(usage.prompt_tokens_details);
  // DeepSeek and Moonshot report their cache hits beside the details object.
  const cacheReadTokens = count(inputDetails?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens);
  const cacheWrite5mTokens = count(inputDetails?.cache_write_tokens);
  const cached = cacheReadTokens + cacheWrite5mTokens;
  const output = count(usage.completion_tokens);
  const outputDetails = object(usage.completion_tokens_details);
  const reasoningTokens = count(outputDetails?.reasoning_tokens ?? usage.reasoning_tokens);
  const total = typeof usage.total_tokens === 'number' ? usage.total_tokens : null;
  const applied =
    cached === 0 && reasoningTokens === 0 ? rules : countRules({ input, cached, output, reasoning: reasoningTokens, total }, rules);
  const plainInput = applied.input === 'inclusive' ? input - cached : input;
  const plainOutput = applied.output === 'inclusive' ? output - reasoningTokens : output;
  const audioInputTokens = Math.min(plainInput, count(inputDetails?.audio_tokens));
  const audioOutputTokens = Math.min(plainOutput, count(outputDetails?.audio_tokens));
  return {
    inputUncachedTokens: plainInput - audioInputTokens,
    cacheReadTokens,
    cacheWrite5mTokens,
    cacheWrite1hTokens: 0,
    audioInputTokens,
    outputTextTokens: plainOutput - audioOutputTokens,
    reasoningTokens,
    audioOutputTokens,
  };
}

/**
 * OpenAI's `usage`: `prompt_tokens` is all input, cached or not; `completion_tokens` all output, reasoning included. Beyond OpenAI's format:
 * `prompt_tokens_details.cache_write_tokens`, where something was written, so that clients of other dialects are told too.
 */
export function toOpenAiUsage(usage: Usage): Record<string, unknown> {
  const prompt = inputTokens(usage);
  const completion = outputTokens(usage);
  const written = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  const cacheWrite = written > 0 ? { cache_write_tokens: written } : {};
  const audioInput = usage.audioInputTokens > 0 ? { audio_tokens: usage.audioInputTokens } : {};
  const audioOutput = usage.audioOutputTokens > 0 ? { audio_tokens: usage.audioOutputTokens } : {};
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens, ...cacheWrite, ...audioInput },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, ...audioOutput },
  };
}
