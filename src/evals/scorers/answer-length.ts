import { z } from 'zod';
import { measured } from '../score.ts';
import { defineScorer } from '../scorer.ts';

export default defineScorer({
  names: ['answer-length'],
  summary: 'The output’s length in characters, to see whether answers grow or shrink; it says nothing of what is better.',
  source: 'Ours. Characters as people count them would need a segmenter; these are Unicode code points.',
  direction: 'lower',
  needs: [],
  options: z.strictObject({
    min: z.number().int().min(0).optional().describe('Least length that passes'),
    max: z.number().int().min(0).optional().describe('Largest length that passes'),
  }),
  score({ output }, { min, max }) {
    let characters = 0;
    for (let at = 0; at < output.length; at += (output.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) characters++;
    const isFree = min === undefined && max === undefined;
    const passed = characters >= (min ?? 0) && characters <= (max ?? Number.POSITIVE_INFINITY);
    return measured(characters, isFree ? null : passed, `${characters} characters.`);
  },
});
