import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hourBaseline, scoreCost } from './baseline.ts';
import { characteristicOf } from './characteristic.ts';
import { findCreep } from './creep.ts';
import { detect, HISTORY_DAYS, NEEDED_MS } from './detect.ts';
import { SERIES_START, simulateHours, TRAFFICS } from './testing.ts';

const [, , FIFTY, BUSY] = TRAFFICS;
assert.ok(FIFTY && BUSY);

/** The tail of the gamma distribution by numeric integration: what the score approximates. */
function gammaTail(value: number, shape: number, scale: number): number {
  const step = scale / 400;
  let above = 0;
  let all = 0;
  for (let x = step / 2; x < value + 60 * scale; x += step) {
    const density = x ** (shape - 1) * Math.exp(-x / scale);
    all += density;
    if (x >= value) above += density;
  }
  return above / all;
}

describe('cost anomaly detector', () => {
  it('says nothing before it has two weeks to compare with', () => {
    for (const days of [1, 7, 14]) assert.equal(detect(simulateHours(FIFTY, days, 1), 1), null);
    const enough = NEEDED_MS / 3_600_000 + 24;
    assert.ok(Array.isArray(detect(simulateHours(FIFTY, enough / 24, 1), 1)));
    // A feature that began late in the window is as young as its first cost.
    const young = { fromMs: SERIES_START, hours: [...Array(24 * 40).fill(0), ...simulateHours(FIFTY, 10, 1).hours] };
    assert.equal(detect(young, 1), null);
  });

  it('scores like the tail of the gamma distribution', () => {
    // Of a standard normal variable, P(> 3) = 0.00135 and P(> 4) = 0.0000317.
    for (const [mean, variance] of [
      [10, 20],
      [5, 5],
      [1, 1],
    ] as const) {
      for (const [score, tail] of [
        [3, 0.00135],
        [4, 0.0000317],
      ] as const) {
        let value = mean;
        while (scoreCost(value, { mean, variance }) < score) value += mean / 200;
        const exact = gammaTail(value, mean ** 2 / variance, variance / mean);
        assert.ok(exact < tail * 1.5 && exact > tail / 3, `score ${score} of mean ${mean}, variance ${variance}: ${exact}`);
      }
    }
  });

  it('is right about the noise it measures: scores of clean hours are spread like a normal variable', () => {
    for (const traffic of TRAFFICS.slice(1)) {
      const { hours } = simulateHours(traffic, 28 + 28, 5);
      const scores = Array.from({ length: 28 * 24 }, (_, hour) => {
        const baseline = hourBaseline(hours.slice(0, 28 * 24));
        assert.ok(baseline);
        return scoreCost(hours[28 * 24 + hour] ?? 0, baseline(hour, hour + 1));
      });
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const above = scores.filter((score) => score > 2).length / scores.length;
      assert.ok(Math.abs(mean) < 0.6, `${traffic.name}: mean ${mean}`);
      assert.ok(above < 0.06, `${traffic.name}: ${above} above 2`);
    }
  });

  it('is not moved by one wild week of the history, nor by hours that are not to be used', () => {
    const { hours } = simulateHours(BUSY, 28, 7);
    const wild = hours.map((cost, hour) => (hour >= 168 && hour < 336 ? cost * 20 : cost));
    const holes = hours.map((cost, hour) => (hour >= 168 && hour < 336 ? Number.NaN : cost));
    const [plain, moved, left] = [hours, wild, holes].map((history) => hourBaseline(history)?.(12, 13).mean ?? 0);
    assert.ok(plain && moved && left);
    assert.ok(moved / plain < 1.35 && left / plain < 1.2 && left / plain > 0.8, `${plain} ${moved} ${left}`);
  });

  it('never throws, and finds nothing in constant costs, whatever their size', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (cost) => {
        assert.deepEqual(detect({ fromMs: SERIES_START, hours: Array(HISTORY_DAYS * 24).fill(cost) }, 1), []);
      }),
      { numRuns: 20 },
    );
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 16 * 24, maxLength: 30 * 24 }), (hours) => {
        for (const finding of detect({ fromMs: SERIES_START, hours }, 1) ?? []) {
          assert.ok(finding.observedUsd - finding.expectedUsd >= 1 && finding.fromMs < finding.toMs);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keeps to the floor: what does not matter in money is no anomaly', () => {
    const { fromMs, hours: usual } = simulateHours({ ...BUSY, callUsd: 0.00001 }, 30, 3);
    const hours = [...usual.slice(0, -1), (usual.at(-1) ?? 0) * 20];
    assert.deepEqual(detect({ fromMs, hours }, 1), []);
    assert.equal(detect({ fromMs, hours }, 0.0001)?.[0]?.detector, 'spike');
  });

  it('sees a slow rise in days that none of them shows, and no rise in a level that stays', () => {
    const week = [10, 11, 10, 12, 11, 5, 4];
    const noise = (day: number): number => 1 + 0.05 * Math.sin(day * 12.9898);
    const flat = Array.from({ length: 49 }, (_, day) => (week[day % 7] ?? 0) * noise(day));
    assert.equal(findCreep(flat), null);
    const rising = flat.map((cost, day) => cost * (1 + 0.03 * Math.max(0, day - 35)));
    const creep = findCreep(rising);
    assert.ok(creep && creep.firstDay >= 34 && creep.firstDay <= 42 && creep.observed > creep.expected);
    assert.equal(findCreep(rising.slice(0, 14)), null, 'two weeks before every day are needed');
  });
});

describe('operating characteristic (bench/anomalies.ts prints it over more months)', () => {
  for (const traffic of TRAFFICS)
    it(`cries wolf at most once a month and finds what is planted: ${traffic.name}`, () => {
      const { falseAlarmsPerMonth, spikes, creeps } = characteristicOf(traffic, { months: 6, plants: 4, seed: 2 });
      assert.ok(falseAlarmsPerMonth <= 1, `${falseAlarmsPerMonth} false alarms a month`);
      // Where a call comes every five hours, ten times as many for six hours are within chance.
      if (traffic.callsPerHour < 1) return;
      assert.ok(spikes.share >= 0.75, `spikes: ${spikes.share}`);
      assert.equal(creeps.share, 1, 'creeps');
    });
});
