import { z } from 'zod';
import { trajectoryOf } from '../judges/conversation.ts';
import { defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import type { JudgePrompt } from '../judges/prompt.ts';
import { RUBRIC_FORM, rubricTexts, scoreRubric, VotesOption } from '../judges/rubric.ts';
import { unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You decide whether an agent reached its goal. The steps that it took are the evidence; its final output is a claim. The goal is reached when the steps (or, where the goal is an answer, the output) bring about all of it; attempts, plans and failed steps do not count.
${RUBRIC_FORM}`,
  sections: ['goal', 'steps', 'output'],
};

export default defineJudgedScorer({
  names: ['trajectory:goal-success'],
  summary: 'A judge decides from the recorded steps whether an agent reached its goal.',
  source: 'promptfoo trajectory:goal-success',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.union([z.string().min(1), z.looseObject({ goal: z.string().min(1) })]).describe('The goal, in words or as { goal }'),
    threshold: z.number().describe('The score must also be at least this').optional(),
    rubricPrompt: RubricPromptOption,
    votes: VotesOption,
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  score(subject, options, tools) {
    const steps = trajectoryOf(subject);
    if (steps === null) return unmeasured('No steps were recorded: neither spans nor tool calls.');
    const goal = typeof options.value === 'string' ? options.value : options.value.goal;
    const values = { goal, steps, trajectory: steps, output: subject.output };
    return scoreRubric(tools, PROMPT, values, subject.variables, options);
  },
});
