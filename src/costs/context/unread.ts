import type { ReadContext } from './passages.ts';

const WORD = /[\p{L}\p{N}]+/gu;
/** Scripts that are written without spaces: pairs of characters stand for words. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+$/u;
/** So many shared words, and this share of the shorter text, make a passage read. */
const SHARED_WORDS = 3;
const SHARED_RATIO = 0.1;

function isNumber(word: string): boolean {
  return word.length >= 3 && /\p{N}/u.test(word);
}

/** Words that carry something: of four letters, or with a digit. */
function contentWords(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    if (UNSPACED.test(word)) for (let at = 0; at + 1 < word.length; at++) words.add(word.slice(at, at + 2));
    else if (word.length >= 4 || isNumber(word)) words.add(word);
  }
  return words;
}

/**
 * Characters of the passages that an answer shows no trace of. A passage counts as read when the answer shares three of its words that are not in
 * the question, and at least a tenth of the shorter of the two, or one of its numbers or identifiers. An answer in other words than its source
 * counts the source as unread, so the share is an upper bound; it costs no model.
 */
export function unreadCharacters({ passages, question }: ReadContext, answer: string): { readonly unread: number; readonly all: number } {
  const asked = contentWords(question);
  const answered = new Set([...contentWords(answer)].filter((word) => !asked.has(word)));
  let unread = 0;
  let all = 0;
  for (const passage of passages) {
    all += passage.length;
    let words = 0;
    let shared = 0;
    let hasNumber = false;
    for (const word of contentWords(passage)) {
      if (asked.has(word)) continue;
      words++;
      if (!answered.has(word)) continue;
      shared++;
      if (isNumber(word)) hasNumber = true;
    }
    const isRead = hasNumber || (shared >= SHARED_WORDS && shared >= SHARED_RATIO * Math.min(words, answered.size));
    if (!isRead) unread += passage.length;
  }
  return { unread, all };
}
