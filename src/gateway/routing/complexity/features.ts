import type { PromptView } from '../prompt-view.ts';
import { CUES, type CueName } from './cues.ts';

const CUE_NAMES = Object.keys(CUES) as CueName[];
/** Cues are looked for at the beginning and the end: the task stands there, not in what was pasted between. */
const CUE_EDGE_CHARACTERS = 400;
const MAX_CUES = 4;

/** Names in the order of `complexityFeatures`; the weights refer to them by position. */
export const FEATURE_NAMES = [
  'characters',
  'words',
  'system',
  'history',
  'turns',
  'tools',
  'images',
  'structure',
  'code_block',
  'code_signs',
  'maths_signs',
  'digits',
  'questions',
  'sentences',
  'words_per_sentence',
  'list_items',
  'lines',
  'commas',
  'long_words',
  'logographic',
  ...CUE_NAMES.map((name) => `cue_${name}` as const),
] as const;

/** What one pass over the text counts. */
interface Signs {
  words: number;
  longWords: number;
  logographic: number;
  codeSigns: number;
  mathsSigns: number;
  digits: number;
  questions: number;
  sentences: number;
  commas: number;
  lines: number;
}

const LONG_WORD_CHARACTERS = 9;

/** What a UTF-16 code unit is, as bits: one look-up a character instead of a dozen comparisons. */
const LETTER = 1;
const LOGOGRAPHIC = 2;
const DIGIT = 4;
const CODE_SIGN = 8;
const MATHS_SIGN = 16;
const QUESTION = 32;
const STOP = 64;
const COMMA = 128;

const KINDS = new Uint8Array(0x10000);
for (let unit = 0; unit < KINDS.length; unit++) if (isLetter(unit)) KINDS[unit] = LETTER;
for (let unit = 0; unit < KINDS.length; unit++) if (isLogographic(unit)) KINDS[unit] = LOGOGRAPHIC;
for (const [signs, kind] of [
  ['0123456789', DIGIT],
  ['{}[]();=<>_`$#\\|&', CODE_SIGN],
  ['+*/^=<>%∑∫√≤≥≠±∈∀∃→∞πΔλ²³', MATHS_SIGN],
  ['?？', QUESTION],
  ['.!。！', STOP],
  [',;、，', COMMA],
] as const)
  for (const sign of signs) KINDS[sign.charCodeAt(0)] = (KINDS[sign.charCodeAt(0)] ?? 0) | kind;

function isLogographic(unit: number): boolean {
  return (unit >= 0x3040 && unit <= 0x30ff) || (unit >= 0x3400 && unit <= 0x9fff) || (unit >= 0xac00 && unit <= 0xd7af);
}

function isLetter(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0xc0 && unit <= 0x24f) || (unit >= 0x370 && unit <= 0x5ff)
  );
}

function countSigns(text: string): Signs {
  const signs: Signs = {
    words: 0,
    longWords: 0,
    logographic: 0,
    codeSigns: 0,
    mathsSigns: 0,
    digits: 0,
    questions: 0,
    sentences: 0,
    commas: 0,
    lines: 1,
  };
  let wordCharacters = 0;
  const endWord = (): void => {
    if (wordCharacters === 0) return;
    signs.words++;
    if (wordCharacters >= LONG_WORD_CHARACTERS) signs.longWords++;
    wordCharacters = 0;
  };
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const kind = KINDS[unit] ?? 0;
    if (kind === LETTER) {
      wordCharacters++;
      continue;
    }
    endWord();
    if (kind === 0) {
      if (unit === 0x0a) signs.lines++;
      continue;
    }
    if ((kind & LOGOGRAPHIC) !== 0) signs.logographic++;
    if ((kind & DIGIT) !== 0) signs.digits++;
    if ((kind & CODE_SIGN) !== 0) signs.codeSigns++;
    if ((kind & MATHS_SIGN) !== 0) signs.mathsSigns++;
    if ((kind & COMMA) !== 0) signs.commas++;
    if ((kind & (QUESTION | STOP)) !== 0) signs.sentences++;
    if ((kind & QUESTION) !== 0) signs.questions++;
  }
  endWord();
  // Two characters of Chinese or Japanese are about a word.
  signs.words += Math.round(signs.logographic / 2);
  return signs;
}

function countMatches(text: string, pattern: RegExp): number {
  pattern.lastIndex = 0;
  let count = 0;
  while (count < MAX_CUES && pattern.exec(text) !== null) count++;
  return count;
}

const LIST_ITEM = /(?:^|\n)[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]/g;
const CODE_BLOCK = /```|\n {4}\S|\n\t\S/;

/** The features of a request that tell how difficult it is, in the order of `FEATURE_NAMES`. Pure; a few dozen microseconds. */
export function complexityFeatures(view: PromptView): number[] {
  const { text } = view;
  const signs = countSigns(text);
  const edges =
    text.length <= 2 * CUE_EDGE_CHARACTERS ? text : `${text.slice(0, CUE_EDGE_CHARACTERS)}\n${text.slice(-CUE_EDGE_CHARACTERS)}`;
  const lower = edges.toLowerCase();
  const characters = Math.max(1, text.length);
  const sentences = Math.max(1, signs.sentences);
  return [
    Math.log1p(view.textCharacters),
    Math.log1p(signs.words),
    Math.log1p(view.systemCharacters),
    Math.log1p(view.historyCharacters),
    Math.log1p(view.turns),
    Math.log1p(view.tools),
    view.images > 0 ? 1 : 0,
    view.wantsStructure ? 1 : 0,
    CODE_BLOCK.test(text) ? 1 : 0,
    Math.log1p((signs.codeSigns / characters) * 100),
    Math.log1p((signs.mathsSigns / characters) * 100),
    Math.log1p((signs.digits / characters) * 100),
    Math.min(signs.questions, 4),
    Math.log1p(signs.sentences),
    Math.log1p(signs.words / sentences),
    Math.log1p(countMatches(edges, LIST_ITEM)),
    Math.log1p(signs.lines - 1),
    Math.log1p(signs.commas),
    signs.longWords / Math.max(1, signs.words),
    signs.logographic / characters,
    ...CUE_NAMES.map((name) => Math.log1p(countMatches(lower, CUES[name]))),
  ];
}
