import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages, templateVariables } from '../judges/prompt.ts';
import type { ReplyReader } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';
import { verdict } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You decide whether a submission meets a criterion. Think it through in a few short sentences first. Then write a single letter on a line of its own, and nothing after it: Y when the criterion is met, N when it is not.`,
  sections: ['question', 'submission', 'criterion'],
};

/** The last word decides, as in promptfoo; a reply that ends in neither is no verdict. */
const readLastWord: ReplyReader<boolean> = (text) => {
  const last = /(?:^|[^\p{L}])(Y|N|YES|NO)$/iu.exec(text.slice(-64).replace(/[\s."'*`)}\]]+$/, ''))?.[1];
  return last === undefined ? { problem: 'it does not end in Y or N' } : { value: last.toUpperCase().startsWith('Y') };
};

export default defineJudgedScorer({
  names: ['model-graded-closedqa'],
  summary: 'A judge says whether the output meets a criterion.',
  source: 'promptfoo model-graded-closedqa, after OpenAI evals "closedqa"',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({ value: z.string().min(1).describe('The criterion'), rubricPrompt: RubricPromptOption }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score({ question, output, variables }, { value: criterion, rubricPrompt }, tools) {
    const messages =
      rubricPrompt === undefined
        ? promptMessages(PROMPT, { question, submission: output, criterion })
        : customMessages(rubricPrompt, { input: question, criteria: criterion, completion: output, ...templateVariables(variables) });
    const { value: isMet, reply } = await askJudge(tools, { messages, read: readLastWord });
    return verdict(isMet, `The criterion is ${isMet ? '' : 'not '}met: ${reply.text.trim().slice(0, 500)}`);
  },
});
