import { z } from 'zod';
import { defineJudgedScorer, expectedAnswer, NO_REFERENCE, ThresholdOption } from '../judges/judged-scorer.ts';
import { textsOf } from '../judges/statements.ts';
import { scorePassages, USEFUL } from '../judges/useful-passages.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['context-precision', 'context-precision-with-reference'],
  summary: 'Whether the passages that lead to the right answer are ranked first.',
  source: 'ragas metrics/_context_precision.py: Σ_k v_k · (useful among the first k) / k / (Σ v + 1e-10), usefulness for the reference',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: ThresholdOption,
    votes: z.int().min(1).max(15).default(1).describe('Votes of the judge for each passage; the majority counts'),
  }),
  judgePrompts: () => textsOf(USEFUL),
  score({ question, reference, contexts }, { value, ...options }, tools) {
    const answer = expectedAnswer(value, reference);
    if (answer === null) return unmeasured(NO_REFERENCE);
    return scorePassages(tools, question, answer, contexts ?? [], options);
  },
});
