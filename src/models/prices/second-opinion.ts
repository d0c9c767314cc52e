import { z } from 'zod';
import type { UsageClass } from '../usage.ts';

/** What other public tables say, as `npm run prices` took it from their packages. Only compared with; of them, only service tiers are taken over. */
export const SecondOpinion = z.strictObject({
  takenOn: z.string(),
  sources: z.record(z.string(), z.strictObject({ package: z.string(), version: z.string(), licence: z.string(), url: z.url() })),
  rows: z.array(
    z.strictObject({
      source: z.string(),
      provider: z.string().describe('Provider id of the price book'),
      model: z.string(),
      usdPerMillion: z.record(z.string(), z.string()).describe('Class of tokens → decimal dollars, as the source writes them'),
      batchUsdPerMillion: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
export type SecondOpinion = z.infer<typeof SecondOpinion>;
export type OpinionRow = SecondOpinion['rows'][number];

/** Names of classes in `usdPerMillion`. */
export const OPINION_CLASSES: Readonly<Record<string, UsageClass>> = {
  input: 'inputUncachedTokens',
  output: 'outputTextTokens',
  cacheRead: 'cacheReadTokens',
  cacheWrite: 'cacheWrite5mTokens',
  reasoning: 'reasoningTokens',
};
