import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../sim/seeded-random.ts';
import { decideGate } from '../gate/decide.ts';
import { type CaseScores, DEFAULT_GATE, type GateMetric } from '../gate/model.ts';
import llmRubric from '../scorers/llm-rubric.ts';
import { CalibrationPolicy, calibrate, calibrationState, correctRate, type JudgedLabel, withCalibration } from './calibration.ts';
import { judgeHash, judgeOf, promptHash, selfPreferenceWarning } from './judge.ts';

const POLICY = CalibrationPolicy.parse({});

/** @param counts human and judge agree on yes, only the human says yes, only the judge does, agree on no */
function labels(counts: readonly [number, number, number, number]): JudgedLabel[] {
  const kinds = [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const;
  return counts.flatMap((count, kind) =>
    Array.from({ length: count }, (_, index) => ({
      itemId: `${kind}-${index}`,
      human: kinds[kind]?.[0] ?? false,
      judge: kinds[kind]?.[1] ?? false,
    })),
  );
}

describe('calibration of a judge', () => {
  // 30 of 40 failures caught, 78 of 80 passes kept: the vector of src/stats/agreement.test.ts.
  const calibration = calibrate('a', labels([30, 10, 2, 78]), 0);

  it('gives kappa, sensitivity and specificity with intervals', () => {
    assert.equal(calibration.kappa.value?.toFixed(3), '0.763');
    assert.deepEqual([calibration.sensitivity.value, calibration.specificity.value, calibration.labels], [0.75, 0.975, 120]);
    const [low, high] = calibration.sensitivity.interval;
    assert.ok(low < 0.75 && high > 0.75 && low > 0.58 && high < 0.87);
  });

  it('is a state: too little, changed, enough', () => {
    const state = (of: ReturnType<typeof calibrate> | null, hash = 'a'): string => calibrationState(of, hash, POLICY).state;
    assert.equal(state(null), 'uncalibrated');
    assert.equal(state(calibration), 'calibrated');
    assert.equal(state(calibration, 'b'), 'stale');
    assert.equal(state(calibrate('a', labels([20, 1, 1, 20]), 0)), 'uncalibrated');
    assert.equal(state(calibrate('a', labels([5, 1, 1, 100]), 0)), 'uncalibrated');
    assert.equal(state(calibrate('a', labels([30, 25, 25, 30]), 0)), 'uncalibrated');
    assert.equal(state(calibrate('a', labels([30, 0, 0, 30]), 0)), 'calibrated');
    const silent = labels([10, 0, 0, 10]).map((label): JudgedLabel => ({ ...label, judge: null }));
    assert.match(calibrationState(calibrate('a', [...labels([30, 2, 2, 30]), ...silent], 0), 'a', POLICY).reason, /no verdict on 20 of 84/);
    assert.equal(state(calibrate('a', [], 0)), 'uncalibrated');
  });

  it('an uncalibrated judge informs and does not block', () => {
    const faithful: GateMetric = { name: 'faithfulness', direction: 'higher', margin: 0.03, range: 1, threshold: null };
    const correct: GateMetric = { ...faithful, name: 'correct' };
    const run = (judged: number): CaseScores[] =>
      Array.from({ length: 300 }, (_, index) => ({
        caseId: `c${index}`,
        cluster: `c${index}`,
        slices: {},
        scores: { correct: [1], faithfulness: [index < judged ? 0 : 1] },
      }));
    const verdict = (state: ReturnType<typeof calibrationState> | null): string =>
      decideGate(run(0), run(120), { ...DEFAULT_GATE, metrics: [correct, withCalibration(faithful, state)], slices: [] }).verdict;
    assert.equal(verdict(calibrationState(null, 'a', POLICY)), 'pass');
    assert.equal(verdict(calibrationState(calibration, 'b', POLICY)), 'pass');
    assert.equal(verdict(calibrationState(calibration, 'a', POLICY)), 'regressed');
    assert.equal(verdict(null), 'regressed');
  });

  it('gives no NaN, whatever the labels', () => {
    const item = fc.record({ itemId: fc.string(), human: fc.boolean(), judge: fc.option(fc.boolean()) });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.array(fc.boolean(), { maxLength: 30 }), (items, judged) => {
        const pairs = items.flatMap(({ human, judge }) => (judge === null ? [] : [{ human, judge }]));
        const numbers = JSON.stringify([calibrate('a', items, 0), correctRate(pairs, judged)], (_, value: unknown) =>
          typeof value === 'number' && !Number.isFinite(value) ? 'NaN!' : value,
        );
        assert.ok(!numbers.includes('NaN!'), numbers);
      }),
    );
  });
});

interface World {
  readonly name: string;
  readonly rate: number;
  readonly sensitivity: number;
  readonly specificity: number;
}
const WORLDS: readonly World[] = [
  { name: 'good judge', rate: 0.5, sensitivity: 0.92, specificity: 0.95 },
  { name: 'misses a third', rate: 0.6, sensitivity: 0.66, specificity: 0.98 },
  { name: 'cries wolf', rate: 0.3, sensitivity: 0.95, specificity: 0.75 },
  { name: 'rare', rate: 0.17, sensitivity: 0.7, specificity: 0.98 },
];
const ITEMS = 450;
const ROUNDS = 1000;

