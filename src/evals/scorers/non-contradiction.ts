import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, askList, askVerdicts, NOT_CONTRADICTED, named, textsOf } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['non-contradiction'],
  summary:
    'Share of the output’s statements that the contexts do not contradict. Not faithfulness: what the contexts are silent about counts as good.',
  source: 'deepeval metrics/faithfulness: claims whose verdict is not "no" / claims; with penalizeAmbiguous only "yes" counts',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    threshold: ThresholdOption,
    penalizeAmbiguous: z.boolean().default(false).describe('Count what the contexts are silent about as bad'),
  }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, NOT_CONTRADICTED),
  async score({ question, output, contexts }, { threshold, penalizeAmbiguous }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it states nothing.');
    const statements = await askList(tools, ANSWER_STATEMENTS, { question, answer: output });
    const verdicts = await askVerdicts(tools, NOT_CONTRADICTED, { source: (contexts ?? []).join('\n') }, statements);
    const score = share(verdicts.map(({ verdict }) => (penalizeAmbiguous ? verdict === 'yes' : verdict !== 'no')));
    if (score === null) return unmeasured('The output states nothing that could be checked.');
    const count = verdicts.filter(({ verdict }) => verdict === 'no').length;
    return atLeast(
      score,
      threshold,
      `${count} of ${statements.length} statements are contradicted by the contexts${named(statements, verdicts, 'no')}.`,
    );
  },
});
