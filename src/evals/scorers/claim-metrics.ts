import { z } from 'zod';
import { claimMetrics } from '../judges/claim-arithmetic.ts';
import { judgeClaims } from '../judges/entailment.ts';
import { atLeast, defineJudgedScorer, expectedAnswer, NO_REFERENCE, ThresholdOption } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, ENTAILED, TEXT_CLAIMS, textsOf } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['claim-metrics'],
  summary: 'RAGChecker’s metrics of claims: precision, recall and F1, of the retriever and of the generator, each a part of the score.',
  source: 'Ru et al. 2024, arXiv 2408.08067, computation.py; precision + noise sensitivities + hallucination = 1',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: ThresholdOption,
    metric: z
      .enum(['precision', 'recall', 'f1', 'claim_recall', 'context_precision', 'context_utilization', 'self_knowledge', 'faithfulness'])
      .default('f1')
      .describe('Which of them is the score; those of which less is better are only parts'),
  }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, TEXT_CLAIMS, ENTAILED),
  async score({ question, output, reference, contexts }, { value, threshold, metric }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    if (output.trim() === '') return unmeasured('The output is empty.');
    const judged = await judgeClaims(tools, question, output, expected, contexts ?? []);
    const parts = claimMetrics(judged, judged.referenceCovered);
    const score = parts.find(({ name }) => name === metric)?.value;
    if (score === undefined) return unmeasured(`There are no claims to tell ${metric} from.`);
    const all = parts.map((part) => `${part.name} ${part.value.toFixed(3)}`).join(', ');
    return atLeast(score, threshold, `${all}.`, parts);
  },
});
