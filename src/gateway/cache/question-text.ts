/** Text of a question taken apart: what may differ between two ways to write the same one, and what may not. */

/** Longer texts are compared as they are: these are no questions that people ask in other words, and looking for pairs in them costs. */
export const MAX_TEXT_CHARACTERS = 4096;

const PUNCTUATION = /[\p{Ps}\p{Pe}\p{Pi}\p{Pf}.,;:!?…'"¡¿–—-]/u;
const FENCED = /```[\s\S]*?(?:```|$)|`[^`\n]*`/g;
const QUOTED = /"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»/g;
/** With sign, currency, unit sign and separators: −5, $1,000.50, 12:30, 3/4, 20 %. */
const NUMBERS = /[-+−]?\p{Sc}? ?\p{N}[\p{N}.,:/]*(?: ?[%‰°\p{Sc}])?/gu;
/** Lines that are set in: mostly code, whose white space counts. */
const SET_IN = /\n[ \t]+\S/;
const SENTENCE_END = /[.!?:…]["”»’)\]]*$/;
/** Names of things for machines: with digits, underscores, slashes, at signs, dots or capitals inside. */
const IDENTIFIER = /[\p{L}\p{N}][_@/\\.#][\p{L}\p{N}]|\p{L}\p{N}|\p{N}\p{L}|\p{Ll}\p{Lu}|^[@#/\\]/u;

function words(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

/** Without the punctuation around it. */
function bare(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && PUNCTUATION.test(word.charAt(start))) start++;
  while (end > start && PUNCTUATION.test(word.charAt(end - 1))) end--;
  return word.slice(start, end);
}

/** Small letters, one space, no punctuation around words, compatibility forms unified (Unicode NFKC). */
export function normaliseText(text: string): string {
  return words(text.normalize('NFKC').replace(/[’ʼ′]/g, "'").toLowerCase())
    .map(bare)
    .filter((word) => word !== '')
    .join(' ');
}

/** Words that begin with a capital where the grammar does not ask for one, as they are written. */
function names(text: string): string[] {
  const found: string[] = [];
  let isFirst = true;
  for (const word of words(text)) {
    const core = bare(word);
    const isCapital = /^\p{Lu}/u.test(core) && !/^I(?:['’]|$)/.test(core);
    const isMoreThanGrammar = !isFirst || /\p{Lu}.*\p{Lu}/u.test(core);
    if ((isCapital && isMoreThanGrammar) || IDENTIFIER.test(core)) found.push(core);
    isFirst = SENTENCE_END.test(word);
  }
  return found;
}

function all(text: string, pattern: RegExp): string[] {
  return text.match(pattern) ?? [];
}

/** What must be equal, in this order, in two texts that are otherwise the same: code, quotes, numbers and names, as they are written. */
export function literalsOf(text: string): readonly unknown[] {
  if (SET_IN.test(text)) return [text];
  const code = all(text, FENCED);
  const rest = text.replace(FENCED, ' ');
  const numbers = all(rest, NUMBERS).map((number) => number.replace(/[.,:/ ]+$/, ''));
  return [code, all(rest, QUOTED), numbers, names(rest)];
}

/** Equal for two texts that differ in case, white space, sentence punctuation and compatibility forms alone. */
export function nearForm(text: string): string {
  return JSON.stringify([normaliseText(text), literalsOf(text)]);
}
