import { z } from 'zod';
import { References } from '../option-schemas.ts';
import { failed, measured, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { clippedOverlap, countSequences, MAX_OVERLAP_CHARACTERS, sequenceCount } from '../text/word-overlap.ts';
import { spacedWords } from '../text/words.ts';

function words(text: string): string[] {
  return spacedWords(text.toLowerCase()).map(withoutEndingDots);
}

function withoutEndingDots(word: string): string {
  let end = word.length;
  while (word[end - 1] === '.') end--;
  return word.slice(0, end);
}

function gleu(candidate: readonly string[], reference: readonly string[]): number {
  let [matches, inCandidate, inReference] = [0, 0, 0];
  for (let n = 1; n <= 4; n++) {
    matches += clippedOverlap(countSequences(candidate, n), countSequences(reference, n));
    inCandidate += sequenceCount(candidate.length, n);
    inReference += sequenceCount(reference.length, n);
  }
  return matches / Math.max(inCandidate, inReference);
}

export default defineScorer({
  names: ['gleu'],
  summary: 'Sequences of one to four words that output and reference share, as a share of the side that has more.',
  source:
    'Wu et al. 2016, arXiv 1609.08144, as promptfoo: lower case, full stops at the ends of words left out, the best of several references.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({
    value: References.optional().describe('Reference, or several of which the nearest counts; the case’s reference when absent'),
    threshold: z.number().default(0.5).describe('Least score that passes'),
  }),
  score({ output, reference }, { value = reference === null ? undefined : [reference], threshold }) {
    if (value === undefined || value.every((text) => text.trim() === '')) return unmeasured('There is no reference text.');
    if ([output, ...value].some(({ length }) => length > MAX_OVERLAP_CHARACTERS)) return failed('The texts are too long to be compared.');
    const score = output.trim() === '' ? 0 : Math.max(...value.map((text) => gleu(words(output), words(text))));
    return measured(score, score >= threshold, `GLEU ${score.toFixed(4)}, at least ${threshold} wanted.`);
  },
});
