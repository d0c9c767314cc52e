import { z } from 'zod';
import type { Usage } from '../../../models/usage.ts';

const tokens = z.int().nonnegative().nullish();
const byModality = z.array(z.object({ modality: z.string().nullish(), tokenCount: tokens })).nullish();

/** Read loosely: only what is counted. */
const UsageMetadata = z.object({
  promptTokenCount: tokens,
  cachedContentTokenCount: tokens,
  candidatesTokenCount: tokens,
  thoughtsTokenCount: tokens,
  toolUsePromptTokenCount: tokens,
  promptTokensDetails: byModality,
  cacheTokensDetails: byModality,
  candidatesTokensDetails: byModality,
});

function audioOf(details: z.output<typeof byModality>): number {
  let sum = 0;
  for (const { modality, tokenCount } of details ?? []) if (modality === 'AUDIO') sum += tokenCount ?? 0;
  return sum;
}

/**
 * Gemini's `usageMetadata` → disjoint classes. There the prompt includes what was cached and what was audio, thoughts are not part of the candidates,
 * and what tools put into the prompt is counted apart. A part that claims more than the whole is cut to it.
 * @returns null when it is not a usage object
 * @see https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function readGeminiUsage(usage: unknown): Usage | null {
  const parsed = UsageMetadata.safeParse(usage);
  if (!parsed.success) return null;
  const raw = parsed.data;
  if (raw.promptTokenCount == null && raw.candidatesTokenCount == null) return null;
  const prompt = raw.promptTokenCount ?? 0;
  const cacheReadTokens = Math.min(prompt, raw.cachedContentTokenCount ?? 0);
  const audioInputTokens = Math.min(
    prompt - cacheReadTokens,
    Math.max(0, audioOf(raw.promptTokensDetails) - audioOf(raw.cacheTokensDetails)),
  );
  const candidates = raw.candidatesTokenCount ?? 0;
  const audioOutputTokens = Math.min(candidates, audioOf(raw.candidatesTokensDetails));
  return {
    inputUncachedTokens: prompt - cacheReadTokens - audioInputTokens + (raw.toolUsePromptTokenCount ?? 0),
    cacheReadTokens,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    audioInputTokens,
    outputTextTokens: candidates - audioOutputTokens,
    reasoningTokens: raw.thoughtsTokenCount ?? 0,
    audioOutputTokens,
  };
}