function draw(world: World, seed: string): { labelled: { human: boolean; judge: boolean }[]; judged: boolean[]; truth: number } {
  const random = seededRandom(seed);
  const all = Array.from({ length: ITEMS }, () => {
    const human = random.chance(world.rate);
    return { human, judge: random.chance(human ? world.sensitivity : 1 - world.specificity) };
  });
  return { labelled: all.slice(0, 50), judged: all.slice(50).map(({ judge }) => judge), truth: world.rate };
}

describe('corrected rates, on items whose truth is known', () => {
  for (const world of WORLDS)
    it(`${world.name}: 50 labels of ${ITEMS} cover the truth in at least 93 %, narrower than the labels alone`, () => {
      const covers = { corrected: 0, roganGladen: 0, judge: 0 };
      const width = { corrected: 0, human: 0 };
      let withRoganGladen = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const { labelled, judged, truth } = draw(world, `replay ${world.name} ${round}`);
        const rate = correctRate(labelled, judged);
        const holds = (interval: readonly [number, number] | undefined): number =>
          interval !== undefined && interval[0] <= truth && truth <= interval[1] ? 1 : 0;
        covers.corrected += holds(rate.corrected?.interval);
        covers.judge += holds(rate.judge?.interval);
        if (rate.roganGladen !== null) {
          withRoganGladen++;
          covers.roganGladen += holds(rate.roganGladen.interval);
        }
        width.corrected += (rate.corrected?.interval[1] ?? 1) - (rate.corrected?.interval[0] ?? 0);
        width.human += (rate.human?.interval[1] ?? 1) - (rate.human?.interval[0] ?? 0);
      }
      const shown = JSON.stringify({ covers, width, withRoganGladen });
      assert.ok(covers.corrected >= 0.93 * ROUNDS, shown);
      assert.ok(covers.roganGladen >= 0.93 * withRoganGladen, shown);
      assert.ok(width.corrected < width.human, shown);
    });

  it('does not turn the order of two systems round, where the judge alone does', () => {
    const better: World = { name: 'a', rate: 0.489, sensitivity: 0.85, specificity: 0.98 };
    const worse: World = { name: 'b', rate: 0.533, sensitivity: 0.65, specificity: 0.98 };
    let judgeReverses = 0;
    let correctedReverses = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b] = [better, worse].map((world) => {
        const { labelled, judged } = draw(world, `order ${world.name} ${round}`);
        return correctRate(labelled, judged);
      });
      // In truth a has the lower rate.
      if ((a?.judge?.interval[0] ?? 0) > (b?.judge?.interval[1] ?? 1)) judgeReverses++;
      if ((a?.corrected?.interval[0] ?? 0) > (b?.corrected?.interval[1] ?? 1)) correctedReverses++;
    }
    // Two intervals of 95 % that do not overlap, in the wrong order: rarer than either missing the truth on its own side.
    assert.ok(judgeReverses >= 0.1 * ROUNDS && correctedReverses <= 0.01 * ROUNDS, `${judgeReverses}, ${correctedReverses}`);
  });
});

describe('who judges', () => {
  const judge = { model: 'gpt-4o', promptHash: promptHash(['a', 'b']), rubricVersion: '1', parameters: { temperature: 0, samples: 1 } };

  it('is another judge when the model, a prompt, the rubric or a parameter is another', () => {
    const hash = judgeHash(judge);
    assert.equal(judgeHash({ ...judge, parameters: { samples: 1, temperature: 0 } }), hash);
    for (const other of [
      { model: 'gpt-4.1' },
      { promptHash: promptHash(['ab']) },
      { rubricVersion: '2' },
      { parameters: { temperature: 0, samples: 3 } },
    ])
      assert.notEqual(judgeHash({ ...judge, ...other }), hash);
    assert.notEqual(promptHash(['a', 'b']), promptHash(['ab', '']));
  });

  it('is told by a scorer: its prompts and the rubric of the suite', () => {
    const options = (rubricPrompt?: string) =>
      llmRubric.options.parse({ value: 'Names Ulm.', ...(rubricPrompt === undefined ? {} : { rubricPrompt }) });
    const of = (prompt?: string, rubric = 'Names {{ city }}.') =>
      judgeOf(llmRubric, options(prompt), { model: 'm', rubric, parameters: {} });
    assert.deepEqual(of(), of());
    assert.notEqual(of()?.promptHash, of('{{ output }}')?.promptHash);
    assert.deepEqual(of()?.parameters, { options: '{"votes":1}' });
    assert.notEqual(of()?.rubricVersion, of(undefined, 'Names {{ town }}.')?.rubricVersion);
    assert.equal(judgeOf({}, {}, { model: 'm', rubric: null, parameters: {} }), null);
  });

  it('warns of a judge that judges itself or its kin', () => {
    assert.match(selfPreferenceWarning('gpt-4o', 'gpt-4o') ?? '', /is the model that it judges/);
    assert.match(selfPreferenceWarning('openai/gpt-4.1-mini', 'azure/gpt-4o') ?? '', /OpenAI family/);
    assert.match(selfPreferenceWarning('o3-mini', 'chatgpt-4o-latest') ?? '', /OpenAI family/);
    assert.match(selfPreferenceWarning('anthropic.claude-3-5-sonnet-20241022-v2:0', 'claude-opus-4') ?? '', /Claude family/);
    assert.equal(selfPreferenceWarning('claude-sonnet-4', 'gpt-4o'), null);
    assert.equal(selfPreferenceWarning('our-own-model', 'another'), null);
  });
});
