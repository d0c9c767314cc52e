import { z } from 'zod';
import { FeatureCacheConfig } from './cache-config.ts';
import { ResidencyConfig } from './residency.ts';

const word = z.string().trim().min(1).max(128);

/** Names are labels of metrics, headers and URLs: kept to what is safe in all of them. */
export const FeatureName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'a feature name has small letters, digits, "-", "_" and ".", at most 63, and begins with a letter or digit',
  );

const share = z.number().min(0).max(1);

const QualityFloorConfig = z.strictObject({
  minimum: share.describe('Least score that a tier of a complexity route must have to serve this feature, 0 to 1'),
  scores: z
    .strictObject({
      simple: share.optional().describe('Measured score of the tier simple, 0 to 1'),
      medium: share.optional().describe('Measured score of the tier medium, 0 to 1'),
    })
    .default({})
    .describe('Scores of the tiers on this feature’s own tests; a tier without one is unmeasured and stays in use'),
});

export const FeatureConfig = z.strictObject({
  owner: word.optional().describe('Team or person who answers for the feature'),
  costOwner: z.email().optional().describe('E-mail address of who pays for it and hears of its budget'),
  route: word.describe('Route or model alias that serves it when a request does not name one'),
  payloads: z
    .enum(['full', 'preview', 'none'])
    .default('full')
    .describe('What is kept of prompts and answers: everything, the first 200 characters, or nothing'),
  cache: FeatureCacheConfig.optional().describe('Whether answers are kept and given again; absent = off'),
  residency: ResidencyConfig.optional().describe('Where its data may go; holds for every target, fallbacks included'),
  priority: z
    .int()
    .min(0)
    .max(9)
    .optional()
    .describe('How its calls stand in the waiting lines of limits, 0 (last) to 9 (first); 5 when left out'),
  qualityFloor: QualityFloorConfig.optional().describe('Below this quality a cheaper tier is not used for the feature'),
  description: z.string().trim().max(500).optional().describe('One sentence for people: what it does and for whom'),
});
export type FeatureConfig = z.infer<typeof FeatureConfig>;

/** Section `features`: name → contract. */
export const featuresConfig = z
  .record(FeatureName, FeatureConfig)
  .default({})
  .describe('Features: what everything is owned, priced and measured by');
