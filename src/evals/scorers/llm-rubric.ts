import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import type { JudgePrompt } from '../judges/prompt.ts';
import { RUBRIC_FORM, RubricOptions, rubricText, rubricTexts, scoreRubric } from '../judges/rubric.ts';

const PROMPT: JudgePrompt = {
  instructions: `You hold an output against a rubric. Judge only what the rubric asks for; length, style and politeness count only where it names them. When the rubric has several demands, all of them must be met.
${RUBRIC_FORM}`,
  sections: ['rubric', 'output'],
};

export default defineJudgedScorer({
  names: ['llm-rubric'],
  summary: 'A judge holds the output against a rubric in words.',
  source: 'promptfoo llm-rubric: passes when the judge passes it and the score reaches the threshold, where one is given',
  direction: 'higher',
  needs: ['judge'],
  options: RubricOptions,
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  score: ({ output, variables }, options, tools) =>
    scoreRubric(tools, PROMPT, { rubric: rubricText(options.value), output }, variables, options),
});
