import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { transcript, turnsOf } from '../judges/conversation.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { askVerdicts, textsOf, verdictPrompt } from '../judges/statements.ts';

const RELEVANT = verdictPrompt(
  'You are given the last turns of a conversation and, numbered, the answer that the assistant gave then. Decide whether the answer is relevant to what the user had said: "yes", "no", or "idk" when it cannot be told. Short or vague answers are relevant as long as they fit.',
  ['conversation', 'answers'],
);

export default defineJudgedScorer({
  names: ['turn-relevancy'],
  summary: 'Share of the assistant’s turns that are relevant to what came before.',
  source: 'deepeval metrics/turn_relevancy: turns whose verdict is not "no" / turns, each with a window of turns before it',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    threshold: ThresholdOption,
    windowSize: z.int().min(1).max(100).default(10).describe('Turns that the judge sees with each answer'),
  }),
  judgePrompts: () => textsOf(RELEVANT),
  async score(subject, { threshold, windowSize }, tools) {
    const turns = turnsOf(subject);
    const verdicts = await Promise.all(
      turns.map(async (turn, index) => {
        const seen = turns
          .slice(Math.max(0, index - windowSize + 1), index + 1)
          .map((each) => (each === turn ? { ...each, assistant: '…' } : each));
        return (await askVerdicts(tools, RELEVANT, { conversation: transcript(seen) }, [turn.assistant]))[0]?.verdict ?? 'idk';
      }),
    );
    const bad = verdicts.flatMap((verdict, index) => (verdict === 'no' ? [index + 1] : []));
    const score = share(verdicts.map((verdict) => verdict !== 'no')) ?? 0;
    return atLeast(
      score,
      threshold,
      bad.length === 0 ? 'All turns are relevant.' : `Beside the point: turns ${bad.join(', ')} of ${turns.length}.`,
    );
  },
});
