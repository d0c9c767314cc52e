import { z } from 'zod';
import { contentText } from '../judges/conversation.ts';
import { defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { textsOf, verdictPrompt } from '../judges/statements.ts';
import { scoreTurns } from '../judges/turn-verdicts.ts';
import { unmeasured } from '../score.ts';

const IN_ROLE = verdictPrompt(
  'You are given a role, a conversation and, numbered, turns of the assistant in it. For each turn decide whether the assistant stays in its role: "no" when it speaks, knows, promises or does what the role would not; otherwise "yes".',
  ['role', 'conversation', 'turns'],
);

export default defineJudgedScorer({
  names: ['role-adherence'],
  summary: 'Share of the assistant’s turns that stay in its role.',
  source: 'deepeval metrics/role_adherence: turns in character / turns',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().min(1).describe('The role; absent = the system message').optional(),
    threshold: ThresholdOption,
  }),
  judgePrompts: () => textsOf(IN_ROLE),
  score(subject, { value, threshold }, tools) {
    const system = subject.messages.filter(({ role }) => role === 'system' || role === 'developer');
    const role = value ?? system.map(({ content }) => contentText(content)).join('\n');
    if (role.trim() === '') return unmeasured('No role is given: neither an option nor a system message.');
    return scoreTurns(tools, subject, IN_ROLE, { role }, { threshold, fault: 'leaves the role' });
  },
});
