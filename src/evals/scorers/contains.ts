import { z } from 'zod';
import { Needle } from '../option-schemas.ts';
import { verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

function containsScorer(name: string, isCaseKept: boolean) {
  const fold = (text: string): string => (isCaseKept ? text : text.toLowerCase());
  return defineScorer({
    names: [name],
    summary: `The output contains this text${isCaseKept ? '' : ', in capitals or not'}.`,
    source: 'promptfoo.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Needle.describe('Text or number to look for; not empty') }),
    score({ output }, { value }) {
      const passed = fold(output).includes(fold(value));
      return verdict(passed, `${passed ? 'Contains' : 'Does not contain'} ${JSON.stringify(value.slice(0, 200))}.`);
    },
  });
}

export default [containsScorer('contains', true), containsScorer('icontains', false)];
