import { z } from 'zod';
import { measured, type Score, unmeasured } from '../score.ts';
import type { ScoringTools } from '../scorer.ts';
import { askJudge } from './ask.ts';
import { averagePrecision } from './claim-arithmetic.ts';
import { type JudgePrompt, promptMessages } from './prompt.ts';
import { jsonReader, ReasonField, VerdictField } from './read-reply.ts';

export const USEFUL: JudgePrompt = {
  instructions: `You are given a question, an answer to it, and one passage. Decide whether the passage was useful for arriving at this answer: "yes" when it holds something that the answer says or needs, "no" when not.
Answer with one JSON object and nothing else: {"reason": "one sentence", "verdict": "yes" or "no"}.`,
  sections: ['question', 'answer', 'passage'],
};

const Reply = z.object({ verdict: VerdictField, reason: ReasonField });
const readReply = jsonReader(Reply, Reply);

export interface PassageOptions {
  readonly threshold?: number | undefined;
  /** Votes for each passage; the majority counts, a tie is "no". */
  readonly votes: number;
}

/** Average precision of the passages in rank order, each judged by itself. */
export async function scorePassages(
  tools: ScoringTools,
  question: string,
  answer: string,
  passages: readonly string[],
  { threshold, votes }: PassageOptions,
): Promise<Score> {
  const useful = await Promise.all(
    passages.map(async (passage) => {
      const messages = promptMessages(USEFUL, { question, answer, passage });
      const all = await Promise.all(
        Array.from({ length: votes }, (_, sample) =>
          askJudge(tools, { messages, read: readReply, ...(votes > 1 ? { sample, temperature: 1 } : {}) }),
        ),
      );
      return all.filter(({ value }) => value.verdict === 'yes').length > votes / 2;
    }),
  );
  const score = averagePrecision(useful);
  if (score === null) return unmeasured('There are no passages.');
  const ranks = useful.flatMap((isUseful, index) => (isUseful ? [index + 1] : []));
  const reason =
    ranks.length === 0 ? 'No passage is useful.' : `Useful are the passages at ranks ${ranks.join(', ')} of ${passages.length}.`;
  // A perfect score is 1 − 1e-10 by ragas' formula.
  return measured(score, threshold === undefined ? null : score >= threshold - 1e-9, reason);
}
