import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { atMost, defineJudgedScorer, MaximumOption } from '../judges/judged-scorer.ts';
import { askVerdicts, textsOf, verdictPrompt } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const AGREES = verdictPrompt(
  'You are given an output and numbered contexts. For each context decide whether the output agrees with it: "no" only when the output says something that cannot be true together with the context; otherwise "yes", also when the output leaves out what the context says or the two have nothing to do with each other. Use nothing that you know from elsewhere.',
  ['output', 'contexts'],
);

export default defineJudgedScorer({
  names: ['hallucination'],
  summary: 'Share of the contexts that the output contradicts; less is better.',
  source: 'deepeval metrics/hallucination: one verdict per context; contradicted contexts / contexts',
  direction: 'lower',
  needs: ['contexts', 'judge'],
  options: z.strictObject({ threshold: MaximumOption }),
  judgePrompts: () => textsOf(AGREES),
  async score({ output, contexts }, { threshold }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it contradicts nothing.');
    const verdicts = await askVerdicts(tools, AGREES, { output }, contexts ?? []);
    const score = share(verdicts.map(({ verdict }) => verdict === 'no'));
    if (score === null) return unmeasured('There are no contexts.');
    const contradicted = verdicts.flatMap(({ verdict }, index) => (verdict === 'no' ? [index + 1] : []));
    return atMost(
      score,
      threshold,
      contradicted.length === 0
        ? 'No context is contradicted.'
        : `Contradicted: contexts ${contradicted.join(', ')} of ${verdicts.length}.`,
    );
  },
});
