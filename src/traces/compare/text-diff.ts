import { z } from 'zod';
import { editScript } from './edit-script.ts';

/** More of one text is not compared. */
const MAX_CHARACTERS = 400_000;
const MAX_LINE_EDITS = 1_500;
const MAX_WORD_EDITS = 400;
/** Longer lines are shown whole, without their words told apart. */
const MAX_WORDS = 4_000;
/** Lines that share less of their characters are told as one for another. */
const LEAST_COMMON_RATIO = 0.25;

const WORD = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*|\s+|[^\p{L}\p{N}_\s]/gu;

const Pieces = z
  .array(z.object({ text: z.string(), isChanged: z.boolean().describe('Only on this side') }))
  .describe('The line, in pieces');
export type Pieces = z.infer<typeof Pieces>;

export const DiffRow = z.object({
  kind: z.enum(['same', 'removed', 'added', 'changed']),
  aLine: z.int().nullable().describe('Number of the line in the first text, from 1'),
  bLine: z.int().nullable(),
  a: Pieces.nullable(),
  b: Pieces.nullable().describe('Null on a row that is the same: its text is in `a`'),
});
export type DiffRow = z.infer<typeof DiffRow>;

export const TextDiff = z
  .object({
    rows: z.array(DiffRow),
    addedLines: z.int(),
    removedLines: z.int(),
    isCut: z.boolean().describe(`True when a text is longer than ${MAX_CHARACTERS} characters: the rest was not compared`),
    isCoarse: z.boolean().describe('True when the texts differ so much that the middle is told as one change'),
  })
  .meta({ id: 'TextDiff' });
export type TextDiff = z.infer<typeof TextDiff>;

/** Line by line, and word by word inside of lines that have a counterpart. Deterministic, and bounded in time whatever the texts are. */
export function diffTexts(a: string, b: string): TextDiff {
  const [left, right] = [linesOf(a), linesOf(b)];
  const { runs, isCoarse } = editScript(left, right, MAX_LINE_EDITS);
  const rows: DiffRow[] = [];
  let [addedLines, removedLines] = [0, 0];
  for (const { isSame, aFrom, aTo, bFrom, bTo } of runs) {
    const [removed, added] = [aTo - aFrom, bTo - bFrom];
    if (!isSame) {
      removedLines += removed;
      addedLines += added;
    }
    for (let place = 0; place < Math.max(removed, added); place++) {
      const aLine = place < removed ? aFrom + place : null;
      const bLine = place < added ? bFrom + place : null;
      rows.push(rowOf(isSame, aLine, bLine, left, right));
    }
  }
  return { rows, addedLines, removedLines, isCut: a.length > MAX_CHARACTERS || b.length > MAX_CHARACTERS, isCoarse };
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.slice(0, MAX_CHARACTERS).split(/\r\n|\n|\r/);
}

function rowOf(isSame: boolean, aLine: number | null, bLine: number | null, left: readonly string[], right: readonly string[]): DiffRow {
  const numbers = { aLine: aLine === null ? null : aLine + 1, bLine: bLine === null ? null : bLine + 1 };
  const aText = aLine === null ? null : (left[aLine] ?? '');
  const bText = bLine === null ? null : (right[bLine] ?? '');
  if (isSame) return { kind: 'same', ...numbers, a: whole(aText ?? '', false), b: null };
  if (aText === null) return { kind: 'added', ...numbers, a: null, b: whole(bText ?? '', true) };
  if (bText === null) return { kind: 'removed', ...numbers, a: whole(aText, true), b: null };
  return { kind: 'changed', ...numbers, ...diffWords(aText, bText) };
}

function whole(text: string, isChanged: boolean): Pieces {
  return [{ text, isChanged }];
}

function diffWords(a: string, b: string): { a: Pieces; b: Pieces } {
  const [left, right] = [a.match(WORD) ?? [], b.match(WORD) ?? []];
  const asWhole = { a: whole(a, true), b: whole(b, true) };
  if (left.length > MAX_WORDS || right.length > MAX_WORDS) return asWhole;
  const { runs, isCoarse } = editScript(left, right, MAX_WORD_EDITS);
  if (isCoarse) return asWhole;
  const pieces = { a: [] as Pieces, b: [] as Pieces };
  let common = 0;
  for (const { isSame, aFrom, aTo, bFrom, bTo } of runs) {
    const [aText, bText] = [left.slice(aFrom, aTo).join(''), right.slice(bFrom, bTo).join('')];
    if (isSame) common += aText.trim().length;
    if (aText !== '') pieces.a.push({ text: aText, isChanged: !isSame });
    if (bText !== '') pieces.b.push({ text: bText, isChanged: !isSame });
  }
  return common < LEAST_COMMON_RATIO * Math.min(a.trim().length, b.trim().length) ? asWhole : pieces;
}
