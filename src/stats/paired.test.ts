import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../sim/seeded-random.ts';
import { clusteredMean } from './clusters.ts';
import { binomialCdf } from './distributions.ts';
import { casesNeeded, detectableDrop, holm, pairedInterval, swapP } from './paired.ts';

const alone = (values: readonly number[]): string[] => values.map((_, index) => String(index));
const repeated = (value: number, count: number): number[] => Array<number>(count).fill(value);

describe('clusteredMean', () => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

  // inspect_ai, tests/scorer/test_metric.py
  it('gives the published standard errors', () => {
    assert.equal(clusteredMean(upTo(10), alone(upTo(10))).standardError?.toFixed(3), '0.957');
    const values = upTo(20);
    assert.equal(
      clusteredMean(
        values,
        values.map((value) => String(value % 4)),
      ).standardError?.toFixed(3),
      '0.645',
    );
  });

  it('says nothing from one cluster, and refuses what is no number', () => {
    assert.equal(clusteredMean([1, 2, 3], ['a', 'a', 'a']).standardError, null);
    assert.throws(() => clusteredMean([1, Number.NaN], ['a', 'b']), { code: 'invalid_argument' });
    assert.throws(() => clusteredMean([], []), { code: 'invalid_argument' });
  });
});

describe('swapP', () => {
  it('is the exact McNemar test for single 0/1 pairs', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.nat({ max: 40 }), fc.nat({ max: 100 }), (worse, better, equal) => {
        const differences = [...repeated(-1, worse), ...repeated(1, better), ...repeated(0, equal)];
        if (differences.length === 0) return;
        const expected = worse + better === 0 ? 1 : binomialCdf(better, worse + better, 0.5);
        assert.ok(Math.abs(swapP(differences, alone(differences)) - expected) < 1e-9);
      }),
    );
  });

  it('gives whole units and single swaps the same share', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 }), (thirds) => {
        const exact = thirds.map((value) => value / 3);
        // No common unit: counted swap by swap.
        const uneven = exact.map((value, index) => value + (value === 0 ? 0 : index * 1e-7));
        const lost = swapP(uneven, alone(uneven)) - swapP(exact, alone(exact));
        // Ties fall apart into smaller and larger sums: what is lost is at most the ties.
        assert.ok(lost < 1e-9, `${lost}`);
      }),
    );
  });

  it('takes the cases of a cluster as one', () => {
    const differences = repeated(-1, 20);
    assert.ok(swapP(differences, alone(differences)) < 1e-5);
    assert.equal(swapP(differences, repeated(0, 20).map(String)), 0.5);
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 }), (differences) => {
        const clusters = differences.map((_, index) => String(index % 7));
        const turned = swapP([...differences].reverse(), [...clusters].reverse());
        assert.ok(Math.abs(swapP(differences, clusters) - turned) < 1e-9);
      }),
    );
  });
});

describe('pairedInterval', () => {
  it('knows after n equal pairs what the rule of three knows, and no more', () => {
    for (const n of [10, 99, 1000]) {
      const interval = pairedInterval(repeated(0, n), alone(repeated(0, n)), { range: 1, alpha: 0.05 });
      // −ln α / (n + 2a), a = ln²α / 2z²
      const exact = -Math.log(0.05) / (n + Math.log(0.05) ** 2 / 1.6448536269514722 ** 2);
      assert.ok(interval !== null && Math.abs(interval.low + exact) < 1e-9, `${n}: ${interval?.low}`);
      assert.equal(interval.high, -interval.low);
    }
  });

  it('mirrors, and is wider for dependent cases', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-1, 0, 0, 0, 1), { minLength: 4, maxLength: 80 }), (differences) => {
        const options = { range: 1, alpha: 0.05 };
        const one = pairedInterval(differences, alone(differences), options);
        const turned = pairedInterval(
          differences.map((difference) => -difference),
          alone(differences),
          options,
        );
        assert.ok(one !== null && turned !== null && Math.abs(one.low + turned.high) < 1e-9 && Math.abs(one.high + turned.low) < 1e-9);
        assert.ok(one.designEffect >= 1 && one.low <= one.mean + 1e-9 && one.mean <= one.high + 1e-9);
      }),
    );
    const same = [...repeated(-1, 10), ...repeated(1, 10), ...repeated(0, 60)];
    const clustered = pairedInterval(
      same,
      same.map((_, index) => String(Math.floor(index / 10))),
      { range: 1, alpha: 0.05 },
    );
    const free = pairedInterval(same, alone(same), { range: 1, alpha: 0.05 });
    assert.ok(clustered !== null && free !== null && clustered.low < free.low && clustered.designEffect > 5);
  });

  it('says nothing from one cluster', () => {
    assert.equal(pairedInterval([0, 0], ['a', 'a'], { range: 1, alpha: 0.05 }), null);
  });
});

describe('planning', () => {
  // Connett, Smith & McHugh's formula at a true difference of 0: discordance 10 %, margins 5, 3 and 2 points.
  it('needs the published number of cases', () => {
    assert.deepEqual(
      [
        [0.05, 0.8],
        [0.05, 0.9],
        [0.03, 0.8],
        [0.03, 0.9],
        [0.02, 0.9],
      ].map(([margin, power]) => casesNeeded(Math.sqrt(0.1), margin ?? 0, { range: null, power: power ?? 0 })),
      [248, 343, 687, 952, 2141],
    );
    // The rule of three, less the unseen cases themselves.
    assert.equal(casesNeeded(0, 0.03, { range: 1 }), 97);
  });

  it('needs what passes as often as it says', () => {
    const random = seededRandom('cases needed');
    for (const [differing, margin] of [
      [0.1, 0.05],
      [0.04, 0.03],
    ] as const) {
      const n = casesNeeded(Math.sqrt(differing), margin, { range: 1 });
      let shown = 0;
      for (let run = 0; run < 1_000; run++) {
        const differences = Array.from({ length: n }, () => (random.chance(differing) ? (random.chance(0.5) ? 1 : -1) : 0));
        if ((pairedInterval(differences, alone(differences), { range: 1, alpha: 0.05 })?.low ?? -1) > -margin) shown++;
      }
      assert.ok(shown >= 760 && shown <= 860, `${n} cases: ${shown} of 1000`);
    }
  });

  it('detects less with fewer cases, more scatter and dependence', () => {
    const seen = { standardError: 0.01, designEffect: 1, clusters: 300, n: 300 };
    const usual = detectableDrop(seen, { range: 1 });
    assert.ok(detectableDrop({ ...seen, standardError: 0.02 }, { range: 1 }) > usual);
    assert.ok(detectableDrop({ ...seen, clusters: 60 }, { range: 1 }) > usual);
    assert.ok(detectableDrop({ ...seen, clusters: 100, n: 100 }, { range: 1 }) > usual);
    assert.throws(() => detectableDrop({ ...seen, clusters: 1 }, { range: 1 }), { code: 'invalid_argument' });
  });

  it('corrects as Holm does', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((expected, index) => {
      assert.ok(Math.abs((adjusted[index] ?? 0) - expected) < 1e-12);
    });
    assert.deepEqual(holm([]), []);
  });
});
