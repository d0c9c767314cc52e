import { z } from 'zod';
import { agreementOf, answerCorrectness, statementF1 } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, expectedAnswer, NO_REFERENCE, ThresholdOption } from '../judges/judged-scorer.ts';
import { cosine, embedAll } from '../judges/similarity.ts';
import { ANSWER_STATEMENTS, askEntailed, askList, ENTAILED, TEXT_CLAIMS, textsOf } from '../judges/statements.ts';
import { failed, unmeasured } from '../score.ts';

const Weight = z.number().min(0).max(1);

export default defineJudgedScorer({
  names: ['answer-correctness'],
  summary: 'Facts in common with the right answer, and likeness to it.',
  source: 'ragas metrics/_answer_correctness.py: 0.75 · F1 of the statements + 0.25 · cosine of output and reference',
  direction: 'higher',
  needs: ['judge', 'embedder'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: ThresholdOption,
    weights: z
      .tuple([Weight, Weight])
      .refine(([facts, likeness]) => facts + likeness > 0, 'One weight must be above 0')
      .default([0.75, 0.25])
      .describe('Weights of the facts and of the likeness'),
  }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, TEXT_CLAIMS, ENTAILED),
  async score({ question, output, reference }, { value, threshold, weights }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    if (output.trim() === '') return unmeasured('The output is empty.');
    const [answered, wanted] = await Promise.all([
      askList(tools, ANSWER_STATEMENTS, { question, answer: output }),
      askList(tools, TEXT_CLAIMS, { text: expected }),
    ]);
    const [supported, covered] = await Promise.all([askEntailed(tools, expected, answered), askEntailed(tools, output, wanted)]);
    const f1 = statementF1(agreementOf(supported, covered));
    if (f1 === null) return unmeasured('Neither the output nor the reference claims anything that could be checked.');
    const vectors = await embedAll(tools, [output, expected]);
    if ('problem' in vectors) return failed(vectors.problem, true);
    const similarity = cosine(vectors[0] ?? [], vectors[1] ?? []);
    const parts = [
      { name: 'f1', value: f1 },
      { name: 'similarity', value: similarity },
    ];
    return atLeast(
      answerCorrectness(f1, similarity, weights),
      threshold,
      `F1 of the statements ${f1.toFixed(3)}, likeness ${similarity.toFixed(3)}.`,
      parts,
    );
  },
});
