import { z } from 'zod';
import { Needles } from '../option-schemas.ts';
import { verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

function containsAllScorer(name: string, isCaseKept: boolean) {
  const fold = (text: string): string => (isCaseKept ? text : text.toLowerCase());
  return defineScorer({
    names: [name],
    summary: `The output contains each of these texts${isCaseKept ? '' : ', in capitals or not'}.`,
    source: 'promptfoo. An empty list is always met.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Needles.describe('A list, or one text with commas; "a, b" in double quotes holds a comma') }),
    score({ output }, { value }) {
      const folded = fold(output);
      const missing = value.filter((each) => !folded.includes(fold(each)));
      return verdict(missing.length === 0, missing.length === 0 ? 'Contains all.' : `Missing: ${missing.join(', ').slice(0, 300)}.`);
    },
  });
}

export default [containsAllScorer('contains-all', true), containsAllScorer('icontains-all', false)];
