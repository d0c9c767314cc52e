import { z } from 'zod';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { askList, askVerdicts, listPrompt, NOT_CONTRADICTED, TEXT_CLAIMS, textsOf, verdictPrompt } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const QUESTIONS = listPrompt(
  'You are given a text and a number. Write that many yes/no questions about what matters most in the text, such that the text answers each of them with "yes". Each must be understandable without the text.',
  ['text', 'number'],
);
const ANSWERED = verdictPrompt(
  'You are given a summary and numbered yes/no questions. Answer each from the summary alone: "yes", "no", or "idk" when the summary does not say.',
  ['summary', 'questions'],
);

export default defineJudgedScorer({
  names: ['summarization'],
  summary: 'Whether a summary says nothing against its text, and what matters of it.',
  source:
    'deepeval metrics/summarization: the smaller of alignment (claims of the summary that the text supports) and coverage (questions about the text that the summary answers with yes)',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.string().describe('The text that was to be summarised; absent = the question').optional(),
    threshold: ThresholdOption,
    questions: z.int().min(1).max(50).default(5).describe('Questions about the text'),
  }),
  judgePrompts: () => textsOf(TEXT_CLAIMS, NOT_CONTRADICTED, QUESTIONS, ANSWERED),
  async score({ question, output }, { value, threshold, questions: number }, tools) {
    const text = value ?? question;
    if (output.trim() === '' || text.trim() === '') return unmeasured('The summary or its text is empty.');
    const [claims, questions] = await Promise.all([
      askList(tools, TEXT_CLAIMS, { text: output }),
      askList(tools, QUESTIONS, { text, number: String(number) }),
    ]);
    const [supported, answered] = await Promise.all([
      askVerdicts(tools, NOT_CONTRADICTED, { source: text }, claims),
      askVerdicts(tools, ANSWERED, { summary: output }, questions),
    ]);
    const alignment = share(supported.map(({ verdict }) => verdict === 'yes'));
    const coverage = share(answered.map(({ verdict }) => verdict === 'yes'));
    if (alignment === null || coverage === null)
      return unmeasured('The summary claims nothing, or the text has nothing to be asked about.');
    const parts = [
      { name: 'alignment', value: alignment },
      { name: 'coverage', value: coverage },
    ];
    return atLeast(Math.min(alignment, coverage), threshold, `Alignment ${alignment.toFixed(3)}, coverage ${coverage.toFixed(3)}.`, parts);
  },
});
