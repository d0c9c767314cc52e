import { z } from 'zod';
import { Needles } from '../option-schemas.ts';
import { verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

function containsAnyScorer(name: string, isCaseKept: boolean) {
  const fold = (text: string): string => (isCaseKept ? text : text.toLowerCase());
  return defineScorer({
    names: [name],
    summary: `The output contains one of these texts or more${isCaseKept ? '' : ', in capitals or not'}.`,
    source: 'promptfoo. An empty list is never met.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Needles.describe('A list, or one text with commas; "a, b" in double quotes holds a comma') }),
    score({ output }, { value }) {
      const folded = fold(output);
      const found = value.find((each) => folded.includes(fold(each)));
      return verdict(found !== undefined, found === undefined ? 'Contains none.' : `Contains ${JSON.stringify(found.slice(0, 200))}.`);
    },
  });
}

export default [containsAnyScorer('contains-any', true), containsAnyScorer('icontains-any', false)];
