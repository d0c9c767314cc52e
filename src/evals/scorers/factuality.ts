import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { defineJudgedScorer, expectedAnswer, NO_REFERENCE, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages, templateVariables } from '../judges/prompt.ts';
import { jsonReader, ReasonField, type ReplyReader } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';
import { measured, unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You compare the facts of a submitted answer with those of an expert answer to the same question. Wording, order, style and punctuation do not matter. Choose the one category that fits:
A: the submission says less than the expert answer, and all of it agrees.
B: the submission says more than the expert answer, and all that both say agrees.
C: both say the same.
D: they contradict each other in some fact.
E: they differ, but in nothing that matters for the facts.
Answer with one JSON object and nothing else: {"reason": "one or two sentences", "category": "A"}.`,
  sections: ['question', 'expert_answer', 'submitted_answer'],
};

const CATEGORIES = { A: 'subset', B: 'superset', C: 'agree', D: 'disagree', E: 'differButFactual' } as const;
const Category = z
  .string()
  .trim()
  .toUpperCase()
  .pipe(z.enum(['A', 'B', 'C', 'D', 'E']));
type Answer = { readonly category: z.infer<typeof Category>; readonly reason: string };
const readJson = jsonReader<Answer>(
  z.object({ category: Category, reason: ReasonField }),
  z.object({ category: Category, reason: ReasonField }),
);

/** Also the older form, `(A) because …`. */
const readCategory: ReplyReader<Answer> = (text) => {
  const reading = readJson(text);
  const letter = /^\s*\(?([A-E])\)\s*(.*)/is.exec(text.slice(0, 4000));
  const category = Category.safeParse(letter?.[1]);
  return 'problem' in reading && category.success ? { value: { category: category.data, reason: letter?.[2]?.trim() ?? '' } } : reading;
};

const weight = (what: string, value: number) => z.number().min(0).max(1).default(value).describe(`Score when the answer ${what}`);

export default defineJudgedScorer({
  names: ['factuality', 'model-graded-factuality'],
  summary:
    'A judge says how the facts of the output stand to those of the right answer: less, more, the same, a contradiction, or another wording.',
  source: 'promptfoo factuality, after OpenAI evals "fact": passes with every category whose score is above 0',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    rubricPrompt: RubricPromptOption,
    factuality: z
      .strictObject({
        subset: weight('says less and agrees (A)', 1),
        superset: weight('says more and agrees (B)', 1),
        agree: weight('says the same (C)', 1),
        disagree: weight('contradicts (D)', 0),
        differButFactual: weight('differs in nothing that matters (E)', 1),
      })
      .describe('Score of each category')
      .prefault({}),
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score({ question, output, reference, variables }, { value, rubricPrompt, factuality }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    const messages =
      rubricPrompt === undefined
        ? promptMessages(PROMPT, { question, expert_answer: expected, submitted_answer: output })
        : customMessages(rubricPrompt, { input: question, ideal: expected, completion: output, ...templateVariables(variables) });
    const { value: answer } = await askJudge(tools, { messages, read: readCategory });
    const score = factuality[CATEGORIES[answer.category]];
    return measured(score, score > 0, `Category ${answer.category} (${CATEGORIES[answer.category]}). ${answer.reason}`.trim());
  },
});
