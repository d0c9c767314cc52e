import { z } from 'zod';
import { defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { textsOf, verdictPrompt } from '../judges/statements.ts';
import { scoreTurns } from '../judges/turn-verdicts.ts';

const REMEMBERS = verdictPrompt(
  'You are given a conversation and, numbered, turns of the assistant in it. For each turn decide whether the assistant still knows what the user had said before it: "no" when it asks for something that the user had already told, or says something against it; otherwise "yes". Asking to confirm is "yes".',
  ['conversation', 'turns'],
);

export default defineJudgedScorer({
  names: ['knowledge-retention'],
  summary: 'Share of the assistant’s turns that forget nothing of what the user said.',
  source:
    'deepeval metrics/knowledge_retention: turns without attrition / turns; from the second turn on, since nothing can be forgotten in the first',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({ threshold: ThresholdOption }),
  judgePrompts: () => textsOf(REMEMBERS),
  score: (subject, { threshold }, tools) =>
    scoreTurns(tools, subject, REMEMBERS, {}, { threshold, first: 1, fault: 'forgets what the user said' }),
});
