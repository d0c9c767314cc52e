import { z } from 'zod';
import { FeatureCacheConfig } from './cache-config.ts';
import { KpiConfig } from './kpi-config.ts';
import { ModelApprovalConfig, ModelPolicyConfig } from './model-approval.ts';
import { OutputConfig } from './output-config.ts';
import { ResidencyConfig } from './residency.ts';
import { SloConfig } from './slo-config.ts';

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

const repeats = z.int().min(2).max(1_000).optional();

export const LoopBreakerConfig = z.strictObject({
  sameToolCalls: repeats.describe(
    'The next step is refused once one tool was called so often with the same arguments since the user last said something',
  ),
  sameAnswers: repeats.describe('The next step is refused once the same text was answered so often in a row'),
  maxSteps: z.int().min(1).max(1_000_000).optional().describe('Calls of one session in all'),
  maxUsdPerMinute: z
    .number()
    .min(0.000_001)
    .max(1_000_000)
    .multipleOf(0.000_001)
    .optional()
    .describe('What one session may have spent in the last 60 seconds, US dollars'),
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
  loopBreaker: LoopBreakerConfig.optional().describe('Stops agent runs (sessions) that go in circles; absent = off'),
  models: z
    .array(ModelApprovalConfig)
    .min(1)
    .max(256)
    .optional()
    .describe('What was decided about models for this feature; left out = every model is allowed')
    .superRefine((entries = [], context) => {
      entries.forEach(({ model }, index) => {
        if (entries.findIndex((other) => other.model === model) < index)
          context.addIssue({ code: 'custom', path: [index, 'model'], message: `"${model}" stands here twice` });
      });
    }),
  modelPolicy: ModelPolicyConfig.optional().describe('What the list of models means for a call; without a list it means nothing'),
  output: OutputConfig.optional().describe('The form that its answers must have'),
  kpi: KpiConfig.optional().describe('What it is for: the outcome by which its worth is measured'),
  slo: SloConfig.optional().describe('Its load lines; left out = the defaults of each'),
  description: z.string().trim().max(500).optional().describe('One sentence for people: what it does and for whom'),
});
export type FeatureConfig = z.infer<typeof FeatureConfig>;

/** Section `features`: name → contract. */
export const featuresConfig = z
  .record(FeatureName, FeatureConfig)
  .default({})
  .describe('Features: what everything is owned, priced and measured by');
