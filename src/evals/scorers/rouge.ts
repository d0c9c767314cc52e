import { z } from 'zod';
import { failed, measured, type Score, unmeasured } from '../score.ts';
import { defineScorer, type Subject } from '../scorer.ts';
import {
  clippedOverlap,
  countSequences,
  f1,
  longestCommonSubsequence,
  MAX_OVERLAP_CHARACTERS,
  sequenceCount,
} from '../text/word-overlap.ts';
import { plainWords, treebankWords } from '../text/words.ts';

const value = z.string().optional().describe('Reference; the case’s reference when absent');

/** @param common how much both sides share, per side; null = too long */
function rouge(
  { output, reference }: Subject,
  wanted: string | undefined,
  words: (text: string) => string[],
  n: number,
  common: (candidate: readonly string[], reference: readonly string[]) => number | null,
): { precision: number; recall: number; score: number } | Score {
  const text = wanted ?? reference;
  if (text === null || text.trim() === '') return unmeasured('There is no reference text.');
  if (output.length > MAX_OVERLAP_CHARACTERS || text.length > MAX_OVERLAP_CHARACTERS)
    return failed('The texts are too long to be compared.');
  const [candidateWords, referenceWords] = [words(output), words(text)];
  const shared = common(candidateWords, referenceWords);
  if (shared === null) return failed('The texts are too long to be compared.');
  const precision = shared / Math.max(1, sequenceCount(candidateWords.length, n));
  const recall = shared / Math.max(1, sequenceCount(referenceWords.length, n));
  return { precision, recall, score: f1(precision, recall) };
}

function sequences(n: number) {
  return (candidate: readonly string[], reference: readonly string[]): number =>
    clippedOverlap(countSequences(candidate, n), countSequences(reference, n));
}

function sharedWords(name: string, n: number, common: ReturnType<typeof sequences> | typeof longestCommonSubsequence, what: string) {
  return defineScorer({
    names: [name],
    summary: `${what} that output and reference share: F1 of precision and recall.`,
    source: 'Lin 2004, W04-1013, as rouge-score and ragas: lower case, letters and digits only, no stemming.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({
      value,
      threshold: z.number().min(0).max(1).optional().describe('Least F1 that passes; without one nothing is demanded'),
    }),
    score(subject, options) {
      const found = rouge(subject, options.value, plainWords, n, common);
      if ('state' in found) return found;
      const passed = options.threshold === undefined ? null : found.score >= options.threshold;
      return measured(found.score, passed, `${name} ${found.score.toFixed(4)}.`, [
        { name: 'precision', value: found.precision },
        { name: 'recall', value: found.recall },
      ]);
    },
  });
}

export default [
  defineScorer({
    names: ['rouge-n'],
    summary: 'Single words that output and reference share: F1 of precision and recall.',
    source:
      'promptfoo: order 1, lower case, words after the Penn Treebank (signs count as words), each counted as often as in the side where it is rarer.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value, threshold: z.number().default(0.75).describe('Least score that passes') }),
    score(subject, options) {
      const found = rouge(subject, options.value, (text) => treebankWords(text.toLowerCase()), 1, sequences(1));
      if ('state' in found) return found;
      return measured(
        found.score,
        found.score >= options.threshold,
        `ROUGE-N ${found.score.toFixed(4)}, at least ${options.threshold} wanted.`,
      );
    },
  }),
  sharedWords('rouge-1', 1, sequences(1), 'Single words'),
  sharedWords('rouge-2', 2, sequences(2), 'Pairs of words'),
  sharedWords('rouge-l', 1, longestCommonSubsequence, 'The longest sequence of words, with gaps,'),
];
