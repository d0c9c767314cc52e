import { type Score, unmeasured, verdict } from '../score.ts';
import type { ScoringTools } from '../scorer.ts';
import { boundedTools } from './bounded-tools.ts';
import { comparePair, type PairwiseTally, tallyPairs } from './pairwise.ts';

/** Scorers over several outputs of one case: `select-best` and `max-score`. They stand apart from `ScorerDefinition`, which sees one output. */

export interface Selection {
  /** One score for each output, in order. */
  readonly scores: readonly Score[];
  /** Of the comparisons; null when nothing was compared. */
  readonly tally: PairwiseTally | null;
}

/**
 * Compares each two outputs in both orders; the one that wins most is the best. When several win as often, they are unmeasured: none is better, and the
 * order in which they stand must not decide.
 * @param rubricPrompt with {{ criteria }}, {{ first }} and {{ second }}
 * @throws PlimsollError `judge_unreadable`
 * @see promptfoo select-best, which asks once for the number of the best and so favours a place
 */
export async function selectBest(
  tools: ScoringTools,
  criteria: string,
  outputs: readonly string[],
  rubricPrompt?: string,
): Promise<Selection> {
  if (outputs.length < 2)
    return { scores: outputs.map(() => unmeasured('There is only one output: nothing to choose from.')), tally: null };
  const pairs = outputs.flatMap((_, a) => outputs.slice(a + 1).map((__, offset) => [a, a + 1 + offset] as const));
  const bounded = boundedTools(tools);
  const compared = await Promise.all(
    pairs.map(async ([a, b]) => ({ a, b, ...(await comparePair(bounded, criteria, outputs[a] ?? '', outputs[b] ?? '', rubricPrompt)) })),
  );
  const wins = outputs.map((_, index) =>
    compared.reduce((sum, { a, b, winner }) => {
      const won = (winner === 'first' && a === index) || (winner === 'second' && b === index);
      const tied = winner === 'tie' && (a === index || b === index);
      return sum + (won ? 1 : tied ? 0.5 : 0);
    }, 0),
  );
  const most = Math.max(...wins);
  const isShared = wins.filter((count) => count === most).length > 1;
  const scores = wins.map((count, index) => {
    if (count < most) return verdict(false, `Output ${index + 1} is not the best: ${count} of ${outputs.length - 1} comparisons won.`);
    return isShared
      ? unmeasured(`Output ${index + 1} is as good as another: no output is the best.`)
      : verdict(true, `Output ${index + 1} is the best: ${count} of ${outputs.length - 1} comparisons won.`);
  });
  return { scores, tally: tallyPairs(compared) };
}

export interface WeightedScore {
  /** Name of the scorer, for its weight. */
  readonly type: string;
  readonly score: Score;
}

/**
 * The output whose other scores are highest together; of equals the first. What was not measured is left out, and an output of which nothing was measured
 * does not take part.
 * @param scores of each output, without those of `select-best` and `max-score`
 * @see promptfoo max-score: method, weights by type (default 1) and threshold
 */
export function selectMaxScore(
  scores: readonly (readonly WeightedScore[])[],
  options: { readonly method?: 'average' | 'sum'; readonly weights?: Readonly<Record<string, number>>; readonly threshold?: number } = {},
): readonly Score[] {
  const totals = scores.map((all) => {
    let sum = 0;
    let weights = 0;
    for (const { type, score } of all) {
      if (score.state !== 'measured') continue;
      const weight = options.weights !== undefined && Object.hasOwn(options.weights, type) ? (options.weights[type] ?? 1) : 1;
      sum += score.value * weight;
      weights += weight;
    }
    if (all.every(({ score }) => score.state !== 'measured')) return null;
    return options.method === 'sum' ? sum : weights > 0 ? sum / weights : 0;
  });
  const present = totals.filter((total) => total !== null);
  const most = Math.max(...present);
  const winner = totals.indexOf(most);
  return totals.map((total, index) => {
    if (total === null) return unmeasured('None of this output’s other scores was measured.');
    if (present.length < 2) return unmeasured('There is no other output with scores: nothing to choose from.');
    const reaches = options.threshold === undefined || total >= options.threshold;
    const isBest = index === winner && reaches;
    const why = isBest
      ? 'the highest'
      : index === winner
        ? `below the threshold ${options.threshold}`
        : `the highest is ${most.toFixed(3)}`;
    return verdict(isBest, `Score ${total.toFixed(3)}: ${why}.`);
  });
}
