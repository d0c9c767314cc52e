import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  agreementOf,
  answerCorrectness,
  averagePrecision,
  claimMetrics,
  type Entailment,
  fBeta,
  noiseSensitivity,
  precision,
  recall,
  share,
  statementF1,
  topicAdherence,
} from './claim-arithmetic.ts';
import { weightedScore } from './g-eval-score.ts';
import { majorityVote, mergeOrders, tallyPairs } from './pairwise.ts';

function near(value: number | null | undefined, wanted: number): void {
  assert.ok(typeof value === 'number' && Math.abs(value - wanted) <= 1e-6, `${value} is not ${wanted}`);
}

const flags = fc.array(fc.boolean(), { maxLength: 6 });
const matrices = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
  .chain(([passages, answers, references]) => {
    const row = (length: number) => fc.array(fc.boolean(), { minLength: length, maxLength: length });
    const matrix = (length: number) => fc.array(row(length), { minLength: passages, maxLength: passages });
    return fc.record({
      contextToReference: matrix(references),
      contextToAnswer: matrix(answers),
      answerCorrect: row(answers),
      referenceCovered: row(references),
    });
  });

describe('published vectors', () => {
  it('context precision of ragas, docs available_metrics/context_precision.md', () => {
    near(averagePrecision([true, false]), 0.9999999999);
    near(averagePrecision([false, true]), 0.49999999995);
    near(averagePrecision([true, false, true, false, true]), 0.7555555555);
    assert.equal(averagePrecision([false, false]), 0);
    assert.equal(averagePrecision([]), null);
  });

  it('faithfulness of ragas: Einstein with a wrong date, one of two statements supported', () => {
    near(share([true, false]), 0.5);
    assert.equal(share([]), null);
  });

  it('noise sensitivity of ragas: LIC insurance, one of three claims wrong', () => {
    // The two passages that matter both entail claims of the reference; the wrong claim comes from one of them.
    const noise = noiseSensitivity({
      contextToReference: [
        [true, true],
        [false, true],
        [false, false],
      ],
      contextToAnswer: [
        [true, true, false],
        [false, false, true],
        [false, false, false],
      ],
      answerCorrect: [true, true, false],
    });
    near(noise?.relevant, 1 / 3);
    near(noise?.irrelevant, 0);
  });

  it('factual correctness of ragas: the Eiffel tower, one claim of two', () => {
    const agreement = agreementOf([true], [true, false]);
    near(precision(agreement), 1);
    near(recall(agreement), 0.5);
    near(Number(fBeta(agreement, 1)?.toFixed(2)), 0.67);
    near(fBeta(agreement, 2), (5 * 0.5) / (4 + 0.5));
    assert.equal(fBeta(agreementOf([false], [false]), 1), 0);
    assert.equal(fBeta(agreementOf([], [false]), 1), null);
  });

  it('answer correctness of ragas: weights 0.75 and 0.25', () => {
    const f1 = statementF1({ truePositives: 1, falsePositives: 1, falseNegatives: 1 });
    near(f1, 0.5);
    near(answerCorrectness(0.5, 0.8, [0.75, 0.25]), 0.575);
    assert.equal(statementF1({ truePositives: 0, falsePositives: 0, falseNegatives: 0 }), null);
  });

  it('G-Eval of deepeval, tests/test_metrics/test_g_eval_utils.py', () => {
    const token = (text: string, ...alternatives: [string, number][]) => ({
      token: text,
      logProbability: 0,
      alternatives: alternatives.map(([other, probability]) => ({ token: other, logProbability: Math.log(probability) })),
    });
    // The final token that is the score, not the first.
    near(weightedScore(9, [token('9', ['1', 1]), token(' of', ['x', 1]), token('9', ['9', 1])], 0, 10), 9);
    near(weightedScore(6, [token('6', ['4', 1])], 0, 10), 4);
    // Below 1 %, words and what is out of range are dropped; two ways of writing are one.
    near(
      weightedScore(8, [token('8', ['8', 0.5], [' 8', 0.1], ['6', 0.3], ['2', 0.009], ['eight', 0.05], ['80', 0.04])], 0, 10),
      (8 * 0.6 + 6 * 0.3) / 0.9,
    );
    assert.equal(weightedScore(8, [token('7', ['7', 1])], 0, 10), null);
    assert.equal(weightedScore(8, [token('8')], 0, 10), null);
  });
});

describe('arithmetic of claims', () => {
  it('gives finite numbers or nothing, and RAGChecker’s parts add up', () => {
    fc.assert(
      fc.property(matrices, ({ referenceCovered, ...entailment }: Entailment & { referenceCovered: boolean[] }) => {
        const parts = claimMetrics(entailment, referenceCovered);
        const of = (name: string): number => parts.find((part) => part.name === name)?.value ?? 0;
        for (const { name, value } of parts) assert.ok(value >= 0 && value <= 1, `${name} ${value}`);
        if (entailment.answerCorrect.length === 0) return;
        near(of('precision') + of('noise_sensitivity_in_relevant') + of('noise_sensitivity_in_irrelevant') + of('hallucination'), 1);
        near(of('faithfulness') + of('hallucination') + of('self_knowledge'), 1);
      }),
    );
  });

  it('stays between 0 and 1, and says nothing of nothing', () => {
    fc.assert(
      fc.property(flags, flags, fc.double({ min: 0.01, max: 20, noNaN: true }), (supported, covered, beta) => {
        const agreement = agreementOf(supported, covered);
        for (const value of [
          averagePrecision(supported),
          share(supported),
          precision(agreement),
          recall(agreement),
          fBeta(agreement, beta),
          statementF1(agreement),
        ])
          assert.ok(value === null || (value >= 0 && value <= 1 + 1e-12));
      }),
    );
    const topics = [
      { isOurs: true, isAnswered: true },
      { isOurs: true, isAnswered: false },
      { isOurs: false, isAnswered: true },
      { isOurs: false, isAnswered: false },
    ];
    assert.deepEqual(topicAdherence(topics), { truePositives: 1, falsePositives: 1, falseNegatives: 1 });
  });
});

describe('pairs and votes', () => {
  it('takes a disagreement of the two orders for a tie, and counts flips', () => {
    assert.deepEqual(mergeOrders('first', 'second'), { winner: 'first', isFlipped: false });
    assert.deepEqual(mergeOrders('second', 'first'), { winner: 'second', isFlipped: false });
    assert.deepEqual(mergeOrders('first', 'first'), { winner: 'tie', isFlipped: true });
    assert.deepEqual(mergeOrders('tie', 'first'), { winner: 'tie', isFlipped: false });
    assert.deepEqual(mergeOrders('tie', 'tie'), { winner: 'tie', isFlipped: false });
    const tally = tallyPairs([
      mergeOrders('first', 'second'),
      mergeOrders('first', 'first'),
      mergeOrders('second', 'second'),
      mergeOrders('tie', 'tie'),
    ]);
    assert.deepEqual([tally.first, tally.second, tally.ties, tally.flipRate], [1, 0, 3, 0.5]);
    assert.equal(tallyPairs([]).flipRate, null);
  });

  it('does not know when votes are even', () => {
    assert.deepEqual(majorityVote(['a', 'b', 'a']), { choice: 'a', consistency: 2 / 3, votes: 3 });
    assert.deepEqual(majorityVote(['a', 'b']), { choice: null, consistency: 0.5, votes: 2 });
    assert.equal(majorityVote([]), null);
  });
});
