import { z } from 'zod';
import { failed, measured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { editDistance } from '../text/edit-distance.ts';

export default defineScorer({
  names: ['levenshtein'],
  summary: 'The output can be made the value with at most `threshold` insertions, deletions and replacements of single characters.',
  source: 'promptfoo; Levenshtein 1966. In UTF-16 code units. Value 1 or 0, part `distance`.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: z.string().describe('Text to compare with'),
    threshold: z.number().default(5).describe('Largest distance that passes'),
  }),
  score({ output }, { value, threshold }) {
    const least = Math.abs(output.length - value.length);
    const distance = least > threshold ? least : editDistance(output, value);
    if (distance === null) return failed('The texts are too long to be compared.');
    const passed = distance <= threshold;
    // Where the lengths alone decide, the distance is only known to be no less.
    const parts = least > threshold ? [] : [{ name: 'distance', value: distance }];
    return measured(passed ? 1 : 0, passed, `Distance ${least > threshold ? 'at least ' : ''}${distance}, allowed ${threshold}.`, parts);
  },
});
