import { z } from 'zod';
import { measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';

export default defineScorer({
  names: ['latency'],
  summary: 'The answer took at most this long.',
  source: 'promptfoo. Value 1 or 0, part `latencyMs`. Not measured for an answer from a cache (there: an error).',
  direction: 'higher',
  needs: ['latency'],
  options: z.strictObject({ threshold: z.number().min(0).describe('Longest time that passes, milliseconds') }),
  score({ latencyMs }, { threshold }) {
    if (latencyMs === null) return unmeasured('The time of the run is not known.');
    const passed = latencyMs <= threshold;
    return measured(passed ? 1 : 0, passed, `${latencyMs} ms, allowed ${threshold} ms.`, [{ name: 'latencyMs', value: latencyMs }]);
  },
});
