import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decideGate } from './decide.ts';
import { type CaseScores, DEFAULT_GATE, type GateMetric, type GateSpec } from './model.ts';

const CORRECT: GateMetric = { name: 'correct', direction: 'higher', margin: 0.05, range: 1, threshold: null };
const SPEC: GateSpec = { ...DEFAULT_GATE, metrics: [CORRECT], slices: [] };

function run(values: readonly (number | null)[], slices: (index: number) => Record<string, string> = () => ({})): CaseScores[] {
  return values.map((value, index) => ({ caseId: `c${index}`, cluster: `c${index}`, slices: slices(index), scores: { correct: [value] } }));
}
function ones(n: number, wrong: readonly number[] = []): number[] {
  return Array.from({ length: n }, (_, index) => (wrong.includes(index) ? 0 : 1));
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('decideGate', () => {
  it('passes what is shown to be no worse than the margin', () => {
    const report = decideGate(run(ones(200)), run(ones(200)), SPEC);
    assert.equal(report.verdict, 'pass');
    assert.deepEqual(report.comparisons[0]?.difference, 0);
  });

  it('does not take a few cases that agree for a proof', () => {
    const report = decideGate(run(ones(30)), run(ones(30)), SPEC);
    assert.equal(report.verdict, 'not enough evidence');
    assert.match(report.comparisons[0]?.reason ?? '', /not ruled out; the margin is 0\.05/);
    const needed = report.comparisons[0]?.casesNeeded ?? 0;
    assert.equal(decideGate(run(ones(needed)), run(ones(needed)), SPEC).verdict, 'pass');
    assert.equal(decideGate(run(ones(needed - 1)), run(ones(needed - 1)), SPEC).verdict, 'not enough evidence');
  });

  it('blocks a drop that is no chance, and says how large', () => {
    const report = decideGate(run(ones(200)), run(ones(200, range(0, 20))), SPEC);
    assert.equal(report.verdict, 'regressed');
    assert.equal(report.comparisons[0]?.difference, -0.1);
    assert.match(report.comparisons[0]?.reason ?? '', /Worse by 0\.1/);
  });

  it('lets a drop within the margin pass, however certain it is', () => {
    const report = decideGate(run(ones(5000)), run(ones(5000, range(0, 50))), SPEC);
    assert.equal(report.verdict, 'pass');
  });

  it('does not let a language hide in the mean', () => {
    const language = (index: number): Record<string, string> => ({ language: index < 40 ? 'de' : 'en' });
    const baseline = run(ones(1000), language);
    const candidate = run(ones(1000, range(0, 15)), language);
    assert.equal(decideGate(baseline, candidate, SPEC).verdict, 'pass');
    const report = decideGate(baseline, candidate, { ...SPEC, slices: ['language'] });
    assert.equal(report.verdict, 'regressed');
    const blocking = report.comparisons.filter(({ verdict }) => verdict === 'regressed');
    assert.deepEqual(
      blocking.map(({ slice }) => slice),
      [{ name: 'language', value: 'de' }],
    );
  });

  it('names slices that are too small to be tested', () => {
    const report = decideGate(
      run(ones(200), (index) => ({ language: index < 3 ? 'fi' : 'en' })),
      run(ones(200)),
      { ...SPEC, slices: ['language'] },
    );
    assert.deepEqual(report.smallSlices, [{ name: 'language', value: 'fi', cases: 3 }]);
  });

  it('takes what was not measured for neither good nor bad', () => {
    const few = ones(300).map((value, index) => (index < 10 ? null : value));
    const report = decideGate(run(ones(300)), run(few), SPEC);
    assert.equal(report.verdict, 'pass');
    assert.deepEqual([report.comparisons[0]?.unmeasured, report.comparisons[0]?.candidate], [10, 1]);
    const many = ones(300).map((value, index) => (index < 30 ? null : value));
    assert.equal(decideGate(run(ones(300)), run(many), SPEC).verdict, 'not enough evidence');
    const none = run(ones(300).map(() => null));
    const nothing = decideGate(run(ones(300)), none, SPEC);
    assert.equal(nothing.verdict, 'not enough evidence');
    assert.deepEqual([nothing.comparisons[0]?.candidate, nothing.comparisons[0]?.p], [null, null]);
  });

  it('judges thresholds where the interval ends', () => {
    const spec: GateSpec = { ...SPEC, metrics: [{ ...CORRECT, threshold: 0.85 }] };
    assert.equal(decideGate(run(ones(300, range(0, 15))), run(ones(300, range(0, 15))), spec).verdict, 'pass');
    assert.equal(decideGate(run(ones(300, range(0, 42))), run(ones(300, range(0, 42))), spec).verdict, 'not enough evidence');
    assert.equal(decideGate(run(ones(300, range(0, 80))), run(ones(300, range(0, 80))), spec).verdict, 'regressed');
  });

  it('turns metrics of which less is better', () => {
    const spec: GateSpec = { ...SPEC, metrics: [{ name: 'correct', direction: 'lower', margin: 100, range: null, threshold: null }] };
    const times = (extra: number): CaseScores[] => run(range(0, 100).map((index) => 800 + ((index * 37) % 50) + extra * (1 + (index % 3))));
    assert.equal(decideGate(times(0), times(10), spec).verdict, 'pass');
    const slower = decideGate(times(0), times(100), spec);
    assert.equal(slower.verdict, 'regressed');
    assert.ok((slower.comparisons[0]?.difference ?? 0) > 0);
  });

  it('tells of a metric that may not block, and does not let it decide', () => {
    const scored = (good: readonly number[], judged: readonly (number | null)[]): CaseScores[] =>
      good.map((value, index) => ({
        caseId: `c${index}`,
        cluster: `c${index}`,
        slices: { language: index < 100 ? 'de' : 'en' },
        scores: { correct: [value], faithful: [judged[index] ?? null] },
      }));
    const faithful: GateMetric = { ...CORRECT, name: 'faithful', mayBlock: false };
    const spec: GateSpec = { ...SPEC, metrics: [CORRECT, faithful], slices: ['language'] };
    const baseline = scored(ones(200), ones(200));
    const worse = scored(ones(200), ones(200, range(0, 60)));
    const report = decideGate(baseline, worse, spec);
    assert.equal(report.verdict, 'pass');
    const told = report.comparisons.find(({ metric, slice }) => metric === 'faithful' && slice === null);
    assert.deepEqual([told?.verdict, told?.mayBlock], ['regressed', false]);
    assert.equal(decideGate(baseline, worse, { ...spec, metrics: [CORRECT, { ...faithful, mayBlock: true }] }).verdict, 'regressed');
    assert.equal(decideGate(baseline, scored(ones(200), []), spec).verdict, 'pass');
    assert.equal(decideGate(baseline, baseline, { ...spec, metrics: [faithful] }).verdict, 'not enough evidence');
    // Five watched metrics do not make the gate five times as deaf.
    const slightly = decideGate(run(ones(200)), run(ones(200, range(0, 20))), { ...SPEC, metrics: [CORRECT] });
    const watched = Array.from({ length: 5 }, (_, index): GateMetric => ({ ...CORRECT, name: `watched ${index}`, mayBlock: false }));
    const among = decideGate(run(ones(200)), run(ones(200, range(0, 20))), { ...SPEC, metrics: [CORRECT, ...watched] });
    assert.equal(among.comparisons[0]?.adjustedP, slightly.comparisons[0]?.adjustedP);
  });

  it('says which cases the runs do not share, and refuses a case that comes twice', () => {
    const report = decideGate(run(ones(101)), run(ones(100)), SPEC);
    assert.deepEqual(report.onlyInBaseline, ['c100']);
    assert.throws(() => decideGate([...run(ones(2)), ...run(ones(1))], run(ones(2)), SPEC), /case c0 twice/);
    assert.throws(() => decideGate(run([Number.NaN, 1]), run([1, 1]), SPEC), { code: 'invalid_argument' });
  });

  it('does not depend on the order, and never gives NaN', () => {
    const score = fc.option(fc.constantFrom(0, 0.5, 1), { nil: null, freq: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(score, score), { maxLength: 60 }), (scores) => {
        const clustered = (cases: CaseScores[]): CaseScores[] =>
          cases.map((entry, index) => ({ ...entry, cluster: String(index % 9), slices: { half: String(index % 2) } }));
        const baseline = clustered(run(scores.map(([before]) => before)));
        const candidate = clustered(run(scores.map(([, after]) => after)));
        const spec = { ...SPEC, slices: ['half'] };
        const report = decideGate(baseline, candidate, spec);
        assert.equal(decideGate([...baseline].reverse(), [...candidate].reverse(), spec).verdict, report.verdict);
        assert.ok(
          !JSON.stringify(report, (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? 'NaN!' : value)).includes(
            'NaN!',
          ),
        );
      }),
    );
  });
});
