import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { parseFaults } from './faults.ts';

const probability = z.number().min(0).max(1);

const faultText = z
  .string()
  .refine(
    (text) => {
      try {
        return parseFaults(text).length > 0;
      } catch (thrown) {
        if (thrown instanceof PlimsollError) return false;
        throw thrown;
      }
    },
    { message: 'not a fault; see docs: error:500, error:429;retry-after=2, timeout, cut_after=3 …' },
  )
  .describe('What goes wrong, e.g. "error:429;retry-after=2", "timeout", "cut_after=5"');

/** How one simulated model behaves. */
export const ModelProfile = z.strictObject({
  ttftMedianMs: z.number().nonnegative().default(350).describe('Time to the first token, median of a lognormal, milliseconds'),
  ttftP95Ms: z.number().nonnegative().default(900).describe('Time to the first token, 95th percentile, milliseconds'),
  prefillMsPerThousandTokens: z.number().nonnegative().default(15).describe('Added to the first token for each 1000 uncached input tokens'),
  tokensPerSecond: z.number().positive().default(80).describe('Speed of generation, output tokens a second'),
  jitter: z.number().min(0).max(2).default(0.25).describe('Spread of the gap between chunks, as a fraction of the gap'),
  tokensPerChunk: z.number().int().min(1).max(64).default(2).describe('Tokens in one event of a stream'),
  lengthFactor: z.number().min(0.1).max(4).default(1).describe('How much of an answer is given: 0.5 = the first half, 2 = with more detail'),
  contextTokens: z.number().int().positive().default(128_000).describe('Longest input and output together; beyond it: context_length error'),
  maxOutputTokens: z.number().int().positive().default(16_384).describe('Longest answer, whatever the request allows'),
  reasoningTokensMean: z.number().nonnegative().default(0).describe('Mean of the hidden reasoning tokens of an answer; 0 = does not reason'),
  cacheHitRate: probability.default(0).describe('Share of the requests whose prefix is found in the prompt cache'),
  cacheMinimumTokens: z.number().int().positive().default(1024).describe('Shortest prefix that is cached, input tokens'),
  refusalRate: probability.default(0).describe('Share of the requests that the model declines to answer'),
  faults: z
    .array(z.strictObject({ fault: faultText, rate: probability.describe('Share of the requests that are hit') }))
    .default([])
    .describe('Failures of this model'),
});
export type ModelProfile = z.output<typeof ModelProfile>;

/** Profiles that exist without any configuration; they never fail by themselves. */
export const BUILT_IN_PROFILES: Readonly<Record<string, ModelProfile>> = {
  'sim-large': ModelProfile.parse({ ttftMedianMs: 420, ttftP95Ms: 1_100, tokensPerSecond: 75, cacheHitRate: 0.6 }),
  'sim-small': ModelProfile.parse({ ttftMedianMs: 180, ttftP95Ms: 450, tokensPerSecond: 160, lengthFactor: 0.7, cacheHitRate: 0.6 }),
  'sim-reasoner': ModelProfile.parse({
    ttftMedianMs: 600,
    ttftP95Ms: 1_500,
    tokensPerSecond: 110,
    reasoningTokensMean: 420,
    contextTokens: 200_000,
    cacheHitRate: 0.6,
  }),
  'sim-claude': ModelProfile.parse({
    ttftMedianMs: 520,
    ttftP95Ms: 1_300,
    tokensPerSecond: 68,
    lengthFactor: 1.2,
    contextTokens: 200_000,
    cacheHitRate: 0.7,
  }),
  'sim-claude-small': ModelProfile.parse({
    ttftMedianMs: 240,
    ttftP95Ms: 600,
    tokensPerSecond: 140,
    lengthFactor: 0.8,
    contextTokens: 200_000,
    cacheHitRate: 0.7,
  }),
};

/** Section `sim` of plimsoll.yaml: the simulated providers. */
export const simConfig = z.strictObject({
  seed: z.number().int().nonnegative().default(1).describe('Same seed and same request = same answer, tokens and planned latencies'),
  port: z.number().int().min(1).max(65_535).optional().describe('Also listen here, for anything outside of Plimsoll; otherwise a free port is taken'),
  apiKey: z.string().min(1).optional().describe('When set, requests need this key (not a secret: nothing is behind it)'),
  latencyFactor: z.number().min(0).max(100).default(1).describe('Multiplies every planned latency; 0 = answer at once'),
  models: z
    .record(z.string().min(1), ModelProfile)
    .default({})
    .describe('Own simulated models, or other values for sim-large, sim-small, sim-reasoner, sim-claude, sim-claude-small'),
  faults: z
    .array(
      z.strictObject({
        fault: faultText,
        rate: probability.default(1).describe('Share of the requests that are hit'),
        models: z.array(z.string().min(1)).optional().describe('Only these models; all when absent'),
      }),
    )
    .default([])
    .describe('Failures that are switched on now'),
});
export type SimConfig = z.output<typeof simConfig>;

/** All models that this configuration offers, by name. */
export function resolveProfiles(config: SimConfig): Readonly<Record<string, ModelProfile>> {
  return { ...BUILT_IN_PROFILES, ...config.models };
}
