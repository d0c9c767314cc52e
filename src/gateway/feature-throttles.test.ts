import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FeatureThrottles } from './feature-throttles.ts';
import type { SnapshotFeatureSwitch } from './snapshot.ts';

function throttle(changes: Partial<SnapshotFeatureSwitch>): SnapshotFeatureSwitch {
  return {
    id: 's',
    kind: 'throttle',
    requestsPerSecond: null,
    shareRatio: null,
    reason: '',
    setBy: 'a',
    setAtMs: 0,
    expiresAtMs: null,
    ...changes,
  };
}

describe('FeatureThrottles', () => {
  it('lets no more than the rate into any window, and exactly the rate under steady pressure', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1, maxLength: 400 }),
        (requestsPerSecond, workers, gaps) => {
          const meters = Array.from({ length: workers }, () => new FeatureThrottles());
          const active = throttle({ requestsPerSecond });
          const admitted: number[] = [];
          let nowMs = 1000;
          gaps.forEach((gap, index) => {
            nowMs += gap;
            if (meters[index % workers]?.take('f', active, workers, nowMs) === 0) admitted.push(nowMs);
          });
          const perWorker = requestsPerSecond / workers;
          const count = Math.max(1, Math.floor(perWorker));
          const windowMs = (count / perWorker) * 1000;
          for (const from of admitted) {
            const inWindow = admitted.filter((time) => time >= from && time < from + windowMs - 1e-6).length;
            assert.ok(inWindow <= count * workers, `${inWindow} in ${windowMs} ms`);
          }
        },
      ),
    );
    const meter = new FeatureThrottles();
    let admitted = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs++) if (meter.take('f', throttle({ requestsPerSecond: 2.5 }), 1, nowMs) === 0) admitted++;
    assert.equal(admitted, 26, '2 every 800 ms, from 0 to 9 999');
  });

  it('says when the next call gets in, and the call then gets in', () => {
    const meter = new FeatureThrottles();
    const active = throttle({ requestsPerSecond: 1 });
    assert.equal(meter.take('f', active, 2, 0), 0);
    const waitMs = meter.take('f', active, 2, 500);
    assert.equal(waitMs, 1500, 'one of two workers lets in half a call per second');
    assert.ok(meter.take('f', active, 2, 1999) > 0);
    assert.equal(meter.take('f', active, 2, 2000), 0);
    assert.equal(meter.take('g', active, 2, 2000), 0, 'another feature has its own meter');
    assert.equal(meter.take('f', throttle({ id: 't', requestsPerSecond: 1 }), 2, 2000), 0, 'another switch begins anew');
  });

  it('lets a share in, never more than one call off', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 2000 }), (shareRatio, calls) => {
        const meter = new FeatureThrottles();
        let admitted = 0;
        for (let call = 0; call < calls; call++) if (meter.take('f', throttle({ shareRatio }), 1, 0) === 0) admitted++;
        assert.ok(Math.abs(admitted - calls * shareRatio) <= 1, `${admitted} of ${calls} × ${shareRatio}`);
      }),
    );
  });
});
