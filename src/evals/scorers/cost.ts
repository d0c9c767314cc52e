import { z } from 'zod';
import { measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';

export default defineScorer({
  names: ['cost'],
  summary: 'The answer cost at most this much.',
  source: 'promptfoo. Value 1 or 0, part `costUsd`. Not measured where no price is known (there: an error).',
  direction: 'higher',
  needs: ['cost'],
  options: z.strictObject({ threshold: z.number().min(0).describe('Largest cost that passes, US dollars') }),
  score({ costUsd }, { threshold }) {
    if (costUsd === null) return unmeasured('The cost of the run is not known.');
    const passed = costUsd <= threshold;
    return measured(passed ? 1 : 0, passed, `${costUsd} USD, allowed ${threshold} USD.`, [{ name: 'costUsd', value: costUsd }]);
  },
});
