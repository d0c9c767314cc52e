import { z } from 'zod';
import { measured } from '../score.ts';
import { defineScorer } from '../scorer.ts';

const Count = z.union([
  z.number(),
  z
    .string()
    .regex(/^\s*\d+\s*$/)
    .transform(Number),
]);
const Bounds = z
  .strictObject({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'give min, max or both')
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, 'min must not be above max');

export default defineScorer({
  names: ['word-count'],
  summary: 'The output has this many words, or a number of words between two bounds.',
  source: 'promptfoo. Words between white space; value 1 or 0, part `words`.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({ value: z.union([Count, Bounds]).describe('Exact number, or { min, max }, both included') }),
  score({ output }, { value }) {
    const words = output.match(/\S+/g)?.length ?? 0;
    const { min = 0, max = Number.POSITIVE_INFINITY } = typeof value === 'number' ? { min: value, max: value } : value;
    const passed = words >= min && words <= max;
    return measured(passed ? 1 : 0, passed, `${words} words.`, [{ name: 'words', value: words }]);
  },
});
