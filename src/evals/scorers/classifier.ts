import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import { type JudgePrompt, promptMessages, promptText } from '../judges/prompt.ts';
import { jsonReader, NumberField } from '../judges/read-reply.ts';
import { measured, unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You classify a text. For each of the numbered labels give the probability, from 0 to 1, that it is the right one.
Answer with one JSON object and nothing else: {"probabilities": [0.9, 0.1]}, one number for each label, in order.`,
  sections: ['labels', 'text'],
};

export default defineJudgedScorer({
  names: ['classifier'],
  summary: 'Probability of a label for the output, from the judge.',
  source:
    'promptfoo classifier: the label’s score, without a label the largest, ≥ threshold (1). promptfoo asks a classification model of Hugging Face',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().describe('The label that is expected; absent = any').optional(),
    threshold: z.number().default(1).describe('The probability must be at least this'),
    labels: z.array(z.string().min(1)).min(2).describe('All labels that the judge chooses from').optional(),
  }),
  judgePrompts: () => [promptText(PROMPT)],
  async score({ output }, { value: expected, threshold, labels }, tools) {
    if (labels === undefined)
      return unmeasured('No classification model can be reached through the gateway. Name the `labels`, and the judge classifies.');
    const place = expected === undefined ? null : labels.indexOf(expected);
    if (place === -1) return unmeasured(`"${expected}" is none of the labels ${labels.join(', ')}.`);
    const Probability = NumberField.refine((probability) => probability >= 0 && probability <= 1);
    const read = jsonReader(z.object({ probabilities: z.array(Probability).length(labels.length) }));
    const list = labels.map((label, index) => `${index + 1}. ${label}`).join('\n');
    const { value } = await askJudge(tools, { messages: promptMessages(PROMPT, { labels: list, text: output }), read });
    const score = place === null ? Math.max(...value.probabilities) : (value.probabilities[place] ?? 0);
    return measured(score, score >= threshold - Number.EPSILON, `${expected ?? 'The likeliest label'} has probability ${score}.`);
  },
});
