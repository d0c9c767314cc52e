import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { binomialCdf, incompleteBeta, logGamma, normalCdf, normalQuantile, studentCdf, studentQuantile } from './distributions.ts';

function assertClose(actual: number, expected: number, relative = 1e-11): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.max(Math.abs(expected), 1e-300), `${actual} is not ${expected}`);
}

describe('distributions', () => {
  it('agrees with SciPy 1.10', () => {
    assertClose(normalCdf(-1.2), 0.11506967022170828);
    assertClose(normalCdf(-5), 2.866515718791933e-7);
    assertClose(normalCdf(-10), 7.61985302416047e-24);
    assertClose(normalQuantile(1e-10), -6.361340902404056);
    assertClose(studentQuantile(0.975, 10), 2.228138851986274);
    assertClose(studentCdf(2, 5), 0.9490302605850708);
    assertClose(logGamma(0.1), 2.252712651734206);
    assertClose(logGamma(100), 359.1342053695754);
    assertClose(incompleteBeta(0.3, 2, 5), 0.579825);
    assertClose(binomialCdf(3, 10, 0.5), 0.171875);
    assertClose(binomialCdf(400, 1000, 0.5), 1.3642320780330175e-10, 1e-8);
  });

  it('has quantiles that are the inverse', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), fc.integer({ min: 1, max: 5000 }), (p, df) => {
        assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-12);
        assert.ok(Math.abs(studentCdf(studentQuantile(p, df), df) - p) < 1e-10);
      }),
    );
  });

  it('refuses what has no answer', () => {
    for (const wrong of [
      () => normalQuantile(0),
      () => normalQuantile(1),
      () => studentQuantile(0.5, 0),
      () => normalCdf(Number.NaN),
      () => incompleteBeta(2, 1, 1),
      () => logGamma(0),
    ])
      assert.throws(wrong, { code: 'invalid_argument' });
  });
});
