import { z } from 'zod';
import { NO_USAGE, type Usage } from '../../../models/usage.ts';

const tokens = z.number().nonnegative().transform(Math.round);
const counts = z.object({ input_tokens: tokens.nullish(), output_tokens: tokens.nullish() }).nullish();

/** Read loosely: only what is counted. */
const CohereUsage = z.object({ billed_units: counts, tokens: counts, cached_tokens: tokens.nullish() });

/**
 * Cohere's usage → disjoint classes. Billed units are what is paid for (the tokens of its own prompt template are not); plain tokens where they are
 * missing. Reasoning is part of the output and not told apart.
 * @returns null when it holds no tokens
 */
export function readCohereUsage(usage: unknown): Usage | null {
  const parsed = CohereUsage.safeParse(usage);
  if (!parsed.success) return null;
  const { billed_units: billed, tokens: all, cached_tokens: cached } = parsed.data;
  const counted = billed?.input_tokens != null || billed?.output_tokens != null ? billed : all;
  if (counted?.input_tokens == null && counted?.output_tokens == null) return null;
  const input = counted.input_tokens ?? 0;
  const cacheReadTokens = Math.min(input, cached ?? 0);
  return { ...NO_USAGE, inputUncachedTokens: input - cacheReadTokens, cacheReadTokens, outputTextTokens: counted.output_tokens ?? 0 };
}
