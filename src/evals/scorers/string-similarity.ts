import { z } from 'zod';
import { failed, measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { textSimilarity } from '../text/edit-distance.ts';

export default defineScorer({
  names: ['string-similarity'],
  summary: 'How much of the longer text stays when output and reference are made equal: 1 = equal.',
  source: '1 − Levenshtein distance / longer length. ragas NonLLMStringSimilarity, autoevals Levenshtein.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: z.string().optional().describe('Text to compare with; the case’s reference when absent'),
    threshold: z.number().min(0).max(1).optional().describe('Least similarity that passes; without one nothing is demanded'),
  }),
  score({ output, reference }, { value = reference ?? undefined, threshold }) {
    if (value === undefined) return unmeasured('There is nothing to compare with: no value, and the case has no reference.');
    const similarity = textSimilarity(output, value);
    if (similarity === null) return failed('The texts are too long to be compared.');
    return measured(similarity, threshold === undefined ? null : similarity >= threshold, `Similarity ${similarity.toFixed(4)}.`);
  },
});
