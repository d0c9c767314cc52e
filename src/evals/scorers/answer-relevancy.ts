import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { type JudgePrompt, promptMessages, promptText } from '../judges/prompt.ts';
import { jsonReader, TextField, VerdictField } from '../judges/read-reply.ts';
import { cosine, embedAll } from '../judges/similarity.ts';
import { failed, unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You are given an answer. Write the one question that it answers. Say also whether the answer is noncommittal: evasive, vague, or without content, such as "I do not know" or "I am not sure".
Answer with one JSON object and nothing else: {"question": "…", "noncommittal": "yes" or "no"}.`,
  sections: ['answer'],
};

const Generated = z.object({ question: TextField, noncommittal: VerdictField.refine((verdict) => verdict !== 'idk') });
const readGenerated = jsonReader(Generated, Generated);

/** Mean likeness of the generated questions and the asked one; 0 when every one of them says that the answer is noncommittal. */
export function answerRelevancy(likenesses: readonly number[], noncommittal: readonly boolean[]): number | null {
  if (likenesses.length === 0) return null;
  return noncommittal.every(Boolean) ? 0 : likenesses.reduce((sum, likeness) => sum + likeness, 0) / likenesses.length;
}

export default defineJudgedScorer({
  names: ['answer-relevancy'],
  summary: 'How like the question is to the questions that the output would answer; 0 for an evasive output.',
  source: 'ragas metrics/_answer_relevance.py: mean cosine of 3 generated questions and the question × (0 if all are noncommittal)',
  direction: 'higher',
  needs: ['judge', 'embedder'],
  options: z.strictObject({
    threshold: ThresholdOption,
    questions: z.int().min(1).max(20).default(3).describe('Questions that are generated'),
  }),
  judgePrompts: () => [promptText(PROMPT)],
  async score({ question, output }, { threshold, questions }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it answers nothing.');
    const messages = promptMessages(PROMPT, { answer: output });
    const generated = await Promise.all(
      Array.from({ length: questions }, (_, sample) => askJudge(tools, { messages, read: readGenerated, sample, temperature: 0.3 })),
    );
    const vectors = await embedAll(tools, [question, ...generated.map(({ value }) => value.question)]);
    if ('problem' in vectors) return failed(vectors.problem, true);
    const [asked = [], ...others] = vectors;
    const evasive = generated.map(({ value }) => value.noncommittal === 'yes');
    const score = answerRelevancy(
      others.map((vector) => cosine(asked, vector)),
      evasive,
    );
    if (score === null) return unmeasured('No question was generated.');
    const reason = evasive.every(Boolean)
      ? 'The output is noncommittal.'
      : `Likeness of ${questions} questions such as "${generated[0]?.value.question.slice(0, 120) ?? ''}".`;
    return atLeast(score, threshold, reason);
  },
});
