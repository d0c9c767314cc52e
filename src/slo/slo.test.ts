import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_SLO, SloConfig } from '../features/slo-config.ts';
import type { ScoreTotals } from '../traces/scores/store.ts';
import { type FeatureEvidence, loadLines } from './load-lines.ts';
import { LINE_IDS, type LineId, LoadLine } from './model.ts';
import type { CallCounts } from './store.ts';
import { loadOf, quantileVerdict, verdictOf } from './verdict.ts';

const NOTHING: FeatureEvidence = { calls: null, answers: null, repeats: null, scores: [], keepsTexts: true };
const NO_TIMES = { count: 0, over: 0, value: null, interval: null };

function calls(changes: Partial<CallCounts>): CallCounts {
  const none = { errors: 0, aborted: 0, pricedCalls: 0, costUsd: 0, costUsdSquares: 0, validOutputs: 0, invalidOutputs: 0 };
  return { feature: 'f', calls: 0, ...none, ttftP95: NO_TIMES, durationP50: NO_TIMES, durationP99: NO_TIMES, ...changes };
}

function scores(name: string, changes: Partial<ScoreTotals>): ScoreTotals {
  const rest = {
    feature: 'f',
    kind: 'score',
    dataType: 'boolean',
    source: 'llm',
    sumOfSquares: 0,
    least: 0,
    most: 1,
    categories: [],
  } as const;
  return { ...rest, name, count: 0, sum: 0, ...changes };
}

function lineOf(id: LineId, evidence: Partial<FeatureEvidence>, slo: Partial<SloConfig> = {}): LoadLine {
  const found = loadLines({ ...DEFAULT_SLO, ...slo }, { ...NOTHING, ...evidence }).find((line) => line.id === id);
  assert.ok(found);
  return LoadLine.parse(found);
}

describe('load lines', () => {
  it('are all there, and without evidence each says what it needs; none is a number', () => {
    const lines = loadLines(DEFAULT_SLO, NOTHING);
    assert.deepEqual(
      lines.map(({ id }) => id),
      [...LINE_IDS],
    );
    for (const { id, value, load, verdict, reason, interval } of lines)
      assert.deepEqual([value, load, interval, verdict, (reason ?? '').length > 5], [null, null, null, 'unmeasured', true], id);
    for (const [id, word] of [
      ['hallucination', 'judge'],
      ['context_utilisation', 'judge'],
      ['format_compliance', 'schema'],
      ['satisfaction', 'feedback'],
      ['retry', 'users'],
      ['policy_violation', 'guardrails'],
    ] as const)
      assert.match(lines.find((line) => line.id === id)?.reason ?? '', new RegExp(`needs.*${word}`));
    assert.match(lineOf('refusal', { keepsTexts: false }).reason ?? '', /needs texts/);
  });

  it('have the defaults that the documentation names, and none where null is written', () => {
    assert.deepEqual(
      loadLines(DEFAULT_SLO, NOTHING).map(({ line }) => line),
      [800, 2_000, 10_000, 0.02, null, 0.02, 0.01, 0.99, 0.6, 4.2, 0.03, null, null],
    );
    const counts = calls({ calls: 100, errors: 50 });
    assert.equal(lineOf('error_rate', { calls: counts }, SloConfig.parse({ errorRate: null })).verdict, 'no_line');
    assert.equal(SloConfig.safeParse({ satisfaction: 6 }).success, false);
    assert.equal(SloConfig.safeParse({ eror: 1 }).success, false);
  });

  it('judge by the interval: few calls settle nothing, many do', () => {
    const verdict = (errors: number, n: number) => lineOf('error_rate', { calls: calls({ calls: n, errors }) }).verdict;
    assert.equal(verdict(0, 50), 'unclear');
    assert.equal(verdict(0, 400), 'within');
    assert.equal(verdict(9, 400), 'unclear');
    assert.equal(verdict(40, 400), 'beyond');
    assert.equal(verdict(3, 3), 'beyond');
    // Who left does not count as served.
    assert.equal(lineOf('error_rate', { calls: calls({ calls: 5, errors: 0, aborted: 5 }) }).verdict, 'unmeasured');
  });

  it('judge quantiles by how many calls take longer', () => {
    assert.equal(quantileVerdict(0, 100, 0.95), 'within');
    assert.equal(quantileVerdict(0, 50, 0.95), 'unclear');
    assert.equal(quantileVerdict(0, 380, 0.99), 'unclear');
    assert.equal(quantileVerdict(0, 381, 0.99), 'within');
    assert.equal(quantileVerdict(12, 100, 0.95), 'beyond');
    const ttftP95 = { count: 1_000, over: 20, value: 640, interval: [600, 700] as const };
    const line = lineOf('ttft_p95', { calls: calls({ calls: 1_000, ttftP95 }) });
    assert.deepEqual([line.value, line.interval, line.verdict, line.load, line.count], [640, [600, 700], 'within', 0.8, 1_000]);
  });

  it('take satisfaction from stars alone, on its scale, and never from thumbs', () => {
    const stars = scores('csat', { kind: 'feedback', dataType: 'numeric', source: 'user', count: 200, sum: 940, least: 1, most: 5 });
    const line = lineOf('satisfaction', { scores: [stars, scores('thumbs', { kind: 'feedback', count: 50, sum: 0 })] });
    assert.deepEqual([line.value, line.count, line.verdict], [4.7, 200, 'within']);
    assert.ok(line.load !== null && Math.abs(line.load - 0.3 / 0.8) < 1e-9);
    assert.equal(lineOf('satisfaction', { scores: [scores('thumbs', { kind: 'feedback', count: 50, sum: 50 })] }).verdict, 'unmeasured');
  });

  it('take judgements between 0 and 1 and no others', () => {
    const line = lineOf('hallucination', { scores: [scores('hallucination', { count: 1_000, sum: 100 })] });
    assert.deepEqual([line.value, line.verdict, line.load], [0.1, 'beyond', 5]);
    const outside = scores('hallucination', { dataType: 'numeric', count: 10, sum: 70, least: 1, most: 10 });
    assert.equal(lineOf('hallucination', { scores: [outside] }).verdict, 'unmeasured');
  });

  it('say what a cost and a refusal rate leave out', () => {
    const cost = (pricedCalls: number) =>
      lineOf('cost_per_call', { calls: calls({ calls: 100, pricedCalls, costUsd: 1, costUsdSquares: 0.02 }) });
    assert.match(cost(90).note ?? '', /10 calls without a price/);
    assert.match(cost(50).reason ?? '', /price/);
    const refusal = lineOf('refusal', { answers: { feature: 'f', classified: 1_000, refused: 1, partial: 3 } });
    assert.deepEqual([refusal.value, refusal.verdict], [0.001, 'within']);
    assert.match(refusal.note ?? '', /upper bound.*of 36.*of 66/);
  });

  it('lie at 1 when the value is at the line, and deeper the worse it is', () => {
    assert.equal(loadOf(4.2, 4.2, 5), 1);
    assert.equal(loadOf(5, 4.2, 5), 0);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.001, max: 1, noNaN: true }), (value, line) => {
        const load = loadOf(value, line, 0);
        assert.equal(load > 1, value > line);
        const verdict = verdictOf([value, value], line, 'at_most');
        assert.equal(verdict, value <= line ? 'within' : 'beyond');
      }),
    );
  });
});
