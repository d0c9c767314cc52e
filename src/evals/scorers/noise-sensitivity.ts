import { z } from 'zod';
import { noiseSensitivity } from '../judges/claim-arithmetic.ts';
import { judgeClaims } from '../judges/entailment.ts';
import { atMost, defineJudgedScorer, expectedAnswer, MaximumOption, NO_REFERENCE } from '../judges/judged-scorer.ts';
import { ANSWER_STATEMENTS, ENTAILED, TEXT_CLAIMS, textsOf } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

export default defineJudgedScorer({
  names: ['noise-sensitivity'],
  summary: 'Share of the output’s claims that are wrong and come from relevant (or from irrelevant) passages.',
  source: 'ragas metrics/_noise_sensitivity.py; a passage is relevant when it entails a claim of the reference',
  direction: 'lower',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: MaximumOption,
    mode: z.enum(['relevant', 'irrelevant']).default('relevant').describe('Which of the two is the score; both are its parts'),
  }),
  judgePrompts: () => textsOf(ANSWER_STATEMENTS, TEXT_CLAIMS, ENTAILED),
  async score({ question, output, reference, contexts }, { value, threshold, mode }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    if (output.trim() === '') return unmeasured('The output is empty.');
    const noise = noiseSensitivity(await judgeClaims(tools, question, output, expected, contexts ?? []));
    if (noise === null) return unmeasured('The output claims nothing that could be checked.');
    const parts = Object.entries(noise).map(([name, part]) => ({ name, value: part }));
    return atMost(
      noise[mode],
      threshold,
      `Wrong claims from relevant passages ${noise.relevant.toFixed(3)}, from irrelevant ones ${noise.irrelevant.toFixed(3)}.`,
      parts,
    );
  },
});
