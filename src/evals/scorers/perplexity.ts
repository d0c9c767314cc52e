import { z } from 'zod';
import { failed, measured, type Score, unmeasured } from '../score.ts';
import { defineScorer, type Subject } from '../scorer.ts';

/** Mean natural logarithm of the probabilities; a score where there is none. */
function meanLogProbability({ logProbabilities }: Subject): number | Score {
  const given = logProbabilities ?? [];
  if (given.length === 0) return unmeasured('The provider gave no probabilities of the tokens.');
  const mean = given.reduce((sum, each) => sum + each, 0) / given.length;
  return Number.isFinite(mean) ? mean : failed('A probability of the tokens is no number.');
}

export default [
  defineScorer({
    names: ['perplexity'],
    summary: 'The model was at most this unsure of its words: e to the mean negative log probability of the tokens.',
    source: 'promptfoo. Value 1 or 0, part `perplexity`. Without a threshold nothing is demanded (there: it passes).',
    direction: 'higher',
    needs: ['log probabilities'],
    options: z.strictObject({ threshold: z.number().optional().describe('Largest perplexity that passes') }),
    score(subject, { threshold }) {
      const mean = meanLogProbability(subject);
      if (typeof mean !== 'number') return mean;
      const perplexity = Math.exp(-mean);
      const passed = threshold === undefined || perplexity <= threshold;
      const parts = Number.isFinite(perplexity) ? [{ name: 'perplexity', value: perplexity }] : [];
      return measured(passed ? 1 : 0, threshold === undefined ? null : passed, `Perplexity ${perplexity.toFixed(2)}.`, parts);
    },
  }),
  defineScorer({
    names: ['perplexity-score'],
    summary: 'How sure the model was of its words, in (0, 0.5]: 1 / (1 + e to the mean negative log probability).',
    source: 'promptfoo: 1 / (1 + perplexity).',
    direction: 'higher',
    needs: ['log probabilities'],
    options: z.strictObject({ threshold: z.number().optional().describe('Least score that passes; without one nothing is demanded') }),
    score(subject, { threshold }) {
      const mean = meanLogProbability(subject);
      if (typeof mean !== 'number') return mean;
      const score = 1 / (1 + Math.exp(-mean));
      return measured(score, threshold === undefined ? null : score >= threshold, `Perplexity score ${score.toFixed(4)}.`);
    },
  }),
];
