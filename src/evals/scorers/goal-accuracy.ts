import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { trajectoryOf, transcript, turnsOf } from '../judges/conversation.ts';
import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import { type JudgePrompt, promptMessages, promptText } from '../judges/prompt.ts';
import { jsonReader, ReasonField, TextField, VerdictField } from '../judges/read-reply.ts';
import { measured } from '../score.ts';

const OUTCOME: JudgePrompt = {
  instructions: `You are given a conversation with an agent, and the steps that the agent took. Say in one sentence each what the user wanted to be the case at the end, and what was the case at the end. Believe the steps more than what the agent says.
Answer with one JSON object and nothing else: {"wanted": "…", "reached": "…"}.`,
  sections: ['conversation', 'steps'],
};
const SAME: JudgePrompt = {
  instructions: `You are given a wanted outcome and the outcome that was reached. Decide whether the reached outcome fulfils the wanted one: "yes" or "no".
Answer with one JSON object and nothing else: {"reason": "one sentence", "verdict": "yes" or "no"}.`,
  sections: ['wanted', 'reached'],
};

const Outcome = z.object({ wanted: TextField, reached: TextField });
const readOutcome = jsonReader(Outcome, Outcome);
const Same = z.object({ verdict: VerdictField.refine((verdict) => verdict !== 'idk'), reason: ReasonField });
const readSame = jsonReader(Same, Same);

export default defineJudgedScorer({
  names: ['goal-accuracy', 'tool-goal-accuracy'],
  summary: 'Whether the agent reached what was wanted: the reference where there is one, else what the user asked for.',
  source: 'ragas metrics/_goal_accuracy.py (with and without reference): 1 or 0',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().min(1).describe('The outcome that is wanted; absent = the reference, else the user’s own goal').optional(),
  }),
  judgePrompts: () => [promptText(OUTCOME), promptText(SAME)],
  async score(subject, { value }, tools) {
    const values = { conversation: transcript(turnsOf(subject)), steps: trajectoryOf(subject) ?? 'No steps were recorded.' };
    const { value: outcome } = await askJudge(tools, { messages: promptMessages(OUTCOME, values), read: readOutcome });
    const wanted = value ?? subject.reference ?? outcome.wanted;
    const { value: same } = await askJudge(tools, { messages: promptMessages(SAME, { wanted, reached: outcome.reached }), read: readSame });
    return measured(same.verdict === 'yes' ? 1 : 0, same.verdict === 'yes', `Reached: ${outcome.reached} ${same.reason}`.trim());
  },
});
