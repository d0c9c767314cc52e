import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { share } from '../judges/claim-arithmetic.ts';
import { atLeast, defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, promptMessages, promptText, templateVariables } from '../judges/prompt.ts';
import { type ReplyReader, readVerdict, textListReader, type Verdict, verdictListReader } from '../judges/read-reply.ts';
import { listLines } from '../judges/sentences.ts';
import { ANSWER_STATEMENTS, ENTAILED, numbered } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const FINAL = 'final verdict for each statement in order:';
const readJsonStatements = textListReader('statements');

/** A JSON list, or a line for each; of our own prompt only lines that are marked as a list, for else an excuse would be a statement. */
function statementReader(isCustom: boolean): ReplyReader<readonly string[]> {
  return (text) => {
    const reading = readJsonStatements(text);
    if ('value' in reading) return reading;
    const lines = listLines(text, !isCustom);
    return lines === null || lines.length === 0 ? reading : { value: lines };
  };
}

/** A JSON list, or promptfoo's forms: `Verdict: Yes` in prose, or one closing line of verdicts. Never fewer or more than there are statements. */
function verdictReader(count: number): ReplyReader<readonly Verdict[]> {
  const readJson = verdictListReader(count);
  return (text) => {
    const reading = readJson(text);
    if ('value' in reading) return { value: reading.value.map(({ verdict }) => verdict) };
    const lower = text.toLowerCase();
    const final = lower.lastIndexOf(FINAL);
    const words =
      final >= 0
        ? lower
            .slice(final + FINAL.length)
            .split('.')
            .filter((word) => word.trim() !== '')
        : [...lower.matchAll(/verdict:\s*\**(yes|no)\b/g)].map((match) => match[1] ?? '');
    const verdicts = words.map(readVerdict);
    return verdicts.length === count && verdicts.every((verdict) => verdict !== null) ? { value: verdicts } : reading;
  };
}

export default defineJudgedScorer({
  names: ['context-faithfulness'],
  summary: 'Share of the output’s statements that follow from the contexts.',
  source:
    'promptfoo context-faithfulness, after ragas: statements inferable from the context / statements; its threshold is 0 where none is given',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    threshold: z.number().default(0).describe('The score must be at least this; with 0 it cannot fail'),
    rubricPrompt: z
      .array(RubricPromptOption.unwrap())
      .length(2)
      .describe(
        'Your own prompts: for the statements ({{ question }}, {{ answer }}) and for the verdicts ({{ context }}, {{ statements }})',
      )
      .optional(),
  }),
  judgePrompts: ({ rubricPrompt }) => rubricPrompt ?? [promptText(ANSWER_STATEMENTS), promptText(ENTAILED)],
  async score({ question, output, contexts, variables }, { threshold, rubricPrompt }, tools) {
    if (output.trim() === '') return unmeasured('The output is empty: it states nothing.');
    const source = (contexts ?? []).join('\n\n');
    const [forStatements, forVerdicts] = rubricPrompt ?? [];
    const own = templateVariables(variables);
    const { value: statements } = await askJudge(tools, {
      messages:
        forStatements === undefined
          ? promptMessages(ANSWER_STATEMENTS, { question, answer: output })
          : customMessages(forStatements, { ...own, question, answer: output }),
      read: statementReader(forStatements !== undefined),
    });
    if (statements.length === 0) return unmeasured('The output states nothing that could be checked.');
    const { value: verdicts } = await askJudge(tools, {
      messages:
        forVerdicts === undefined
          ? promptMessages(ENTAILED, { source, statements: numbered(statements) })
          : customMessages(forVerdicts, { ...own, context: source, statements }),
      read: verdictReader(statements.length),
    });
    const supported = verdicts.map((verdict) => verdict === 'yes');
    return atLeast(
      share(supported) ?? 0,
      threshold,
      `${supported.filter(Boolean).length} of ${statements.length} statements follow from the contexts.`,
    );
  },
});
