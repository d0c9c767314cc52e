import { z } from 'zod';
import { References } from '../option-schemas.ts';
import { failed, measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { porterStem } from '../text/porter-stem.ts';
import { MAX_OVERLAP_CHARACTERS } from '../text/word-overlap.ts';

interface Placed {
  readonly at: number;
  readonly word: string;
}

function words(text: string): Placed[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((word, at) => {
      let end = word.length;
      while (word[end - 1] === '.') end--;
      return { at, word: word.slice(0, end) };
    });
}

/** Pairs from the end, each word with the last that is left of its kind. */
function pair(
  candidate: readonly Placed[],
  reference: readonly Placed[],
): { pairs: [number, number][]; left: Placed[]; leftReference: Placed[] } {
  const places = new Map<string, Placed[]>();
  for (const placed of reference) {
    const known = places.get(placed.word);
    if (known === undefined) places.set(placed.word, [placed]);
    else known.push(placed);
  }
  const pairs: [number, number][] = [];
  const left: Placed[] = [];
  for (const placed of [...candidate].reverse()) {
    const match = places.get(placed.word)?.pop();
    if (match === undefined) left.unshift(placed);
    else pairs.push([placed.at, match.at]);
  }
  return { pairs, left, leftReference: [...places.values()].flat().sort((a, b) => a.at - b.at) };
}

function meteor(
  candidate: readonly Placed[],
  reference: readonly Placed[],
  { alpha, beta, gamma }: { alpha: number; beta: number; gamma: number },
): number {
  const exact = pair(candidate, reference);
  const stems = (placed: readonly Placed[]): Placed[] => placed.map(({ at, word }) => ({ at, word: porterStem(word) }));
  const pairs = [...exact.pairs, ...pair(stems(exact.left), stems(exact.leftReference)).pairs].sort(([a], [b]) => a - b);
  if (pairs.length === 0) return 0;
  const precision = pairs.length / candidate.length;
  const recall = pairs.length / reference.length;
  const chunks = pairs.filter(([at, in_], index) => {
    const before = pairs[index - 1];
    return before === undefined || at !== before[0] + 1 || in_ !== before[1] + 1;
  }).length;
  const mean = (precision * recall) / (alpha * precision + (1 - alpha) * recall);
  return (1 - gamma * (chunks / pairs.length) ** beta) * mean;
}

export default defineScorer({
  names: ['meteor'],
  summary: 'Words that output and reference share, by form or stem, less a penalty for broken order.',
  source:
    'Banerjee & Lavie 2005, W05-0909, with promptfoo’s parameters. Forms and Porter stems; without promptfoo’s third stage, WordNet synonyms (34 MB of English data), so a score can be lower than there, never higher by it.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: References.optional().describe('Reference, or several of which the nearest counts; the case’s reference when absent'),
    threshold: z.number().default(0.5).describe('Least score that passes'),
    alpha: z.number().min(0).max(1).default(0.9).describe('Weight of recall against precision'),
    beta: z.number().min(0).default(3).describe('Shape of the penalty'),
    gamma: z.number().min(0).max(1).default(0.5).describe('Size of the penalty'),
  }),
  score({ output, reference }, { value = reference === null ? undefined : [reference], threshold, ...shape }) {
    if (value === undefined || value.every((text) => text.trim() === '')) return unmeasured('There is no reference text.');
    if ([output, ...value].some(({ length }) => length > MAX_OVERLAP_CHARACTERS)) return failed('The texts are too long to be compared.');
    const candidate = words(output);
    const score = output.trim() === '' ? 0 : Math.max(...value.map((text) => meteor(candidate, words(text), shape)));
    return measured(score, score >= threshold, `METEOR ${score.toFixed(4)}, at least ${threshold} wanted.`);
  },
});
