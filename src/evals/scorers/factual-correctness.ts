import { z } from 'zod';
import { agreementOf, fBeta, precision, recall } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, expectedAnswer, NO_REFERENCE, ThresholdOption } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, askEntailed, askList, ENTAILED, TEXT_CLAIMS, textsOf } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['factual-correctness'],
  summary: 'How far the facts of the output and those of the right answer are the same.',
  source:
    'ragas metrics/_factual_correctness.py: TP = claims of the output that follow from the reference, FP = those that do not, FN = claims of the reference that do not follow from the output; F-beta, precision or recall (ragas rounds to 2 places, this does not)',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: ThresholdOption,
    mode: z.enum(['f', 'precision', 'recall']).default('f').describe('Which of the three is the score; the others are its parts'),
    beta: z.number().positive().default(1).describe('Weight of recall in F-beta'),
  }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, TEXT_CLAIMS, ENTAILED),
  async score({ question, output, reference }, { value, threshold, mode, beta }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    if (output.trim() === '') return unmeasured('The output is empty.');
    const [answered, wanted] = await Promise.all([
      askList(tools, ANSWER_STATEMENTS, { question, answer: output }),
      askList(tools, TEXT_CLAIMS, { text: expected }),
    ]);
    const [supported, covered] = await Promise.all([
      askEntailed(tools, expected, answered),
      mode === 'precision' ? [] : askEntailed(tools, output, wanted),
    ]);
    const agreement = agreementOf(supported, covered);
    const all = {
      precision: precision(agreement),
      recall: mode === 'precision' ? null : recall(agreement),
      f: mode === 'precision' ? null : fBeta(agreement, beta),
    };
    const score = all[mode];
    if (score === null) return unmeasured(`The ${mode === 'recall' ? 'reference' : 'output'} claims nothing that could be checked.`);
    const parts = Object.entries(all).flatMap(([name, part]) => (part === null ? [] : [{ name, value: part }]));
    const { truePositives, falsePositives, falseNegatives } = agreement;
    return atLeast(score, threshold, `${truePositives} right, ${falsePositives} not in the reference, ${falseNegatives} missing.`, parts);
  },
});
