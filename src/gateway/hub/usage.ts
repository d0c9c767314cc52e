import { readOpenAiUsage } from '../usage.ts';
import { isObject } from './json.ts';

/** The hub's `usage` as clients of other dialects count it. */
export interface HubUsage {
  /** All input, cached or not. */
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** All output, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** @param usage OpenAI's usage object; `prompt_tokens_details.cache_write_tokens` is ours, for providers that report writes @returns null when it is none */
export function readHubUsage(usage: unknown): HubUsage | null {
  const read = readOpenAiUsage(usage);
  if (read === null || !isObject(usage)) return null;
  const details = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const rest = read.inputUncachedTokens + read.audioInputTokens;
  const written = details.cache_write_tokens;
  return {
    inputTokens: rest + read.cacheReadTokens,
    cacheReadTokens: read.cacheReadTokens,
    cacheWriteTokens: typeof written === 'number' && Number.isSafeInteger(written) && written > 0 ? Math.min(rest, written) : 0,
    outputTokens: read.outputTextTokens + read.reasoningTokens + read.audioOutputTokens,
    reasoningTokens: read.reasoningTokens,
  };
}
