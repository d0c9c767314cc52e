import { cosine } from '../../models/embedder.ts';
import { embedLexically } from '../../models/lexical-embedder.ts';
import { decisiveWords, meantWords } from './meaning-guards.ts';
import { literalsOf, normaliseText } from './question-text.ts';

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

function sorted(words: readonly string[]): string {
  return [...words].sort().join(' ');
}

/**
 * Whether two answers say the same, as far as can be told without a judge: the same words in any order, but for case, punctuation and idle ones.
 * One other word may turn an answer round, however long it is and however alike the two look; so a model that words its answers anew each time
 * is counted against the cache, never for it.
 * @param similarity below 1: other words are allowed from this lexical cosine on, as long as code, quotes, numbers, names and deciding words are the same
 */
export function isSameAnswer(left: Loose, right: Loose, similarity = 1): boolean {
  const [one, two] = [textOf(left), textOf(right)];
  if (one === null || two === null) return false;
  if (sorted(meantWords(one)) === sorted(meantWords(two))) return true;
  if (similarity >= 1 || JSON.stringify(literalsOf(one)) !== JSON.stringify(literalsOf(two))) return false;
  if (sorted(decisiveWords(one)) !== sorted(decisiveWords(two))) return false;
  return cosine(embedLexically(normaliseText(one)), embedLexically(normaliseText(two))) >= similarity;
}
