import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PICO_PER_USD } from '../../kernel/money.ts';
import type { HourlyCost } from '../cost-queries.ts';
import { monthForecast } from './month.ts';
import { type BudgetState, budgetView, byPressure, historyOf } from './report.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 16) + HOUR / 2;
const USD = PICO_PER_USD;

/** A dollar an hour since some day, with a hole at every fifth hour. */
function hours(sinceMs: number, key = ''): HourlyCost[] {
  const rows: HourlyCost[] = [];
  for (let atMs = sinceMs; atMs <= NOW; atMs += HOUR) if ((atMs / HOUR) % 5 !== 0) rows.push({ key, atMs, costPicoUsd: USD });
  return rows;
}

function budget(changes: Partial<BudgetState>): BudgetState {
  return {
    id: 'team:support/budget-per-month',
    scope: 'team',
    name: 'support',
    member: 'support',
    feature: null,
    period: 'month',
    timeZone: 'UTC',
    startMs: Date.UTC(2026, 5, 1),
    endMs: Date.UTC(2026, 6, 1),
    capacityPicoUsd: 600n * USD,
    usedPicoUsd: 288n * USD,
    onExceed: 'reject',
    owner: null,
    costOwner: null,
    ...changes,
  };
}

describe('budget view', () => {
  const history = historyOf(hours(Date.UTC(2026, 4, 1)), NOW);

  it('fills the hours in which nothing was spent, up to the last hour that is over', () => {
    const rows = hours(NOW - HOUR / 2 - 12 * HOUR);
    const dense = historyOf(rows, NOW);
    assert.ok(dense);
    assert.equal(dense.fromMs + dense.hours.length * HOUR, NOW - HOUR / 2);
    const over = rows.filter(({ atMs }) => atMs < NOW - HOUR / 2).length;
    assert.deepEqual(
      [dense.hours.filter((cost) => cost === 1).length, dense.hours.filter((cost) => cost === 0).length],
      [over, dense.hours.length - over],
    );
    assert.ok(dense.hours.includes(0), 'there was a hole');
    assert.equal(historyOf([], NOW), null);
  });

  it('says how pressing a budget is', () => {
    // 0.8 dollars an hour for the 359.5 hours to come: 288 + 287.6.
    const within = budgetView(budget({}), history, NOW);
    assert.equal(within.state, 'within');
    assert.ok(Math.abs(Number(within.forecast?.expectedPicoUsd) / 1e12 - 575.6) < 1);
    assert.ok(within.burn !== null && Math.abs(within.burn - 0.48 / (360.5 / 720)) < 1e-3);
    assert.equal(within.usedUpAt?.expected, null);
    const over = budgetView(budget({ capacityPicoUsd: 400n * USD }), history, NOW);
    assert.equal(over.state, 'over');
    assert.ok(over.usedUpAt?.expected && Math.abs(over.usedUpAt.expected - (NOW + 140 * HOUR)) < 3 * HOUR);
    const exceeded = budgetView(budget({ usedPicoUsd: 600n * USD }), history, NOW);
    assert.deepEqual([exceeded.state, exceeded.usedUpAt?.expected], ['exceeded', NOW]);
    assert.deepEqual([over, within, exceeded].sort(byPressure), [exceeded, over, within]);
  });

  it('says why there is no forecast, and from when there will be one', () => {
    const young = historyOf(hours(Date.UTC(2026, 5, 10)), NOW);
    const view = budgetView(budget({}), young, NOW);
    assert.deepEqual([view.state, view.forecast, view.usedUpAt], ['unmeasured', null, null]);
    assert.match(view.unmeasured ?? '', /^needs two weeks: there is one from 2026-06-24T/);
    assert.match(budgetView(budget({}), null, NOW).unmeasured ?? '', /nothing was spent yet/);
    assert.match(budgetView(budget({ usedPicoUsd: null }), history, NOW).unmeasured ?? '', /no gateway has counted/);
    assert.equal(budgetView(budget({ usedPicoUsd: 700n * USD }), null, NOW).state, 'exceeded', 'what is used is known without a forecast');
  });
});

describe('forecast of the month', () => {
  it('adds up by group and day, exactly', () => {
    const rows = [...hours(Date.UTC(2026, 4, 1), 'a'), ...hours(Date.UTC(2026, 5, 10), 'b')];
    const month = monthForecast(rows, 'feature', NOW);
    const inMonth = rows.filter(({ atMs }) => atMs >= month.from);
    assert.equal(BigInt(month.total.spentPicoUsd), BigInt(inMonth.length) * USD);
    assert.equal(
      month.groups.reduce((sum, { spentPicoUsd }) => sum + BigInt(spentPicoUsd), 0n),
      BigInt(month.total.spentPicoUsd),
    );
    assert.equal(
      month.days.reduce((sum, { spentPicoUsd }) => sum + BigInt(spentPicoUsd), 0n),
      BigInt(month.total.spentPicoUsd),
    );
    assert.equal(month.days.length, 16);
    const [a, b] = month.groups;
    assert.ok(a?.key === 'a' && a.forecast !== null && a.lastMonthPicoUsd !== null);
    assert.ok(b?.key === 'b' && b.forecast === null && b.lastMonthPicoUsd === null);
    assert.match(b.unmeasured ?? '', /needs two weeks/);
  });
});
