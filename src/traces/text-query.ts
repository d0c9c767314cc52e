import { PlimsollError } from '../kernel/errors.ts';

/** What is asked of a full-text search: every word and every phrase must occur, in any order. */
export interface TextQuery {
  readonly words: readonly string[];
  /** Words that follow each other; in the question they stand in "quotes". */
  readonly phrases: readonly string[];
}

const MAX_TERMS = 16;
const HAS_WORD = /[\p{L}\p{N}]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts that are written without spaces: each character is a word, and a word of theirs a phrase. */
const BY_CHARACTER = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

export function isByCharacter(text: string): boolean {
  return BY_CHARACTER.test(text);
}

/**
 * Reads `parcel "not arrived" refund`. A quote that is not closed reaches to the end.
 * @throws PlimsollError `invalid_argument` when there is no word in it, or more than 16 terms
 */
export function parseTextQuery(q: string): TextQuery {
  const words: string[] = [];
  const phrases: string[] = [];
  for (const [place, piece] of q.split('"').entries()) {
    if (place % 2 === 0) for (const word of piece.match(WORD) ?? []) (BY_CHARACTER.test(word) ? phrases : words).push(word);
    else if (HAS_WORD.test(piece)) phrases.push(piece.trim());
  }
  const terms = words.length + phrases.length;
  if (terms === 0 || terms > MAX_TERMS)
    throw new PlimsollError(
      'invalid_argument',
      terms === 0
        ? `There is no word to search for in ${JSON.stringify(q)}.`
        : `The search has ${terms} words and phrases; at most ${MAX_TERMS}.`,
      { details: { param: 'q' } },
    );
  return { words, phrases };
}

export interface Snippet {
  readonly text: string;
  /** Places of the matches in `text`: [from, to), characters. */
  readonly marks: readonly (readonly [number, number])[];
}

/** Few: lists show the beginning of a snippet. */
const BEFORE_CHARACTERS = 24;
const SNIPPET_CHARACTERS = 240;

function escaped(term: string): string {
  const pieces = term.match(WORD) ?? [];
  return pieces.join('[^\\p{L}\\p{M}\\p{N}]+');
}

/** Finds whole words as the store does; within scripts without spaces, any place. */
function termPattern(terms: readonly string[]): RegExp | null {
  const sources = terms.map(escaped).filter((source) => source !== '');
  if (sources.length === 0) return null;
  const alternatives = sources.map((source) =>
    BY_CHARACTER.test(source) ? source : `(?<![\\p{L}\\p{M}\\p{N}])${source}(?![\\p{L}\\p{M}\\p{N}])`,
  );
  return new RegExp(alternatives.join('|'), 'giu');
}

/** The surroundings of the first match, with all matches in them marked. Null when nothing of the question is in the text. */
export function snippetOf(text: string, { words, phrases }: TextQuery): Snippet | null {
  const pattern = termPattern([...phrases, ...words]);
  const first = pattern === null ? null : pattern.exec(text);
  if (pattern === null || first === null) return null;
  let from = Math.max(0, first.index - BEFORE_CHARACTERS);
  // Begin with a whole word where one begins near.
  if (from > 0) {
    const space = text.slice(from, first.index).search(/\s/);
    if (space >= 0) from += space + 1;
  }
  const to = Math.min(text.length, Math.max(from + SNIPPET_CHARACTERS, first.index + first[0].length));
  const head = from > 0 ? '…' : '';
  const piece = `${head}${text.slice(from, to).toWellFormed()}${to < text.length ? '…' : ''}`;
  const marks: [number, number][] = [];
  pattern.lastIndex = 0;
  for (const match of piece.matchAll(pattern)) marks.push([match.index, match.index + match[0].length]);
  return { text: piece.replace(/[\r\n\t]/g, ' '), marks };
}
