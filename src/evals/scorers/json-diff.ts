import { z } from 'zod';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { jsonLikeness } from '../json/json-likeness.ts';
import { Json } from '../option-schemas.ts';
import { failed, measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';

/** A text that is JSON stands for its value; every other for itself. */
function valueRead(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return text;
  }
}

export default defineScorer({
  names: ['json-diff'],
  summary: 'How alike output and expected JSON are, with credit for parts that are right.',
  source:
    'autoevals JSONDiff: mean over the members of objects and the items of lists by place; texts by edit distance, numbers by 1 − |a − b| / (|a| + |b|), different kinds as texts.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: Json.optional().describe('Expected JSON; the case’s reference when absent'),
    threshold: z.number().min(0).max(1).optional().describe('Least likeness that passes; without one nothing is demanded'),
  }),
  score({ output, reference }, { value = reference ?? undefined, threshold }) {
    if (value === undefined) return unmeasured('There is nothing to compare with: no value, and the case has no reference.');
    if (output.length > 1_000_000) return failed('The output is too long to be compared.');
    const likeness = jsonLikeness(valueRead(output), typeof value === 'string' ? valueRead(value) : value);
    return measured(likeness, threshold === undefined ? null : likeness >= threshold, `Likeness ${likeness.toFixed(4)}.`);
  },
});
