import { trajectoryOf } from '../judges/conversation.ts';
import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import type { JudgePrompt } from '../judges/prompt.ts';
import { RUBRIC_FORM, RubricOptions, rubricText, rubricTexts, scoreRubric } from '../judges/rubric.ts';

const PROMPT: JudgePrompt = {
  instructions: `You hold the work of an agent against a rubric: the steps that it took, and its final output. Believe the steps more than what the output says about them: an action that the output claims and no step shows was not done. Judge only what the rubric asks for.
${RUBRIC_FORM}`,
  sections: ['rubric', 'steps', 'output'],
};

export default defineJudgedScorer({
  names: ['agent-rubric'],
  summary: 'A judge holds an agent’s steps and output against a rubric in words.',
  source: 'promptfoo agent-rubric; the judge reads the recorded steps and cannot act by itself',
  direction: 'higher',
  needs: ['judge'],
  options: RubricOptions,
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  score(subject, options, tools) {
    const steps = trajectoryOf(subject) ?? 'No steps were recorded.';
    const values = { rubric: rubricText(options.value), steps, output: subject.output };
    return scoreRubric(tools, PROMPT, values, subject.variables, options);
  },
});
