import { z } from 'zod';
import { askJudge } from '../judges/ask.ts';
import { atLeast, defineJudgedScorer, RubricPromptOption } from '../judges/judged-scorer.ts';
import { customMessages, type JudgePrompt, promptMessages } from '../judges/prompt.ts';
import { type ReplyReader, textListReader } from '../judges/read-reply.ts';
import { rubricTexts } from '../judges/rubric.ts';
import { listLines, sentencesOf, withoutListMark } from '../judges/sentences.ts';

const NOTHING = 'Insufficient Information';
const PROMPT: JudgePrompt = {
  instructions: `You are given a question and contexts. Copy from the contexts, word for word, the sentences that are needed to answer the question, one on each line, and nothing else. When the contexts hold nothing that helps, write only: ${NOTHING}`,
  sections: ['question', 'contexts'],
};

const readJson = textListReader('sentences');
const folded = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, ' ').trim();

/** What was copied from the context. A reply that copies nothing and does not say that there is nothing is no verdict. */
function quotationReader(source: string, split: (text: string) => readonly string[]): ReplyReader<readonly string[]> {
  const haystack = folded(source);
  return (text) => {
    if (text.includes(NOTHING)) return { value: [] };
    const json = readJson(text);
    const sentences = 'value' in json ? json.value : split(text);
    const quoted = sentences.map(withoutListMark).filter((sentence) => sentence !== '' && haystack.includes(folded(sentence)));
    return quoted.length === 0
      ? { problem: `it quotes nothing of the contexts and does not say "${NOTHING}"` }
      : { value: [...new Set(quoted)] };
  };
}

export default defineJudgedScorer({
  names: ['context-relevance'],
  summary: 'Share of the contexts that is needed to answer the question.',
  source:
    'promptfoo context-relevance: min(sentences copied, units) / units, a unit being a passage, or a sentence of a single passage; "Insufficient Information" = 0; its threshold is 0 where none is given',
  direction: 'higher',
  needs: ['contexts', 'judge'],
  options: z.strictObject({
    threshold: z.number().default(0).describe('The score must be at least this; with 0 it cannot fail'),
    rubricPrompt: RubricPromptOption,
  }),
  judgePrompts: ({ rubricPrompt }) => rubricTexts(PROMPT, rubricPrompt),
  async score({ question, contexts }, { threshold, rubricPrompt }, tools) {
    const passages = (contexts ?? []).filter((context) => context.trim() !== '');
    const source = passages.join('\n');
    const only = passages.length === 1 ? passages[0] : undefined;
    const units = only === undefined ? passages.length : sentencesOf(only).length;
    const isInLines = passages.length > 1 || source.includes('\n');
    const messages =
      rubricPrompt === undefined
        ? promptMessages(PROMPT, { question, contexts: source })
        : customMessages(rubricPrompt, { context: source, query: question });
    const read = quotationReader(source, isInLines ? (text) => listLines(text, false) ?? [] : sentencesOf);
    const { value: sentences } = await askJudge(tools, { messages, read });
    const count = Math.min(sentences.length, units);
    return atLeast(
      count / Math.max(1, units),
      threshold,
      `${count} of ${units} ${only === undefined ? 'passages' : 'sentences'} are needed.`,
    );
  },
});
