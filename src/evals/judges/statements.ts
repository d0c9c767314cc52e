import type { ScoringTools } from '../scorer.ts';
import { askJudge } from './ask.ts';
import { type JudgePrompt, promptMessages, promptText } from './prompt.ts';
import { type ListedVerdict, textListReader, verdictListReader } from './read-reply.ts';

/** Steps that several metrics are made of: take a text apart into claims, give a verdict on each item of a list. */

const STATEMENT_LIST = 'Answer with one JSON object and nothing else: {"statements": ["…", "…"]}. When there is none, the list is empty.';

export const ANSWER_STATEMENTS: JudgePrompt = {
  instructions: `You take an answer apart into the single facts that it asserts.
Write each as one short sentence that can be understood and checked by itself: name people and things, use no pronouns, keep numbers, dates and negations exactly. Assert neither more nor less than the answer does; do not correct it. Leave out greetings, questions, offers of help and remarks about the answer itself. The question is given only so that references can be resolved.
${STATEMENT_LIST}`,
  sections: ['question', 'answer'],
};

export const TEXT_CLAIMS: JudgePrompt = {
  instructions: `You take a text apart into the single facts that it asserts.
Write each as one short sentence that can be understood and checked by itself: name people and things, use no pronouns, keep numbers, dates and negations exactly. Assert neither more nor less than the text does; do not correct it.
${STATEMENT_LIST}`,
  sections: ['text'],
};

const VERDICT_LIST =
  'Answer with one JSON object and nothing else: {"verdicts": [{"number": 1, "reason": "…", "verdict": "yes"}, …]}, one entry for each number, in order, the reason in at most fifteen words.';

export const ENTAILED: JudgePrompt = {
  instructions: `You are given a source and numbered statements. For each statement decide whether it follows from the source directly.
"yes": whoever accepts the source must accept the statement. "no": the source denies it, or does not say it, even when it is true or likely. Use nothing that you know from elsewhere.
${VERDICT_LIST}`,
  sections: ['source', 'statements'],
};

export const NOT_CONTRADICTED: JudgePrompt = {
  instructions: `You are given a source and numbered statements. For each statement decide whether it agrees with the source.
"yes": the source supports it. "no": the source says something that cannot be true together with it. "idk": the source neither supports nor denies it. What is only missing in the source is "idk", never "no".
${VERDICT_LIST}`,
  sections: ['source', 'statements'],
};

/** A prompt that gives one verdict for each numbered item of its last section. */
export function verdictPrompt(task: string, sections: readonly string[]): JudgePrompt {
  return { instructions: `${task}\n${VERDICT_LIST}`, sections };
}

/** A prompt that gives a list of texts. */
export function listPrompt(task: string, sections: readonly string[]): JudgePrompt {
  return { instructions: `${task}\n${STATEMENT_LIST}`, sections };
}

export async function askList(
  tools: ScoringTools,
  prompt: JudgePrompt,
  values: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  return (await askJudge(tools, { messages: promptMessages(prompt, values), read: textListReader('statements') })).value;
}

/** No question when there is nothing to judge. @param items the prompt's last section, numbered */
export async function askVerdicts(
  tools: ScoringTools,
  prompt: JudgePrompt,
  values: Readonly<Record<string, string>>,
  items: readonly string[],
): Promise<readonly ListedVerdict[]> {
  if (items.length === 0) return [];
  const section = prompt.sections.at(-1) ?? 'statements';
  const messages = promptMessages(prompt, { ...values, [section]: numbered(items) });
  return (await askJudge(tools, { messages, read: verdictListReader(items.length) })).value;
}

export async function askEntailed(tools: ScoringTools, source: string, statements: readonly string[]): Promise<readonly boolean[]> {
  return (await askVerdicts(tools, ENTAILED, { source }, statements)).map(({ verdict }) => verdict === 'yes');
}

export function numbered(items: readonly string[]): string {
  return items.map((item, index) => `${index + 1}. ${item.replaceAll(/\s*\n\s*/g, ' ')}`).join('\n');
}

/** The items whose verdict is `which`, for a reason that a person reads. */
export function named(items: readonly string[], verdicts: readonly ListedVerdict[], which: ListedVerdict['verdict']): string {
  const chosen = items.filter((_, index) => verdicts[index]?.verdict === which).map((item) => `"${item.slice(0, 120)}"`);
  return chosen.length === 0 ? '' : ` (${chosen.slice(0, 3).join(', ')}${chosen.length > 3 ? ', …' : ''})`;
}

export function textsOf(...prompts: readonly JudgePrompt[]): readonly string[] {
  return prompts.map(promptText);
}
