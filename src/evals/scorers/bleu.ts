import { z } from 'zod';
import { References } from '../option-schemas.ts';
import { failed, measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { clippedOverlap, countSequences, MAX_OVERLAP_CHARACTERS, sequenceCount } from '../text/word-overlap.ts';
import { spacedWords, wordsAndSigns } from '../text/words.ts';

/** In place of a precision of 0, whose logarithm there is not. */
const SMALLEST_PRECISION = 1e-7;

function bleu(candidate: readonly string[], references: readonly (readonly string[])[]): number {
  const precisions: number[] = [];
  for (let n = 1; n <= 4; n++) {
    const total = sequenceCount(candidate.length, n);
    if (total === 0) continue;
    const counts = countSequences(candidate, n);
    const best = Math.max(...references.map((reference) => clippedOverlap(counts, countSequences(reference, n))));
    precisions.push(best / total);
  }
  const away = (length: number): number => Math.abs(length - candidate.length);
  const nearest = references.map(({ length }) => length).reduce((a, b) => (away(b) < away(a) || (away(b) === away(a) && b < a) ? b : a));
  const penalty = candidate.length > nearest ? 1 : Math.exp(1 - nearest / candidate.length);
  const logarithms = precisions.map((precision) => Math.log(precision === 0 ? SMALLEST_PRECISION : precision));
  return penalty * Math.exp(logarithms.reduce((sum, each) => sum + each, 0) / logarithms.length);
}

export default defineScorer({
  names: ['bleu'],
  summary: 'How many of the output’s sequences of one to four words stand in a reference, less a penalty for a short output.',
  source:
    'Papineni et al. 2002, P02-1040, as promptfoo: per sentence, lower case, words between white space, orders longer than the output left out, 1e-7 for a precision of 0. `tokenizer: 13a` takes signs apart and keeps capitals, as sacreBLEU does.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: References.optional().describe('Reference, or several of which each sequence takes the best; the case’s reference when absent'),
    threshold: z.number().default(0.5).describe('Least score that passes'),
    tokenizer: z.enum(['whitespace', '13a']).default('whitespace').describe('How words are told apart'),
  }),
  score({ output, reference }, { value = reference === null ? undefined : [reference], threshold, tokenizer }) {
    if (value === undefined || value.every((text) => text.trim() === '')) return unmeasured('There is no reference text.');
    if ([output, ...value].some(({ length }) => length > MAX_OVERLAP_CHARACTERS)) return failed('The texts are too long to be compared.');
    const words = (text: string): string[] => (tokenizer === '13a' ? wordsAndSigns(text) : spacedWords(text.toLowerCase()));
    const score = output.trim() === '' ? 0 : bleu(words(output), value.map(words));
    return measured(score, score >= threshold, `BLEU ${score.toFixed(4)}, at least ${threshold} wanted.`);
  },
});
