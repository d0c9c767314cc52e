import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { PriceConfig } from '../models/config.ts';
import { FAULTS, parseFaults } from './faults.ts';

const probability = z.number().min(0).max(1);

/** Why a text is no list of faults that a request can have; null when it is one. */
function faultProblem(text: string): string | null {
  try {
    const faults = parseFaults(text);
    const unreachable = faults.find((fault) => FAULTS[fault.name].reach === 'listener');
    if (unreachable !== undefined) return `"${unreachable.name}" hits the whole listener: switch it on with POST /sim/faults`;
    return faults.length === 0 ? 'names no fault' : null;
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return thrown.message;
    throw thrown;
  }
}

const faultText = z
  .string()
  .superRefine((text, context) => {
    const problem = faultProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('What goes wrong, e.g. "error:429;retry-after=2", "timeout", "cut_after=5"; docs/reference/simulator.md has the list');

const faultSeed = z
  .number()
  .int()
  .nonnegative()
  .optional()
  .describe('Decides which requests are hit; the seed of the simulation when absent');

/** How one simulated model behaves; every value may be left out. */
export const ModelProfileOverride = z
  .strictObject({
    version: z
      .string()
      .min(1)
      .max(64)
      .describe('Another version gives other words and another system_fingerprint under the same name; default "1"'),
    style: z
      .enum(['standard', 'terse', 'chatty', 'bullets'])
      .describe('How answers are written: as the corpus has them, one sentence, with small talk around it, as a list; default standard'),
    ttftMedianMs: z.number().nonnegative().describe('Time to the first token, median of a lognormal, milliseconds; default 350'),
    ttftP95Ms: z.number().nonnegative().describe('Time to the first token, 95th percentile, milliseconds; default 900'),
    prefillMsPerThousandTokens: z.number().nonnegative().describe('Added to the first token per 1000 uncached input tokens; default 15'),
    tokensPerSecond: z.number().positive().describe('Speed of generation, output tokens a second; default 80'),
    jitter: z.number().min(0).max(2).describe('Spread of the gap between chunks, as a fraction of the gap; default 0.25'),
    tokensPerChunk: z.number().int().min(1).max(64).describe('Tokens in one event of a stream; default 2'),
    lengthFactor: z
      .number()
      .min(0.1)
      .max(4)
      .describe('How much of an answer is given: 0.5 = the first half, 2 = with more detail; default 1'),
    contextTokens: z
      .number()
      .int()
      .positive()
      .describe('Longest input and output together; beyond it: context_length error; default 128000'),
    maxOutputTokens: z.number().int().positive().describe('Longest answer, whatever the request allows; default 16384'),
    reasoningTokensMean: z.number().nonnegative().describe('Mean of the hidden reasoning tokens of an answer; default 0 = does not reason'),
    cacheHitRate: probability.describe('Share of the requests whose prefix is found in the prompt cache; default 0'),
    cacheMinimumTokens: z.number().int().positive().describe('Shortest prefix that is cached, input tokens; default 1024'),
    refusalRate: probability.describe('Share of the requests that the model declines to answer; default 0'),
    faults: z
      .array(z.strictObject({ fault: faultText, rate: probability.describe('Share of the requests that are hit'), seed: faultSeed }))
      .describe('Failures of this model; default none'),
    quality: z
      .strictObject({
        simple: probability.describe('Share of simple tasks that are answered rightly'),
        medium: probability.describe('Share of medium tasks that are answered rightly'),
        complex: probability.describe('Share of complex tasks that are answered rightly'),
      })
      .describe('How often tasks with a known truth are answered rightly, by difficulty; default 1 each'),
    price: PriceConfig.describe('What the simulated provider bills; only its invoice knows it, the ledger goes by `prices`; default none'),
  })
  .partial();

type Override = z.output<typeof ModelProfileOverride>;
/** How one simulated model behaves; the meaning and unit of each value is in `ModelProfileOverride`. */
export type ModelProfile = { readonly [K in Exclude<keyof Override, 'price'>]-?: NonNullable<Override[K]> } & {
  /** Null = not billed. */
  readonly price: PriceConfig | null;
};

export const DEFAULT_PROFILE: ModelProfile = Object.freeze({
  version: '1',
  style: 'standard',
  ttftMedianMs: 350,
  ttftP95Ms: 900,
  prefillMsPerThousandTokens: 15,
  tokensPerSecond: 80,
  jitter: 0.25,
  tokensPerChunk: 2,
  lengthFactor: 1,
  contextTokens: 128_000,
  maxOutputTokens: 16_384,
  reasoningTokensMean: 0,
  cacheHitRate: 0,
  cacheMinimumTokens: 1_024,
  refusalRate: 0,
  faults: [],
  quality: { simple: 1, medium: 1, complex: 1 },
  price: null,
});

/** Profiles that exist without any configuration; they never fail by themselves. */
export const BUILT_IN_PROFILES: Readonly<Record<string, ModelProfile>> = {
  'sim-large': {
    ...DEFAULT_PROFILE,
    ttftMedianMs: 420,
    ttftP95Ms: 1_100,
    tokensPerSecond: 75,
    cacheHitRate: 0.6,
    quality: { simple: 0.995, medium: 0.97, complex: 0.92 },
  },
  'sim-small': {
    ...DEFAULT_PROFILE,
    ttftMedianMs: 180,
    ttftP95Ms: 450,
    tokensPerSecond: 160,
    lengthFactor: 0.7,
    cacheHitRate: 0.6,
    quality: { simple: 0.98, medium: 0.84, complex: 0.42 },
  },
  'sim-reasoner': {
    ...DEFAULT_PROFILE,
    ttftMedianMs: 600,
    ttftP95Ms: 1_500,
    tokensPerSecond: 110,
    reasoningTokensMean: 420,
    contextTokens: 200_000,
    cacheHitRate: 0.6,
    quality: { simple: 0.995, medium: 0.985, complex: 0.97 },
  },
  'sim-claude': {
    ...DEFAULT_PROFILE,
    ttftMedianMs: 520,
    ttftP95Ms: 1_300,
    tokensPerSecond: 68,
    lengthFactor: 1.2,
    contextTokens: 200_000,
    cacheHitRate: 0.7,
    quality: { simple: 0.995, medium: 0.975, complex: 0.93 },
  },
  'sim-claude-small': {
    ...DEFAULT_PROFILE,
    ttftMedianMs: 240,
    ttftP95Ms: 600,
    tokensPerSecond: 140,
    lengthFactor: 0.8,
    contextTokens: 200_000,
    cacheHitRate: 0.7,
    quality: { simple: 0.98, medium: 0.86, complex: 0.48 },
  },
};

/** Section `sim` of plimsoll.yaml: the simulated providers. */
export const simConfig = z.strictObject({
  seed: z.number().int().nonnegative().default(1).describe('Same seed and same request = same answer, tokens and planned latencies'),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Also listen here, for anything outside of Plimsoll; otherwise a free port is taken'),
  apiKey: z.string().min(1).optional().describe('When set, requests need this key (not a secret: nothing is behind it)'),
  latencyFactor: z.number().min(0).max(100).default(1).describe('Multiplies every planned latency; 0 = answer at once'),
  models: z
    .record(z.string().min(1), ModelProfileOverride)
    .default({})
    .describe('Own simulated models, or other values for sim-large, sim-small, sim-reasoner, sim-claude, sim-claude-small'),
  faults: z
    .array(
      z.strictObject({
        fault: faultText,
        rate: probability.default(1).describe('Share of the requests that are hit'),
        seed: faultSeed,
        models: z.array(z.string().min(1)).optional().describe('Only these models; all when absent'),
      }),
    )
    .default([])
    .describe('Failures that are switched on now'),
});
export type SimConfig = z.output<typeof simConfig>;

/** Leaves out what is not given. */
export function givenValues(override: Override): Partial<ModelProfile> {
  return Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
}

/** All models that this configuration offers, by name: own values over the built-in ones over the defaults. */
export function resolveProfiles(config: SimConfig): Readonly<Record<string, ModelProfile>> {
  const profiles: Record<string, ModelProfile> = { ...BUILT_IN_PROFILES };
  for (const [name, override] of Object.entries(config.models)) {
    profiles[name] = { ...(profiles[name] ?? DEFAULT_PROFILE), ...givenValues(override) };
  }
  return profiles;
}
