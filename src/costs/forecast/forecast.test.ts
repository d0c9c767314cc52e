import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PICO_PER_USD } from '../../kernel/money.ts';
import { simulateHours, TRAFFICS } from '../anomalies/testing.ts';
import { COVERAGE, forecastCost } from './forecast.ts';
import { outlookOf } from './outlook.ts';

const WEEK = 168;
const HOUR = 3_600_000;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('cost forecast', () => {
  it('says nothing with less than two weeks', () => {
    assert.equal(forecastCost(Array(2 * WEEK - 1).fill(1), 24), null);
    assert.ok(forecastCost(Array(2 * WEEK).fill(1), 24));
  });

  it('repeats what repeats, exactly, and goes on growing with what grows', () => {
    const week = Array.from({ length: WEEK }, (_, hour) => 1 + (hour % 24));
    const weeks = (count: number, growth: number) =>
      Array.from({ length: count * WEEK }, (_, hour) => (week[hour % WEEK] ?? 0) * growth ** (hour / WEEK));
    const flat = forecastCost(weeks(3, 1), 2 * WEEK);
    assert.ok(flat && Math.abs(sum(flat.hours) / (2 * sum(week)) - 1) < 1e-9);
    assert.ok(Math.abs(flat.lowRatio - 1) < 0.2 && Math.abs(flat.highRatio - 1) < 0.2);
    const growing = forecastCost(weeks(6, 1.1), 2 * WEEK);
    assert.ok(growing);
    const truth = sum(weeks(8, 1.1).slice(6 * WEEK));
    assert.ok(Math.abs(sum(growing.hours) / truth - 1) < 0.03, `${sum(growing.hours)} against ${truth}`);
  });

  it('never throws and is never negative, whatever was spent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })), { minLength: 2 * WEEK, maxLength: 4 * WEEK }),
        fc.nat(800),
        (history, ahead) => {
          const forecast = forecastCost(history, ahead);
          if (forecast === null) return assert.ok(sum(history.slice(0, WEEK)) === 0 || sum(history) === 0);
          assert.equal(forecast.hours.length, ahead);
          assert.ok(forecast.hours.every((cost) => cost >= 0 && Number.isFinite(cost)));
          assert.ok(forecast.lowRatio <= 1 && forecast.highRatio >= 1 && forecast.lowRatio >= 0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has intervals that hold what they promise, over seeded months of all sizes of traffic', () => {
    let covered = 0;
    let all = 0;
    for (const traffic of TRAFFICS)
      for (let seed = 0; seed < 24; seed++) {
        const historyDays = seed % 2 === 0 ? 21 : 42;
        const ahead = (3 + (seed % 4) * 4) * 24;
        const { hours } = simulateHours(traffic, historyDays + ahead / 24, 900 + seed);
        const forecast = forecastCost(hours.slice(0, historyDays * 24), ahead);
        assert.ok(forecast);
        const expected = sum(forecast.hours);
        const truth = sum(hours.slice(historyDays * 24));
        all++;
        if (truth >= expected * forecast.lowRatio && truth <= expected * forecast.highRatio) covered++;
      }
    assert.ok(covered / all >= COVERAGE - 0.08, `${covered} of ${all} within an interval of ${COVERAGE}`);
    assert.ok(covered / all <= 0.98, `${covered} of ${all}: an interval that always holds says nothing`);
  });
});

describe('outlook of a budget', () => {
  const start = Date.UTC(2026, 5, 1);
  const nowMs = Date.UTC(2026, 5, 21);
  const endMs = Date.UTC(2026, 6, 1);
  const history = { fromMs: start - 21 * 24 * HOUR, hours: Array(41 * 24).fill(1) };
  const of = (capacityUsd: bigint | null, spentUsd = 480n) =>
    outlookOf(
      {
        startMs: start,
        endMs,
        nowMs,
        spentPicoUsd: spentUsd * PICO_PER_USD,
        capacityPicoUsd: capacityUsd === null ? null : capacityUsd * PICO_PER_USD,
      },
      history,
    );

  it('adds what is to come to what was spent, and says when a budget is used up', () => {
    // A dollar an hour: 240 more until the end of the month.
    assert.equal(of(null)?.expectedPicoUsd, 720n * PICO_PER_USD);
    assert.deepEqual(of(1_000n)?.usedUpAt, { expectedMs: null, earliestMs: null, latestMs: null });
    assert.deepEqual(of(580n)?.usedUpAt, { expectedMs: nowMs + 100 * HOUR, earliestMs: nowMs + 100 * HOUR, latestMs: nowMs + 100 * HOUR });
    assert.equal(of(400n)?.usedUpAt.expectedMs, nowMs, 'it is used up already');
  });

  it('counts of the running hour only what is left of it', () => {
    const half = outlookOf({ startMs: start, endMs, nowMs: nowMs + HOUR / 2, spentPicoUsd: 0n, capacityPicoUsd: null }, history);
    assert.equal(half?.expectedPicoUsd, 239n * PICO_PER_USD + PICO_PER_USD / 2n);
  });

  it('needs two weeks', () => {
    assert.equal(
      outlookOf(
        { startMs: start, endMs, nowMs, spentPicoUsd: 0n, capacityPicoUsd: null },
        { fromMs: nowMs - 13 * 24 * HOUR, hours: Array(13 * 24).fill(1) },
      ),
      null,
    );
  });
});
