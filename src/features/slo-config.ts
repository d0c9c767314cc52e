import { z } from 'zod';

const share = z.number().min(0).max(1).nullable();
const milliseconds = z.number().positive().max(3_600_000).nullable();

/** Load lines of a feature. What is left out has its default; null draws no line. */
export const SloConfig = z.strictObject({
  ttftP95Ms: milliseconds.default(800).describe('Streams: 95 % of them begin within so many milliseconds'),
  durationP50Ms: milliseconds.default(2_000).describe('Interactive use: half of the answers are complete within so many milliseconds'),
  durationP99Ms: milliseconds.default(10_000).describe('99 % of the answers are complete within so many milliseconds'),
  errorRate: share.default(0.02).describe('Share of calls that may end in an error'),
  costPerCallUsd: z
    .number()
    .positive()
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe('What a call may cost on average, US dollars; no line by default'),
  hallucinationRate: share
    .default(0.02)
    .describe('Share of judged answers that may hold something made up; needs scores named hallucination'),
  refusalRate: share.default(0.01).describe('Share of answers that may be refusals, by the local classifier'),
  formatCompliance: share.default(0.99).describe('Least share of checked answers that have the demanded form; needs an output contract'),
  contextUtilisation: share
    .default(0.6)
    .describe('Least mean of scores named context_utilisation, 0 to 1: how much of what was retrieved is used'),
  satisfaction: z.number().min(1).max(5).nullable().default(4.2).describe('Least mean of the stars that users give, 1 to 5'),
  retryRate: share.default(0.03).describe('Share of questions that a user may have to ask again'),
});
export type SloConfig = z.infer<typeof SloConfig>;

/** Of features that the configuration does not hold, or that say nothing. */
export const DEFAULT_SLO: SloConfig = Object.freeze(SloConfig.parse({}));
