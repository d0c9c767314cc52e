import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, askList, askVerdicts, ENTAILED, named, textsOf } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['faithfulness'],
  summary: 'Share of the output’s statements that follow from the contexts (entailment).',
  source: 'ragas metrics/_faithfulness.py: statements directly inferable from the contexts / statements',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({ threshold: ThresholdOption }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, ENTAILED),
  async score({ question, output, contexts }, { threshold }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it states nothing.');
    const statements = await askList(tools, ANSWER_STATEMENTS, { question, answer: output });
    const verdicts = await askVerdicts(tools, ENTAILED, { source: (contexts ?? []).join('\n') }, statements);
    const supported = verdicts.map(({ verdict }) => verdict === 'yes');
    const score = share(supported);
    if (score === null) return unmeasured('The output states nothing that could be checked.');
    const count = supported.filter((isSupported) => !isSupported).length;
    return atLeast(
      score,
      threshold,
      `${count} of ${statements.length} statements do not follow from the contexts${named(statements, verdicts, 'no')}.`,
    );
  },
});
