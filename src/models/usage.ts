import { z } from 'zod';

/**
 * Tokens of one model call in classes that do not overlap: each token is in exactly one class, so that cost is a sum.
 * `inputTokens` of the OpenTelemetry conventions = the input classes added up; `outputTokens` likewise.
 */
export const Usage = z.object({
  inputUncachedTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWrite5mTokens: z.int().nonnegative(),
  cacheWrite1hTokens: z.int().nonnegative(),
  audioInputTokens: z.int().nonnegative(),
  outputTextTokens: z.int().nonnegative(),
  reasoningTokens: z.int().nonnegative(),
  audioOutputTokens: z.int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;
export type UsageClass = keyof Usage;

export const NO_USAGE: Usage = Object.freeze({
  inputUncachedTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  audioInputTokens: 0,
  outputTextTokens: 0,
  reasoningTokens: 0,
  audioOutputTokens: 0,
});

/** All input tokens, cached or not (OpenTelemetry `gen_ai.usage.input_tokens`). */
export function inputTokens(usage: Usage): number {
  return usage.inputUncachedTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.audioInputTokens;
}

/** All output tokens, reasoning included (OpenTelemetry `gen_ai.usage.output_tokens`). */
export function outputTokens(usage: Usage): number {
  return usage.outputTextTokens + usage.reasoningTokens + usage.audioOutputTokens;
}

/** How a cost came about. `unpriced` has no amount at all: it is never shown as 0. */
export const CostStatus = z.enum(['priced', 'estimated_tokens', 'unpriced', 'provider_reported', 'cached_zero']);
export type CostStatus = z.infer<typeof CostStatus>;
