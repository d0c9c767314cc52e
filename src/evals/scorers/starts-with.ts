import { z } from 'zod';
import { verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

export default defineScorer({
  names: ['starts-with'],
  summary: 'The output begins with this text.',
  source: 'promptfoo.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({ value: z.string().min(1).describe('The beginning, letter for letter') }),
  score({ output }, { value }) {
    const passed = output.startsWith(value);
    return verdict(passed, `${passed ? 'Begins' : 'Does not begin'} with ${JSON.stringify(value.slice(0, 200))}.`);
  },
});
