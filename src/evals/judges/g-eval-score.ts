import type { JudgeReply } from '../scorer.ts';

const LEAST_PROBABILITY = 0.01;

/**
 * The score that a judge gives in expectation: at the last token that is its score, the alternatives weighted by their probabilities. Alternatives below
 * 1 % and those that are no whole number in the range are dropped, the same number written in two ways counts once with both probabilities.
 * @param score the whole number that the reply gives
 * @returns in [lowest, highest]; null when no token is the score, or no alternative is left
 * @see Liu et al. 2023, "G-Eval", arXiv 2303.16634; deepeval metrics/g_eval/utils.py
 */
export function weightedScore(score: number, tokens: NonNullable<JudgeReply['tokens']>, lowest: number, highest: number): number | null {
  const last = tokens.findLast(({ token }) => token.trim() === String(score));
  if (last === undefined) return null;
  const weights = new Map<number, number>();
  for (const { token, logProbability } of last.alternatives) {
    const probability = Math.exp(logProbability);
    const number = /^\d{1,3}$/.test(token.trim()) ? Number(token.trim()) : Number.NaN;
    if (!(probability >= LEAST_PROBABILITY && probability <= 1.000001) || !(number >= lowest && number <= highest)) continue;
    weights.set(number, (weights.get(number) ?? 0) + probability);
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? null : [...weights].reduce((sum, [number, weight]) => sum + number * weight, 0) / total;
}

/** To [0, 1]. @param score in [lowest, highest] */
export function scaledScore(score: number, lowest: number, highest: number): number {
  return (score - lowest) / (highest - lowest);
}
