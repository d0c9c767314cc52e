import { inputTokens, outputTokens, type Usage } from '../models/usage.ts';

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function object(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
}

/**
 * OpenAI's usage object → disjoint classes. There `prompt_tokens` includes cached and audio tokens, `completion_tokens` includes reasoning and
 * audio tokens; a part that claims more than the whole is cut to it, so that no token is counted twice and none is invented.
 * @returns null when it is not a usage object
 * @see https://platform.openai.com/docs/api-reference/chat/object (`usage`)
 */
export function readOpenAiUsage(value: unknown): Usage | null {
  const usage = object(value);
  if (usage === null || (typeof usage.prompt_tokens !== 'number' && typeof usage.completion_tokens !== 'number')) return null;
  const input = count(usage.prompt_tokens);
  const inputDetails = object(usage.prompt_tokens_details);
  // DeepSeek reports its cache hits beside the details object.
  const cacheReadTokens = Math.min(input, count(inputDetails?.cached_tokens ?? usage.prompt_cache_hit_tokens));
  const audioInputTokens = Math.min(input - cacheReadTokens, count(inputDetails?.audio_tokens));
  const output = count(usage.completion_tokens);
  const outputDetails = object(usage.completion_tokens_details);
  const reasoningTokens = Math.min(output, count(outputDetails?.reasoning_tokens));
  const audioOutputTokens = Math.min(output - reasoningTokens, count(outputDetails?.audio_tokens));
  return {
    inputUncachedTokens: input - cacheReadTokens - audioInputTokens,
    cacheReadTokens,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    audioInputTokens,
    outputTextTokens: output - reasoningTokens - audioOutputTokens,
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
