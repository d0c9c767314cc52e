import { z } from 'zod';
import { measured, type Score } from '../score.ts';
import type { ScoringTools, Subject } from '../scorer.ts';
import { askJudge } from './ask.ts';
import { RubricPromptOption } from './judged-scorer.ts';
import { majorityVote } from './pairwise.ts';
import { customMessages, type JudgePrompt, promptMessages, promptText, templateVariables } from './prompt.ts';
import { jsonReader, NumberField, ReasonField, readVerdict } from './read-reply.ts';

/** `pass`, `score` and `reason` from a judge that holds an output against a text of demands. */

/** An odd number cannot be split evenly. */
export const VotesOption = z
  .int()
  .min(1)
  .max(15)
  .refine((votes) => votes % 2 === 1, 'an odd number of votes, so that one side has more')
  .default(1)
  .describe('How often the judge is asked; the majority’s verdict counts, and the mean of the scores');

export const RubricOptions = z
  .strictObject({
    value: z
      .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())])
      .default('')
      .describe('What the output must be or do; may be absent where the rubric prompt says it'),
    threshold: z.number().describe('The score must also be at least this; absent = the judge’s own verdict decides').optional(),
    rubricPrompt: RubricPromptOption,
    votes: VotesOption,
  })
  .refine(({ value, rubricPrompt }) => value !== '' || rubricPrompt !== undefined, { path: ['value'], message: 'a rubric is needed' });

export const RUBRIC_FORM =
  'Answer with one JSON object and nothing else: {"reason": "one or two sentences", "pass": true or false, "score": a number from 0.0 (not met at all) to 1.0 (met in full)}.';

const Pass = z.unknown().transform((value) => readVerdict(value));
/** Rubrics may have scales of their own; a number beyond any of them is a slip, and would drown all others in a mean. */
const RubricScore = NumberField.refine((score) => Math.abs(score) <= 1000);
const Whole = z
  .object({ pass: Pass.optional(), score: RubricScore.nullable().catch(null).optional(), reason: ReasonField })
  // With neither there is no verdict, whatever promptfoo makes of it.
  .refine(({ pass, score }) => (pass !== undefined && pass !== null) || typeof score === 'number');
const Cut = z.object({ pass: Pass.refine((pass) => pass !== null), score: RubricScore, reason: ReasonField });
const readRubric = jsonReader(Whole, Cut);

/**
 * As promptfoo counts: without a score the verdict is the score; without a verdict the output passes unless a threshold is given and not reached.
 * @param values what the prompt's sections are filled with; a user's own prompt has the case's variables besides
 */
export async function scoreRubric(
  tools: ScoringTools,
  prompt: JudgePrompt,
  values: Readonly<Record<string, string>>,
  variables: Subject['variables'],
  options: { readonly threshold?: number | undefined; readonly rubricPrompt?: string | undefined; readonly votes: number },
): Promise<Score> {
  const { threshold, rubricPrompt, votes } = options;
  const messages =
    rubricPrompt === undefined
      ? promptMessages(prompt, values)
      : customMessages(rubricPrompt, { ...templateVariables(variables), ...values });
  const answers = await Promise.all(
    Array.from({ length: votes }, (_, sample) =>
      askJudge(tools, { messages, read: readRubric, ...(votes > 1 ? { sample, temperature: 1 } : {}) }),
    ),
  );
  const isMet = answers.map(({ value }) => (value.pass ?? 'yes') === 'yes');
  const scores = answers.map(({ value }, index) => (typeof value.score === 'number' ? value.score : isMet[index] ? 1 : 0));
  const vote = majorityVote(isMet);
  const isPassed = vote?.choice ?? false;
  const score = scores.reduce((sum, one) => sum + one, 0) / votes;
  const reaches = threshold === undefined || score >= threshold;
  const limit = reaches ? '' : ` The score ${score} is below the threshold ${threshold}.`;
  const said = answers.find((_, index) => isMet[index] === isPassed)?.value.reason;
  const consistency = vote?.consistency ?? 1;
  const split = consistency === 1 ? '' : ` ${Math.round(consistency * votes)} of ${votes} votes.`;
  const reason = `${said || (isPassed ? 'The judge says that it is met.' : 'The judge says that it is not met.')}${split}${limit}`;
  return measured(score, isPassed && reaches, reason, votes === 1 ? undefined : [{ name: 'consistency', value: consistency }]);
}

export function rubricTexts(prompt: JudgePrompt, rubricPrompt: string | undefined): readonly string[] {
  return [rubricPrompt ?? promptText(prompt)];
}

export function rubricText(value: z.infer<typeof RubricOptions>['value']): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
