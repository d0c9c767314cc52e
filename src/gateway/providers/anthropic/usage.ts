import { z } from 'zod';
import type { Usage } from '../../../models/usage.ts';

const tokens = z.int().nonnegative().nullish();

/** Read loosely: only what is counted. */
const AnthropicUsage = z.object({
  input_tokens: z.int().nonnegative(),
  output_tokens: z.int().nonnegative(),
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_creation: z.object({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens }).nullish(),
  output_tokens_details: z.object({ thinking_tokens: tokens }).nullish(),
});

/**
 * Anthropic's usage → disjoint classes. Its `input_tokens` leaves out cache reads and writes; `output_tokens` includes thinking.
 * Cache writes that are not split are 5-minute writes (the default lifetime). In a stream the total may be newer than the split: the total wins.
 * @returns null when it is not a usage object
 */
export function readAnthropicUsage(usage: unknown): Usage | null {
  const parsed = AnthropicUsage.safeParse(usage);
  if (!parsed.success) return null;
  const raw = parsed.data;
  const write1h = raw.cache_creation?.ephemeral_1h_input_tokens ?? 0;
  const write5m = raw.cache_creation?.ephemeral_5m_input_tokens ?? 0;
  const written = raw.cache_creation_input_tokens ?? write5m + write1h;
  const cacheWrite1hTokens = Math.min(write1h, written);
  const reasoningTokens = Math.min(raw.output_tokens_details?.thinking_tokens ?? 0, raw.output_tokens);
  return {
    inputUncachedTokens: raw.input_tokens,
    cacheReadTokens: raw.cache_read_input_tokens ?? 0,
    cacheWrite5mTokens: written - cacheWrite1hTokens,
    cacheWrite1hTokens,
    audioInputTokens: 0,
    outputTextTokens: raw.output_tokens - reasoningTokens,
    reasoningTokens,
    audioOutputTokens: 0,
  };
}

/** Folds the usage of a later stream event into what earlier ones said: counts are cumulative, null and absent say nothing. */
export function mergeUsage(known: Readonly<Record<string, unknown>>, update: unknown): Record<string, unknown> {
  if (typeof update !== 'object' || update === null) return { ...known };
  return { ...known, ...Object.fromEntries(Object.entries(update).filter(([, value]) => value !== null && value !== undefined)) };
}
