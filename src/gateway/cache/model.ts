import { z } from 'zod';
import { WorkerPresence } from '../worker-presence.ts';

const text = z.string().min(1).max(4096);
const ratio = z.number().nullable().describe('Fraction; null without calls to count');
const interval = z.tuple([z.number(), z.number()]).nullable().describe('95 % Wilson interval; null without calls to count');
const epochMs = z.int().describe('Epoch milliseconds');
const picoUsd = z.string().regex(/^\d+$/).describe('US dollars × 10¹² as a decimal integer');

/** Two questions, and whether one answer fits both: the operator's own judgement. */
export const CachePair = z.strictObject({
  a: text.describe('A question'),
  b: text.describe('Another one'),
  same: z.boolean().describe('True when the answer to one is right for the other'),
  similarity: z
    .number()
    .min(-1.001)
    .max(1.001)
    .optional()
    .describe('Cosine of the two by the model that compares questions of the feature; needed where it is one, else not read'),
});
export type CachePair = z.infer<typeof CachePair>;

export const CacheCheckRequest = z.strictObject({
  feature: z.string().max(63).describe('Feature whose semantic cache is to be allowed'),
  pairs: z.array(CachePair).min(1).max(20_000).describe('Labelled pairs of its questions; the more look alike and differ, the better'),
});
export type CacheCheckRequest = z.infer<typeof CacheCheckRequest>;

const measured = z.object({
  served: z.int().describe('Pairs that would share an answer'),
  falseHits: z.int().describe('Of these, pairs whose answers differ'),
  falseHitRatio: ratio.describe('falseHits / served'),
  falseHitInterval: interval,
  differentServedRatio: ratio.describe(
    'falseHits / pairs labelled different: what the verdict rests on, since it does not depend on the mix of pairs',
  ),
  differentServedInterval: interval,
  sameServedRatio: ratio.describe('Pairs labelled same that would be served / pairs labelled same: how much it is good for'),
});

export const CacheCheckReport = z
  .object({
    id: z.string(),
    feature: z.string(),
    at: epochMs,
    embedder: z.string().describe('What compared the questions'),
    same: z.int().describe('Pairs labelled same'),
    different: z.int().describe('Pairs labelled different'),
    maxFalseHitRatio: z.number().describe('The bound that it was held against'),
    rows: z.array(
      z.object({
        threshold: z.number(),
        withGuards: measured,
        alone: measured.describe('What similarity would do without the guards; for comparison, it is not offered'),
      }),
    ),
    recommendedThreshold: z.number().nullable().describe('Lowest one that is safe, with every higher one; null = none'),
    verdict: z.enum(['safe', 'unsafe', 'too few pairs', 'useless']),
    reason: z.string(),
  })
  .meta({ id: 'CacheCheckReport' });
export type CacheCheckReport = z.infer<typeof CacheCheckReport>;
export type CheckMeasure = z.infer<typeof measured>;

export const CachePurgeRequest = z
  .strictObject({
    feature: z.string().max(63).optional().describe('Only answers of this feature'),
    tag: z
      .string()
      .regex(/^[^=]{1,256}=.{0,256}$/, 'a tag reads name=value')
      .optional()
      .describe('Only answers filled by calls with this tag, name=value'),
    all: z.literal(true).optional().describe('Must be said to purge everything'),
  })
  .refine(({ feature, tag, all }) => (all === true) !== (feature !== undefined || tag !== undefined), {
    message: 'name a feature, a tag or both, or say all: true',
  });

export const CachePurged = z
  .object({ sequence: z.int().describe('Number of the purge; gateways void every answer that was begun before they knew of it') })
  .meta({ id: 'CachePurged' });

const share = z.object({ hits: z.int(), ratio: ratio.describe('hits / calls; null without calls'), interval });

const CheckSummary = CacheCheckReport.pick({
  id: true,
  at: true,
  embedder: true,
  verdict: true,
  reason: true,
  recommendedThreshold: true,
  maxFalseHitRatio: true,
  same: true,
  different: true,
});

const SemanticView = z.object({
  state: z
    .enum(['unchecked', 'shadow', 'live', 'off'])
    .describe('unchecked: no check has passed, works as near; shadow: hits are compared, not given; live: given; off: too many were wrong'),
  reason: z.string(),
  threshold: z.number(),
  maxFalseHitRatio: z.number(),
  samples: z.int().describe('Hits whose answer was compared with the one of the model'),
  falseHits: z.int(),
  falseHitRatio: ratio,
  falseHitInterval: interval,
  questions: z.int().describe('In the indexes of all gateway workers'),
  check: CheckSummary.nullable(),
});

export const CacheFeatureView = z.object({
  feature: z.string(),
  mode: z.enum(['off', 'exact', 'near', 'semantic']).describe('As configured'),
  entries: z.int().nullable().describe('Answers that are kept; null = no gateway has said'),
  bytes: z.int().nullable(),
  calls: z.int().describe('Calls that asked the cache: hits and misses'),
  hits: z.int().describe('Equal requests, shared ones included'),
  nearHits: z.int(),
  semanticHits: z.int(),
  misses: z.int(),
  bypasses: z.int().describe('Calls that the cache was not for; in no rate'),
  hitRatio: ratio,
  hitInterval: interval,
  kinds: z
    .object({ exact: share, near: share, semantic: share })
    .describe('The same by kind of hit; exact has equal requests, shared ones included'),
  savedPicoUsd: picoUsd.describe('What the given answers cost when they were new, US dollars × 10¹²; those without a price are not in it'),
  unpricedHits: z.int().describe('Hits whose answer had no price'),
  savedInputTokens: z.int(),
  savedOutputTokens: z.int(),
  embeddingModel: z
    .string()
    .nullable()
    .describe('Model or route of this gateway that compares questions; null = they are compared by spelling'),
  semantic: SemanticView.nullable().describe('Null unless the mode is semantic'),
  check: CheckSummary.nullable().describe('The newest check of labelled pairs, whatever the mode; null = none was made'),
});
export type CacheFeatureView = z.infer<typeof CacheFeatureView>;

export const CacheView = z
  .object({
    from: epochMs,
    to: epochMs,
    driver: z.enum(['memory', 'redis']),
    maxBytes: z.int(),
    purges: z.int().describe('So far'),
    gateways: z
      .array(WorkerPresence)
      .describe('Those whose holdings are in here, and those that did not answer; without a feature that has a cache none reports'),
    features: z.array(CacheFeatureView),
  })
  .meta({ id: 'CacheView' });
export type CacheView = z.infer<typeof CacheView>;

export const CacheQuery = z.strictObject({
  from: z.coerce.number().int().optional().describe('Epoch ms, inclusive; default 24 hours before `to`'),
  to: z.coerce.number().int().optional().describe('Epoch ms, exclusive; default now'),
});
