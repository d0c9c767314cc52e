import type { Difficulty } from '../choose-targets.ts';
import { TIERS } from '../policy.ts';
import type { PromptView } from '../prompt-view.ts';
import { complexityFeatures } from './features.ts';
import { MODEL } from './weights.gen.ts';

/** A multinomial logistic regression over standardised features. */
export interface ComplexityModel {
  readonly means: readonly number[];
  /** Standard deviations; 1 where a feature never varied. */
  readonly scales: readonly number[];
  /** One row per tier: the bias, then a weight per feature. */
  readonly weights: readonly (readonly number[])[];
}

/** Below this probability the best guess is no knowledge. */
export const UNDECIDED_BELOW = 0.45;

/** Probabilities of the tiers, in the order of `TIERS`; they add up to 1. */
export function tierProbabilities(features: readonly number[], model: ComplexityModel): number[] {
  const scores = model.weights.map((row) => {
    let score = row[0] ?? 0;
    for (let index = 0; index < features.length; index++)
      score += (((features[index] ?? 0) - (model.means[index] ?? 0)) / (model.scales[index] ?? 1)) * (row[index + 1] ?? 0);
    return score;
  });
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** How difficult a request is, by its own text. Deterministic. */
export function classifyComplexity(view: PromptView, model: ComplexityModel = MODEL): Difficulty {
  const [simple = 0, medium = 0, complex = 0] = tierProbabilities(complexityFeatures(view), model);
  const probabilities = { simple: round(simple), medium: round(medium), complex: round(complex) };
  const best = TIERS.reduce((a, b) => (probabilities[b] > probabilities[a] ? b : a));
  const isUndecided = probabilities[best] < UNDECIDED_BELOW;
  return { tier: isUndecided ? 'medium' : best, confidence: probabilities[best], probabilities, isUndecided };
}

function round(probability: number): number {
  return Math.round(probability * 1000) / 1000;
}
