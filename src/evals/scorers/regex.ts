import { z } from 'zod';
import { PatternRefused } from '../../gateway/output/pattern-parser.ts';
import { TooExpensive } from '../../gateway/output/work-budget.ts';
import { findsPattern } from '../regular-expression.ts';
import { failed, verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

function isValidPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

export default defineScorer({
  names: ['regex'],
  summary: 'The pattern is found in the output.',
  source:
    'promptfoo: JavaScript’s regular expressions without flags. Matched in linear time (Thompson 1968), so that no output can stall a run; patterns that cannot be (look-around, back references) run where code of suites does, with its time limit. A dot takes a whole character, also beyond the first 65 536.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: z
      .string()
      .min(1)
      .refine(isValidPattern, 'not a valid regular expression of JavaScript')
      .describe('The pattern; found anywhere unless it has ^ and $'),
  }),
  async score({ output }, { value }, { scripts }) {
    const shown = `/${value.slice(0, 200)}/`;
    const say = (isFound: boolean) => verdict(isFound, `${shown} is ${isFound ? '' : 'not '}found.`);
    try {
      return say(findsPattern(value, output));
    } catch (thrown) {
      if (!(thrown instanceof PatternRefused || thrown instanceof TooExpensive)) throw thrown;
      if (scripts === undefined) return failed(`${shown} cannot be matched here: ${thrown.message}.`);
      const reply = await scripts.run({
        kind: 'body',
        source: 'return new RegExp(context.pattern).test(output)',
        exportName: null,
        output,
        context: { pattern: value },
      });
      return reply.state === 'returned' ? say(reply.value === true) : failed(`${shown}: ${reply.message}`);
    }
  },
});
