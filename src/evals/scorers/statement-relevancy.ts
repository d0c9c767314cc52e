import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, askList, askVerdicts, named, textsOf, verdictPrompt } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const RELEVANT = verdictPrompt(
  'You are given a question and numbered statements of an answer. For each decide whether it helps to answer the question: "yes"; "no" when it has nothing to do with it; "idk" when it only supports or surrounds the answer.',
  ['question', 'statements'],
);

export default defineJudgedScorer({
  names: ['statement-relevancy'],
  summary: 'Share of the output’s statements that are not beside the question.',
  source: 'deepeval metrics/answer_relevancy: statements whose verdict is not "no" / statements',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({ threshold: ThresholdOption }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, RELEVANT),
  async score({ question, output }, { threshold }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it states nothing.');
    const statements = await askList(tools, ANSWER_STATEMENTS, { question, answer: output });
    const verdicts = await askVerdicts(tools, RELEVANT, { question }, statements);
    const score = share(verdicts.map(({ verdict }) => verdict !== 'no'));
    if (score === null) return unmeasured('The output states nothing.');
    return atLeast(
      score,
      threshold,
      `${verdicts.filter(({ verdict }) => verdict === 'no').length} of ${statements.length} statements are beside the question${named(statements, verdicts, 'no')}.`,
    );
  },
});
