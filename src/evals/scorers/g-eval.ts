import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { askJudge, type JudgeAnswer } from '../judges/ask.ts';
import { scaledScore, weightedScore } from '../judges/g-eval-score.ts';
import { defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages, promptText } from '../judges/prompt.ts';
import { jsonReader, NumberField, ReasonField, TextField } from '../judges/read-reply.ts';
import { measured } from '../score.ts';
import type { ScoringTools } from '../scorer.ts';

const LOWEST = 0;
const HIGHEST = 10;

const STEPS: JudgePrompt = {
  instructions: `You are given criteria by which outputs will be judged. Write three or four short steps that a judge can follow, one after the other, to come to a score. Name what to look at and what costs points; do not judge anything yet.
Answer with one JSON object and nothing else: {"steps": ["…", "…", "…"]}.`,
  sections: ['criteria'],
};
const EVALUATE: JudgePrompt = {
  instructions: `You judge an output by criteria. Follow the steps one after the other. The score is a whole number from ${LOWEST} (fails the criteria wholly) to ${HIGHEST} (meets them wholly).
Answer with one JSON object and nothing else: {"reason": "one or two sentences", "score": a whole number}.`,
  sections: ['criteria', 'steps', 'input', 'output'],
};

const readSteps = jsonReader(z.object({ steps: z.array(TextField).min(1) }));
const Evaluation = z.object({ score: NumberField.refine((score) => score >= LOWEST && score <= HIGHEST), reason: ReasonField });
const readEvaluation = jsonReader(Evaluation, Evaluation);

export default defineJudgedScorer({
  names: ['g-eval'],
  summary: 'A judge makes steps from criteria, follows them and gives a score, weighted by how sure it was.',
  source: `Liu et al. 2023, arXiv 2303.16634: mean of the scores at the last score token, weighted by their probabilities (below 1 % dropped); without log-probabilities the mean of several samples. From ${LOWEST}–${HIGHEST} to 0–1. promptfoo takes one sample`,
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).describe('Criteria; of several the mean score counts'),
    threshold: z.number().default(0.7).describe('The score must be at least this'),
    steps: z.array(z.string().min(1)).min(1).describe('Steps for the judge; absent = the judge makes them from the criteria').optional(),
    samples: z.int().min(1).max(50).default(5).describe('How often the judge is asked where it gives no log-probabilities'),
    rubricPrompt: z
      .strictObject({ steps: RubricPromptOption, evaluate: RubricPromptOption })
      .describe('Your own prompts for the two steps')
      .prefault({}),
  }),
  judgePrompts: ({ rubricPrompt }) => [rubricPrompt.steps ?? promptText(STEPS), rubricPrompt.evaluate ?? promptText(EVALUATE)],
  async score({ question, output }, { value, threshold, steps, samples, rubricPrompt }, tools) {
    const scores: number[] = [];
    const reasons: string[] = [];
    for (const criteria of typeof value === 'string' ? [value] : value) {
      const followed = steps ?? (await stepsFor(tools, criteria, rubricPrompt.steps));
      const values = { criteria, steps: followed.join('\n- '), input: question, output, maxScore: String(HIGHEST) };
      const messages =
        rubricPrompt.evaluate === undefined ? promptMessages(EVALUATE, values) : customMessages(rubricPrompt.evaluate, values);
      const { score, reason } = await evaluate(tools, messages, samples);
      scores.push(scaledScore(score, LOWEST, HIGHEST));
      reasons.push(reason);
    }
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return measured(mean, mean >= threshold, reasons.join('\n\n'));
  },
});

async function stepsFor(tools: ScoringTools, criteria: string, custom: string | undefined): Promise<readonly string[]> {
  const messages = custom === undefined ? promptMessages(STEPS, { criteria }) : customMessages(custom, { criteria });
  return (await askJudge(tools, { messages, read: readSteps })).value.steps;
}

/** With log-probabilities; where the model refuses a request that asks for them, without. */
async function askFirst(
  tools: ScoringTools,
  messages: ReturnType<typeof promptMessages>,
): Promise<JudgeAnswer<z.infer<typeof Evaluation>>> {
  try {
    return await askJudge(tools, { messages, read: readEvaluation, wantsLogProbabilities: true });
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.retryable) throw error;
    return askJudge(tools, { messages, read: readEvaluation });
  }
}

async function evaluate(
  tools: ScoringTools,
  messages: ReturnType<typeof promptMessages>,
  samples: number,
): Promise<{ score: number; reason: string }> {
  const first = await askFirst(tools, messages);
  const { score, reason } = first.value;
  const weighted = first.reply.tokens === null ? null : weightedScore(score, first.reply.tokens, LOWEST, HIGHEST);
  if (weighted !== null) return { score: weighted, reason: reason || `Weighted by probability: ${weighted.toFixed(2)} of ${HIGHEST}.` };
  const further = await Promise.all(
    Array.from({ length: samples - 1 }, (_, index) =>
      askJudge(tools, { messages, read: readEvaluation, temperature: 1, sample: index + 1 }),
    ),
  );
  const all = [score, ...further.map(({ value }) => value.score)];
  return { score: all.reduce((sum, one) => sum + one, 0) / all.length, reason: reason || `Mean of ${all.length} samples.` };
}
