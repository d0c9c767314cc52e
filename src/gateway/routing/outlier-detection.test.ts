import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ejectionMs, exceedsFailureRatio, rememberedEjections, successRateOutliers, withoutBlocked } from './outlier-detection.ts';

const RULES = { successRateStdevFactor: 1.9, minimumTargets: 5, minimumCalls: 20 };

describe('targets that are left out', () => {
  const health = fc.record({ since: fc.option(fc.nat(10_000), { nil: null }) });
  const view = ({ since }: { since: number | null }) => ({ blockedSinceMs: () => since });

  it('never all of them, never more than the share (but one), never one that is fine', () => {
    fc.assert(
      fc.property(fc.array(health, { minLength: 1, maxLength: 16 }), fc.double({ min: 0, max: 1, noNaN: true }), (targets, ratio) => {
        const left = withoutBlocked(targets, view, 0, ratio);
        assert.ok(left.length >= 1);
        assert.ok(targets.length - left.length <= Math.max(1, Math.floor(ratio * targets.length)));
        for (const target of targets) if (target.since === null) assert.ok(left.includes(target));
        if (targets.some(({ since }) => since !== null) && targets.length > 1) assert.ok(left.length < targets.length);
      }),
    );
  });

  it('the same list, uncopied, while everything is fine', () => {
    const targets = [{ since: null }, { since: null }];
    assert.equal(withoutBlocked(targets, view, 0, 0.5), targets);
  });

  it('when all are out, the one that was fine last stays', () => {
    const targets = [{ since: 5 }, { since: 9 }, { since: 2 }];
    assert.deepEqual(withoutBlocked(targets, view, 10, 1), [{ since: 9 }]);
  });
});

describe('ejection', () => {
  it('lasts longer each time, up to the most', () => {
    const policy = { baseEjectionMs: 30_000, maxEjectionMs: 100_000 };
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((count) => ejectionMs(count, policy)),
      [30_000, 60_000, 90_000, 100_000, 100_000],
    );
    // Envoy: the maximum counts only where it is above the base time.
    assert.equal(ejectionMs(1, { baseEjectionMs: 30_000, maxEjectionMs: 1_000 }), 30_000);
  });

  it('is forgotten by one for each window in which the target stayed in', () => {
    assert.equal(rememberedEjections(4, 25_000, 10_000), 2);
    assert.equal(rememberedEjections(1, 1_000_000, 10_000), 0);
    assert.equal(rememberedEjections(3, -5, 10_000), 3);
  });

  it('by share of failures needs enough calls', () => {
    const policy = { failureRatio: 0.5, minimumCalls: 20 };
    assert.equal(exceedsFailureRatio({ ok: 0, failed: 19 }, policy), false);
    assert.equal(exceedsFailureRatio({ ok: 10, failed: 10 }, policy), true);
    assert.equal(exceedsFailureRatio({ ok: 11, failed: 10 }, policy), false);
  });
});

describe('success rates', () => {
  it('the one that lies far below the others is an outlier', () => {
    const windows = [...Array.from({ length: 9 }, () => ({ ok: 99, failed: 1 })), { ok: 40, failed: 60 }];
    assert.deepEqual(successRateOutliers(windows, RULES), [9]);
  });

  it('say nothing for too few targets, or too few calls', () => {
    const windows = [...Array.from({ length: 3 }, () => ({ ok: 99, failed: 1 })), { ok: 0, failed: 100 }];
    assert.deepEqual(successRateOutliers(windows, RULES), []);
    assert.deepEqual(successRateOutliers([...windows, { ok: 10, failed: 9 }], RULES), []);
  });

  it('equal rates have no outlier, and the best is never one', () => {
    const window = fc.record({ ok: fc.nat(500), failed: fc.nat(500) });
    fc.assert(
      fc.property(fc.array(window, { maxLength: 20 }), (windows) => {
        const out = successRateOutliers(windows, RULES);
        const rate = ({ ok, failed }: { ok: number; failed: number }): number => ok / Math.max(1, ok + failed);
        const judged = windows.filter(({ ok, failed }) => ok + failed >= RULES.minimumCalls);
        const best = Math.max(...judged.map(rate));
        for (const position of out) assert.ok(rate(windows[position] ?? { ok: 0, failed: 0 }) < best);
      }),
    );
    assert.deepEqual(
      successRateOutliers(
        Array.from({ length: 8 }, () => ({ ok: 7, failed: 23 })),
        RULES,
      ),
      [],
    );
  });
});
