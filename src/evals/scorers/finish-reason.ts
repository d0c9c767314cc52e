import { z } from 'zod';
import { verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

export default defineScorer({
  names: ['finish-reason'],
  summary: 'The model stopped for this reason: `stop`, `length`, `tool_calls`, `content_filter` and others.',
  source: 'promptfoo. In capitals or not; a run without a reason does not pass.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({ value: z.string().min(1).describe('The reason') }),
  score({ finishReason }, { value }) {
    const passed = finishReason?.toLowerCase() === value.toLowerCase();
    return verdict(passed, finishReason === null ? 'The provider gave no reason.' : `Stopped for ${JSON.stringify(finishReason)}.`);
  },
});
