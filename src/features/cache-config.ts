import { z } from 'zod';

const ModelEmbedderConfig = z.strictObject({
  model: z
    .string()
    .describe(
      'Model or route that serves embeddings here; all targets of a route must be the same model, or their vectors say nothing of each other',
    ),
  timeoutMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(300)
    .describe('How long a call waits for the vector of its question; later it is a miss, and says so'),
});

const SemanticCacheConfig = z.strictObject({
  embedder: z
    .union([z.literal('lexical'), ModelEmbedderConfig])
    .default('lexical')
    .describe(
      'What compares the questions. lexical: hashed words and character 3–5-grams, on this machine; knows spelling, not meaning. { model, timeoutMs: 300 }: a model or route that serves embeddings here, all targets of it the same model; its calls are budgeted, priced and traced as feature plimsoll-cache, and a question whose vector takes longer is a miss',
    ),
  threshold: z.number().min(0.5).max(1).default(0.95).describe('Least cosine similarity of two questions that may share an answer'),
  maxFalseHitRatio: z
    .number()
    .min(0.001)
    .max(0.5)
    .default(0.02)
    .describe('Largest share of wrong answers among semantic hits; "plimsoll cache check" and the shadow measurement hold it against this'),
  shadowRatio: z
    .number()
    .min(0.001)
    .max(1)
    .default(0.05)
    .describe('Share of semantic hits that are answered by the model all the same and compared, once hits are served'),
  sameAnswerSimilarity: z
    .number()
    .min(0.5)
    .max(1)
    .default(1)
    .describe(
      'When two answers count as the same in that comparison. 1: the same words in any order; below: other words too, from this lexical similarity on, with the same numbers, names and deciding words. Lower it only where you have read what it lets pass',
    ),
  maxEntries: z
    .int()
    .min(100)
    .max(50_000)
    .default(10_000)
    .describe('Most questions in the index of one gateway worker; about 2 KB each, with a model 4 bytes a dimension; the oldest make room'),
});

/** `features.<name>.cache` of plimsoll.yaml. */
export const FeatureCacheConfig = z.strictObject({
  mode: z
    .enum(['off', 'exact', 'near', 'semantic'])
    .default('off')
    .describe(
      'exact: equal requests; near: also a last user message that differs in case, white space and sentence punctuation only; semantic: also similar ones, refused until "plimsoll cache check" has passed for the feature',
    ),
  ttlSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(3600)
    .describe('How long an answer is kept'),
  maxTemperature: z
    .number()
    .min(0)
    .max(2)
    .default(0)
    .describe('Requests with a higher temperature want variety and bypass the cache; one without a temperature does not'),
  replay: z
    .enum(['instant', 'recorded'])
    .default('instant')
    .describe('How a cached stream is sent: at once, or with the pauses it was recorded with'),
  toolCalls: z.boolean().default(false).describe('Whether answers that call tools are kept; such calls often act on a moment'),
  truncated: z.boolean().default(false).describe('Whether answers that ended at their token limit are kept'),
  isolation: z
    .enum(['feature', 'customer', 'user'])
    .default('feature')
    .describe('Who shares answers: all callers of the feature, those of one x-plimsoll-customer, or of one x-plimsoll-user'),
  semantic: SemanticCacheConfig.prefault({}).describe('Settings of mode semantic'),
});
export type FeatureCacheConfig = z.infer<typeof FeatureCacheConfig>;
