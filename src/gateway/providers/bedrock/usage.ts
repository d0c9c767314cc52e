import { z } from 'zod';
import type { Usage } from '../../../models/usage.ts';

const tokens = z.int().nonnegative().nullish();

/** Read loosely: only what is counted. */
const TokenUsage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadInputTokens: tokens,
  cacheWriteInputTokens: tokens,
  cacheDetails: z.array(z.object({ ttl: z.string().nullish(), inputTokens: tokens })).nullish(),
});

/**
 * Converse's `usage` → disjoint classes. Its `inputTokens` leaves out cache reads and writes; reasoning is part of the output and not told apart.
 * Writes that are not split by lifetime are 5-minute writes (the default).
 * @returns null when it is not a usage object
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export function readBedrockUsage(usage: unknown): Usage | null {
  const parsed = TokenUsage.safeParse(usage);
  if (!parsed.success) return null;
  const raw = parsed.data;
  const written = raw.cacheWriteInputTokens ?? 0;
  let write1h = 0;
  for (const { ttl, inputTokens } of raw.cacheDetails ?? []) if (ttl === '1h') write1h += inputTokens ?? 0;
  const cacheWrite1hTokens = Math.min(write1h, written);
  return {
    inputUncachedTokens: raw.inputTokens,
    cacheReadTokens: raw.cacheReadInputTokens ?? 0,
    cacheWrite5mTokens: written - cacheWrite1hTokens,
    cacheWrite1hTokens,
    audioInputTokens: 0,
    outputTextTokens: raw.outputTokens,
    reasoningTokens: 0,
    audioOutputTokens: 0,
  };
}
