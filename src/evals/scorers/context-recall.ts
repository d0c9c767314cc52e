import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, expectedAnswer, NO_REFERENCE, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages, templateVariables } from '../judges/prompt.ts';
import { jsonReader, type ReplyReader, VerdictField } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';
import { unmeasured } from '../score.ts';

const PROMPT: JudgePrompt = {
  instructions: `You are given contexts and the right answer to a question. Take the right answer sentence by sentence. For each decide whether it can be attributed to the contexts: "yes" when they say it, in whatever words; "no" when they do not, even when it is true.
Answer with one JSON object and nothing else: {"classifications": [{"sentence": "…", "reason": "…", "verdict": "yes"}, …]}, one entry for each sentence, in order.`,
  sections: ['question', 'contexts', 'right_answer'],
};

const List = z.array(z.object({ verdict: VerdictField }));
const readJson = jsonReader(z.union([List, z.object({ classifications: List }).transform((reply) => reply.classifications)]));

/** JSON, or promptfoo's lines that end in [Attributed] or [Not Attributed]. */
const readAttributions: ReplyReader<readonly boolean[]> = (text) => {
  const reading = readJson(text);
  if ('value' in reading) return { value: reading.value.map(({ verdict }) => verdict === 'yes') };
  const marks = text.split('\n').flatMap((line) => /\[(not )?attributed\]/i.exec(line)?.slice(0, 2) ?? []);
  const attributions = marks.flatMap((mark, index) => (index % 2 === 0 ? [!/^\[not/i.test(mark ?? '')] : []));
  return attributions.length === 0 ? reading : { value: attributions };
};

export default defineJudgedScorer({
  names: ['context-recall'],
  summary: 'Share of the right answer’s sentences that the contexts say.',
  source:
    'ragas metrics/_context_recall.py (LLM) and promptfoo context-recall: attributable sentences / sentences of the reference; promptfoo’s threshold is 0 where none is given',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    value: z.string().describe('The right answer; absent = the reference of the case').optional(),
    threshold: z.number().default(0).describe('The score must be at least this; with 0 it cannot fail'),
    rubricPrompt: RubricPromptOption,
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score({ question, contexts, reference, variables }, { value, threshold, rubricPrompt }, tools) {
    const expected = expectedAnswer(value, reference);
    if (expected === null) return unmeasured(NO_REFERENCE);
    const source = (contexts ?? []).join('\n\n');
    const messages =
      rubricPrompt === undefined
        ? promptMessages(PROMPT, { question, contexts: source, right_answer: expected })
        : customMessages(rubricPrompt, { ...templateVariables(variables), context: source, groundTruth: expected });
    const { value: attributions } = await askJudge(tools, { messages, read: readAttributions });
    const score = share(attributions);
    if (score === null) return unmeasured('The reference has no sentence that could be attributed.');
    return atLeast(
      score,
      threshold,
      `${attributions.filter(Boolean).length} of ${attributions.length} sentences of the reference are in the contexts.`,
    );
  },
});
