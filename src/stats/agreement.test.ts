import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cohenKappa, krippendorffAlpha } from './agreement.ts';
import { predictionPoweredMean, roganGladen } from './judge-correction.ts';

function times<T>(value: T, count: number): T[] {
  return Array<T>(count).fill(value);
}

const NONE = null;
// Krippendorff 2011, the four observers of his example.
const OBSERVERS = [
  [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
  [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
  [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
  [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
];
const ITEMS = Array.from({ length: 12 }, (_, item) =>
  OBSERVERS.map((ratings) => ratings[item] ?? NONE).filter((rating): rating is number => rating !== NONE),
);

describe('agreement', () => {
  // PyPI, llm-judge-agreement: 30 of 40 failures caught, 78 of 80 passes kept.
  it('gives the published kappa', () => {
    const pairs: [string, string][] = [
      ...times<[string, string]>(['fail', 'fail'], 30),
      ...times<[string, string]>(['fail', 'pass'], 10),
      ...times<[string, string]>(['pass', 'fail'], 2),
      ...times<[string, string]>(['pass', 'pass'], 78),
    ];
    const { kappa, interval, agreement } = cohenKappa(pairs);
    assert.equal(kappa?.toFixed(3), '0.763');
    assert.equal(agreement, 0.9);
    assert.ok(interval !== null && interval[0] < 0.763 && interval[1] > 0.763);
  });

  it('has no kappa where no disagreement was possible', () => {
    assert.deepEqual(cohenKappa(times<[string, string]>(['pass', 'pass'], 9)), { kappa: null, interval: null, agreement: 1, n: 9 });
    assert.throws(() => cohenKappa([]), { code: 'invalid_argument' });
  });

  it('gives Krippendorff’s published alphas', () => {
    assert.equal(krippendorffAlpha(ITEMS, 'nominal')?.toFixed(3), '0.743');
    assert.equal(krippendorffAlpha(ITEMS, 'ordinal')?.toFixed(3), '0.815');
    assert.equal(krippendorffAlpha(ITEMS, 'interval')?.toFixed(3), '0.849');
    // inspect_ai, tests/scorer/test_krippendorff.py
    assert.equal(krippendorffAlpha([[0, 1], [0, 1], [1, 0], [1, 0]], 'nominal'), -0.75); // biome-ignore format: items
    assert.equal(krippendorffAlpha([[1, 1], [1, 1]], 'nominal'), null); // biome-ignore format: items
    assert.equal(krippendorffAlpha([[1], [2]], 'nominal'), null);
  });

  it('is 1 when all agree, whatever the scale and the names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 2 }), (values) => {
        const items = values.map((value) => [value, value, value]);
        for (const scale of ['nominal', 'ordinal', 'interval'] as const) assert.equal(krippendorffAlpha(items, scale), 1);
      }),
    );
  });
});

describe('roganGladen', () => {
  // PyPI, llm-judge-agreement: 320 of 400 pass as reported; 75.9 % (67.3 to 84.1) in truth.
  it('gives the published rate and interval', () => {
    const failed = roganGladen(80, 400, { found: 30, truePositives: 40, leftAlone: 78, trueNegatives: 80 });
    assert.ok(failed !== null);
    assert.deepEqual(
      [1 - failed.value, 1 - failed.interval[1], 1 - failed.interval[0]].map((share) => (100 * share).toFixed(1)),
      ['75.9', '67.3', '84.1'],
    );
  });

  it('says nothing with a judge that is no better than chance, or with no labels', () => {
    assert.equal(roganGladen(50, 100, { found: 5, truePositives: 10, leftAlone: 5, trueNegatives: 10 }), null);
    assert.equal(roganGladen(50, 100, { found: 0, truePositives: 0, leftAlone: 9, trueNegatives: 10 }), null);
    assert.throws(() => roganGladen(101, 100, { found: 9, truePositives: 10, leftAlone: 9, trueNegatives: 10 }), {
      code: 'invalid_argument',
    });
  });
});

describe('predictionPoweredMean', () => {
  it('covers the truth, in a narrower interval than the labels alone', () => {
    let state = 12_345;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const runs = 1_500;
    let covered = 0;
    let width = 0;
    let labelsOnly = 0;
    for (let run = 0; run < runs; run++) {
      const items = Array.from({ length: 450 }, () => {
        const human = random() < 0.4 ? 1 : 0;
        return { human, judge: random() < (human === 1 ? 0.75 : 0.05) ? 1 : 0 };
      });
      const judged = items.slice(50).map(({ judge }) => judge);
      const estimate = predictionPoweredMean(items.slice(0, 50), judged);
      const plain = predictionPoweredMean(items.slice(0, 50), []);
      assert.ok(estimate !== null && plain !== null);
      if (estimate.interval[0] <= 0.4 && 0.4 <= estimate.interval[1]) covered++;
      width += estimate.interval[1] - estimate.interval[0];
      labelsOnly += plain.interval[1] - plain.interval[0];
    }
    assert.ok(covered / runs >= 0.93, `covered ${covered / runs}`);
    assert.ok(width < 0.8 * labelsOnly, `${width / runs} against ${labelsOnly / runs}`);
  });

  it('gives a useless judge no weight, and nothing from one label', () => {
    const labelled = [0, 1, 0, 1, 1].map((human) => ({ human, judge: 0.5 }));
    const estimate = predictionPoweredMean(labelled, times(0.5, 100));
    assert.equal(estimate?.lambda, 0);
    assert.equal(estimate?.value, 0.6);
    assert.equal(predictionPoweredMean(labelled.slice(0, 1), times(0.5, 100)), null);
  });
});
