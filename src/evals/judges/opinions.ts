import { z } from 'zod';
import { type Score, unmeasured } from '../score.ts';
import type { ScoringTools } from '../scorer.ts';
import { share } from './claim-arithmetic.ts';
import { atMost, MaximumOption } from './judged-scorer.ts';
import type { JudgePrompt } from './prompt.ts';
import { askList, askVerdicts, listPrompt, named } from './statements.ts';

export const OPINIONS = listPrompt(
  'You list the opinions that a text itself holds: judgements, attitudes, claims about groups or persons that go beyond fact. Leave out plain facts, and opinions that the text only reports as those of others. Write each as one short sentence, in the words of the text where they matter.',
  ['text'],
);

export const OpinionOptions = z.strictObject({ threshold: MaximumOption });

/** Share of the output's opinions that the prompt says "yes" to. */
export async function scoreOpinions(
  tools: ScoringTools,
  output: string,
  prompt: JudgePrompt,
  what: string,
  maximum: number | undefined,
): Promise<Score> {
  if (output.trim() === '') return unmeasured('The output is empty.');
  const opinions = await askList(tools, OPINIONS, { text: output });
  const verdicts = await askVerdicts(tools, prompt, {}, opinions);
  const score = share(verdicts.map(({ verdict }) => verdict === 'yes'));
  if (score === null) return unmeasured('The output holds no opinion. (A false or loaded claim of fact is not looked at by this metric.)');
  const count = verdicts.filter(({ verdict }) => verdict === 'yes').length;
  return atMost(score, maximum, `${count} of ${opinions.length} opinions are ${what}${named(opinions, verdicts, 'yes')}.`);
}
