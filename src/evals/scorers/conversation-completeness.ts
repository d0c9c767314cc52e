import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { transcript, turnsOf } from '../judges/conversation.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { askList, askVerdicts, listPrompt, named, textsOf, verdictPrompt } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const INTENTIONS = listPrompt(
  'You are given a conversation. List what the user wanted from the assistant, each wish as one short sentence. A wish that is said again in other words is one wish. Leave out greetings and thanks.',
  ['conversation'],
);
const SATISFIED = verdictPrompt(
  'You are given a conversation and numbered wishes of the user. For each decide whether the assistant satisfied it by the end: "yes" or "no". A promise, a question back that stayed open, and a refusal are "no".',
  ['conversation', 'wishes'],
);

export default defineJudgedScorer({
  names: ['conversation-completeness'],
  summary: 'Share of what the user wanted that the assistant satisfied by the end of the conversation.',
  source: 'deepeval metrics/conversation_completeness: satisfied intentions / intentions',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({ threshold: ThresholdOption }),
  judgePrompts: () => textsOf(INTENTIONS, SATISFIED),
  async score(subject, { threshold }, tools) {
    const conversation = transcript(turnsOf(subject));
    const wishes = await askList(tools, INTENTIONS, { conversation });
    const verdicts = await askVerdicts(tools, SATISFIED, { conversation }, wishes);
    const score = share(verdicts.map(({ verdict }) => verdict === 'yes'));
    if (score === null) return unmeasured('The user wanted nothing that can be told.');
    return atLeast(
      score,
      threshold,
      `${verdicts.filter(({ verdict }) => verdict !== 'yes').length} of ${wishes.length} wishes were not satisfied${named(wishes, verdicts, 'no')}.`,
    );
  },
});
