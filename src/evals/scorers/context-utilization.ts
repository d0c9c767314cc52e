import { z } from 'zod';
import { defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { textsOf } from '../judges/statements.ts';
import { scorePassages, USEFUL } from '../judges/useful-passages.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['context-utilization', 'context-precision-without-reference'],
  summary: 'Whether the passages that lead to the given output are ranked first.',
  source:
    'ragas metrics/_context_precision.py: as context-precision, but usefulness for the output. Not RAGChecker’s context_utilization, which is a part of claim-metrics',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    threshold: ThresholdOption,
    votes: z.int().min(1).max(15).default(1).describe('Votes of the judge for each passage; the majority counts'),
  }),
  judgePrompts: () => textsOf(USEFUL),
  score({ question, output, contexts }, options, tools) {
    const answer = output;
    if (answer.trim() === '') return unmeasured('The output is empty.');
    return scorePassages(tools, question, answer, contexts ?? [], options);
  },
});
