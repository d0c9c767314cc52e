import { inputTokens, outputTokens } from '../../models/usage.ts';
import { readOpenAiUsage } from '../usage.ts';

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
  if (read === null) return null;
  return {
    inputTokens: inputTokens(read),
    cacheReadTokens: read.cacheReadTokens,
    cacheWriteTokens: read.cacheWrite5mTokens + read.cacheWrite1hTokens,
    outputTokens: outputTokens(read),
    reasoningTokens: read.reasoningTokens,
  };
}
