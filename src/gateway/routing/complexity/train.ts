import { contentHash } from '../../../kernel/ids.ts';
import { TIERS, type Tier } from '../policy.ts';
import type { PromptView } from '../prompt-view.ts';
import { type ComplexityModel, tierProbabilities } from './classify.ts';
import { complexityFeatures } from './features.ts';

/** One line of `labelled-prompts.jsonl`: a request with the tier that a person gave it. Counts that are absent are 0. */
export interface LabelledPrompt {
  readonly tier: Tier;
  readonly language: string;
  readonly text: string;
  readonly systemCharacters?: number;
  readonly historyCharacters?: number;
  readonly turns?: number;
  readonly tools?: number;
  readonly images?: number;
  readonly wantsStructure?: boolean;
}

export interface Example {
  readonly tier: Tier;
  readonly features: readonly number[];
}

const HELD_OUT_OF = 4;
const ITERATIONS = 1_500;
const LEARNING_RATE = 0.5;

export function viewOf(prompt: LabelledPrompt): PromptView {
  return {
    text: prompt.text,
    textCharacters: prompt.text.length,
    systemCharacters: prompt.systemCharacters ?? 0,
    historyCharacters: prompt.historyCharacters ?? 0,
    turns: prompt.turns ?? 1,
    tools: prompt.tools ?? 0,
    images: prompt.images ?? 0,
    wantsStructure: prompt.wantsStructure ?? false,
  };
}

export function exampleOf(prompt: LabelledPrompt): Example {
  return { tier: prompt.tier, features: complexityFeatures(viewOf(prompt)) };
}

/** A quarter of each tier is held out. By the hash of the text, so that a line that is added moves few others. */
export function splitPrompts(prompts: readonly LabelledPrompt[]): { training: LabelledPrompt[]; heldOut: LabelledPrompt[] } {
  const training: LabelledPrompt[] = [];
  const heldOut: LabelledPrompt[] = [];
  for (const tier of TIERS) {
    const sorted = prompts.filter((prompt) => prompt.tier === tier).sort((a, b) => (contentHash(a.text) < contentHash(b.text) ? -1 : 1));
    for (const [index, prompt] of sorted.entries()) (index % HELD_OUT_OF === 0 ? heldOut : training).push(prompt);
  }
  return { training, heldOut };
}

/**
 * Multinomial logistic regression by gradient descent over the whole set, from zero: deterministic. Tiers weigh the same, however many examples
 * each has.
 * @param penalty L2 penalty on the weights (not the biases), ≥ 0
 */
export function trainComplexity(examples: readonly Example[], penalty: number): ComplexityModel {
  const count = examples.length;
  const width = examples[0]?.features.length ?? 0;
  const column = (index: number): number[] => examples.map(({ features }) => features[index] ?? 0);
  const means = Array.from({ length: width }, (_, index) => column(index).reduce((sum, value) => sum + value, 0) / count);
  const scales = means.map((mean, index) => {
    const deviation = Math.sqrt(column(index).reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
    return deviation < 1e-9 ? 1 : deviation;
  });
  const inputs = examples.map(({ features }) => features.map((value, index) => (value - (means[index] ?? 0)) / (scales[index] ?? 1)));
  const share = TIERS.map((tier) => examples.filter((example) => example.tier === tier).length);
  const weights = TIERS.map(() => new Array<number>(width + 1).fill(0));
  const identity = { means: means.map(() => 0), scales: scales.map(() => 1) };
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradients = TIERS.map(() => new Array<number>(width + 1).fill(0));
    for (const [at, input] of inputs.entries()) {
      const tier = TIERS.indexOf(examples[at]?.tier ?? 'medium');
      const probabilities = tierProbabilities(input, { ...identity, weights });
      const importance = 1 / (TIERS.length * (share[tier] ?? 1));
      for (const [row, gradient] of gradients.entries()) {
        const difference = ((probabilities[row] ?? 0) - (row === tier ? 1 : 0)) * importance;
        gradient[0] = (gradient[0] ?? 0) + difference;
        for (let index = 0; index < width; index++) gradient[index + 1] = (gradient[index + 1] ?? 0) + difference * (input[index] ?? 0);
      }
    }
    for (const [row, gradient] of gradients.entries()) {
      const own = weights[row] ?? [];
      for (let index = 0; index <= width; index++) {
        const decay = index === 0 ? 0 : penalty * (own[index] ?? 0);
        own[index] = (own[index] ?? 0) - LEARNING_RATE * ((gradient[index] ?? 0) + decay);
      }
    }
  }
  const short = (value: number): number => Number(value.toPrecision(6));
  return { means: means.map(short), scales: scales.map(short), weights: weights.map((row) => row.map(short)) };
}

/** Rows: labelled tier; columns: predicted tier (the most probable one, without the undecided rule). */
export function confusionMatrix(examples: readonly Example[], model: ComplexityModel): number[][] {
  const matrix = TIERS.map(() => TIERS.map(() => 0));
  for (const { tier, features } of examples) {
    const probabilities = tierProbabilities(features, model);
    const row = matrix[TIERS.indexOf(tier)] ?? [];
    const best = probabilities.indexOf(Math.max(...probabilities));
    row[best] = (row[best] ?? 0) + 1;
  }
  return matrix;
}

export function accuracyOf(matrix: readonly (readonly number[])[]): { correct: number; total: number } {
  let correct = 0;
  let total = 0;
  for (const [row, counts] of matrix.entries()) {
    for (const [column, count] of counts.entries()) {
      total += count;
      if (row === column) correct += count;
    }
  }
  return { correct, total };
}
