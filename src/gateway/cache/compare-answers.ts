import { cosine } from '../../models/embedder.ts';
import { embedLexically } from '../../models/lexical-embedder.ts';
import { normaliseText } from './question-text.ts';

/** Least lexical similarity of two answers that say the same in other words. */
export const SAME_ANSWER_COSINE = 0.8;
const NUMBER = /\p{N}[\p{N}.,:/]*/gu;

type Loose = Readonly<Record<string, unknown>>;

function object(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

/** Text of the first choice of a hub `chat.completion`; null when it is not text. */
function textOf(completion: Loose): string | null {
  const { choices } = completion;
  const { content } = object(object(Array.isArray(choices) ? choices[0] : null).message);
  return typeof content === 'string' ? content : null;
}

function numbersOf(text: string): string {
  const numbers = (text.match(NUMBER) ?? []).map((number) => number.replace(/[.,:/]+$/, ''));
  return JSON.stringify([...new Set(numbers)].sort());
}

/**
 * Whether two answers say the same, as far as can be told without a judge: equal text but for case, white space and punctuation, or a lexical
 * similarity of at least 0.8 and the same numbers. Errs on the side of "no": a model that words its answers anew each time is counted against
 * the cache, never for it.
 */
export function isSameAnswer(left: Loose, right: Loose): boolean {
  const [one, two] = [textOf(left), textOf(right)];
  if (one === null || two === null) return false;
  const [first, second] = [normaliseText(one), normaliseText(two)];
  if (first === second) return true;
  return numbersOf(one) === numbersOf(two) && cosine(embedLexically(first), embedLexically(second)) >= SAME_ANSWER_COSINE;
}
