import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FeatureView } from '../features/model.ts';
import type { EconomicsRow } from './cost-queries.ts';
import { OutcomeEconomics, outcomeEconomics } from './outcomes.ts';

const PERIOD = { from: 0, to: 86_400_000 };

function feature(name: string, outcome: string | null): FeatureView {
  const kpi = outcome === null ? null : { outcome, name: 'Solved', targetRatio: 0.7, maxCostPicoUsd: '50000000000' };
  const rest = { owner: null, costOwner: null, description: null, route: 'r', targets: [], payloads: 'full' as const };
  return { ...rest, name, switch: null, keyCount: 0, warnings: [], kpi };
}

function cost(key: string, costPicoUsd: bigint, unpricedCalls = 0): EconomicsRow {
  return { key, calls: 9, unpricedCalls, costPicoUsd, users: 0, userCostPicoUsd: 0n, sessions: 0, sessionCostPicoUsd: 0n };
}

const reported = (of: string | null, outcome: string, count: number, succeeded: number) => ({
  feature: of,
  outcome,
  reported: count,
  succeeded,
  valuePicoUsd: 7n,
  valued: 1,
});

describe('cost per successful outcome', () => {
  it('is all that the feature cost over its successes, and not known where most of the cost is not', () => {
    const { outcomes } = OutcomeEconomics.parse(
      outcomeEconomics(
        PERIOD,
        [feature('a', 'resolved'), feature('b', 'resolved'), feature('c', 'converted'), feature('d', null)],
        [
          reported('a', 'closed', 3, 3),
          reported('a', 'resolved', 10, 3),
          reported('b', 'resolved', 2, 0),
          reported('c', 'converted', 4, 4),
          reported(null, 'resolved', 5, 5),
        ],
        [cost('a', 100n, 4), cost('b', 100n), cost('c', 100n, 5), cost('d', 1n)],
      ),
    );
    const rows = outcomes.map((row) => [row.feature, row.outcome, row.kpi, row.costPerSuccessPicoUsd]);
    assert.deepEqual(rows, [
      ['a', 'resolved', true, '33'],
      ['a', 'closed', false, '33'],
      ['b', 'resolved', true, null],
      ['c', 'converted', true, null],
      [null, 'resolved', false, null],
    ]);
    assert.equal(outcomes[0]?.successRatio, 0.3);
    assert.deepEqual(
      outcomes[0]?.interval?.map((end) => end.toFixed(3)),
      ['0.108', '0.603'],
    );
    assert.deepEqual([outcomes[0]?.targetRatio, outcomes[1]?.targetRatio], [0.7, null]);
  });

  it('shows a KPI that nobody reports as such, not as a rate of zero', () => {
    const [row] = outcomeEconomics(PERIOD, [feature('a', 'resolved')], [], [cost('a', 5n)]).outcomes;
    assert.deepEqual([row?.reported, row?.successRatio, row?.interval, row?.costPerSuccessPicoUsd], [0, null, null, null]);
    assert.equal(row?.costPicoUsd, '5');
  });
});
