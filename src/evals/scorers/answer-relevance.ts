import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { atLeast, defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages } from '../judges/prompt.ts';
import type { ReplyReader } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';
import { cosine, embedAll } from '../judges/similarity.ts';
import { failed, unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: 'You are given an answer. Write the one question that it most likely answers. Write nothing but the question.',
  sections: ['answer'],
};

const readQuestion: ReplyReader<string> = (text) =>
  text.trim() === '' ? { problem: 'it is empty' } : { value: text.trim().slice(0, 4000) };

export default defineJudgedScorer({
  names: ['answer-relevance'],
  summary: 'How like the question is to three questions that the output would answer.',
  source: 'promptfoo answer-relevance: mean cosine of 3 generated questions and the question; its threshold is 0 where none is given',
  direction: 'higher',
  needs: ['judge', 'embedder'],
  options: z.strictObject({
    threshold: z.number().default(0).describe('The score must be at least this; with 0 it hardly ever fails'),
    rubricPrompt: RubricPromptOption,
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score({ question, output }, { threshold, rubricPrompt }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it answers nothing.');
    const messages =
      rubricPrompt === undefined ? promptMessages(PROMPT, { answer: output }) : customMessages(rubricPrompt, { answer: output });
    const questions = await Promise.all([0, 1, 2].map((sample) => askJudge(tools, { messages, read: readQuestion, sample })));
    const vectors = await embedAll(tools, [question, ...questions.map(({ value }) => value)]);
    if ('problem' in vectors) return failed(vectors.problem, true);
    const [asked = [], ...generated] = vectors;
    const score = generated.reduce((sum, vector) => sum + cosine(asked, vector), 0) / generated.length;
    return atLeast(
      score,
      threshold,
      `Mean likeness ${score.toFixed(3)} of three questions such as "${questions[0]?.value.slice(0, 120) ?? ''}".`,
    );
  },
});
