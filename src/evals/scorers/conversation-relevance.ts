import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { share } from '../judges/claim-arithmetic.ts';
import { transcript, turnsOf } from '../judges/conversation.ts';
import { atLeast, defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages, templateVariables } from '../judges/prompt.ts';
import { jsonReader, ReasonField, VerdictField } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';

const PROMPT: JudgePrompt = {
  instructions: `You are given a part of a conversation. Decide whether the assistant's last message is relevant to what the user said in this part. Short or vague messages are relevant as long as they fit; an answer to another question is not.
Answer with one JSON object and nothing else: {"reason": "one sentence", "verdict": "yes" or "no"}.`,
  sections: ['conversation'],
};

const Reply = z.object({ verdict: VerdictField, reason: ReasonField });
const readReply = jsonReader(Reply, Reply);

export default defineJudgedScorer({
  names: ['conversation-relevance'],
  summary: 'Share of windows of the conversation whose last answer is relevant.',
  source:
    'promptfoo conversation-relevance, after deepeval: relevant windows / windows, sliding by one turn; its threshold is 0 where none is given',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    threshold: z.number().default(0).describe('The score must be at least this; with 0 it cannot fail'),
    windowSize: z.int().min(1).max(100).default(5).describe('Turns in a window'),
    config: z
      .strictObject({ windowSize: z.int().min(1).max(100).optional() })
      .describe('promptfoo’s place for windowSize')
      .prefault({}),
    rubricPrompt: RubricPromptOption,
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score(subject, { threshold, windowSize, config, rubricPrompt }, tools) {
    const turns = turnsOf(subject);
    const size = config.windowSize ?? windowSize;
    const windows = Array.from({ length: Math.max(1, turns.length - size + 1) }, (_, start) => turns.slice(start, start + size));
    const verdicts = await Promise.all(
      windows.map(async (window) => {
        const values = { conversation: transcript(window) };
        const messages =
          rubricPrompt === undefined
            ? promptMessages(PROMPT, values)
            : customMessages(rubricPrompt, {
                messages: window.map((turn) => ({ input: turn.user, output: turn.assistant })),
                ...values,
                ...templateVariables(subject.variables),
              });
        return (await askJudge(tools, { messages, read: readReply })).value;
      }),
    );
    const score = share(verdicts.map(({ verdict }) => verdict === 'yes')) ?? 0;
    const wrong = verdicts.find(({ verdict }) => verdict !== 'yes')?.reason ?? '';
    return atLeast(score, threshold, `${Math.round(score * windows.length)} of ${windows.length} windows are relevant. ${wrong}`.trim());
  },
});
