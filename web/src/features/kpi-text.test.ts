import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutcomeRow } from '../api/schema.ts';
import { costMark, outcomeName, rateMark } from './kpi-text.ts';

const ROW: OutcomeRow = {
  feature: 'f',
  outcome: 'resolved',
  kpi: true,
  name: null,
  targetRatio: 0.7,
  maxCostPicoUsd: '100',
  reported: 10,
  succeeded: 7,
  successRatio: 0.7,
  interval: [0.4, 0.89],
  valuePicoUsd: '0',
  valued: 0,
  calls: 20,
  unpricedCalls: 0,
  costPicoUsd: '700',
  costPerSuccessPicoUsd: '100',
};

describe('a KPI in words', () => {
  it('stands against its target by its interval, and its cost by what was spent', () => {
    assert.equal(rateMark(ROW)?.word, 'not enough evidence');
    assert.equal(rateMark({ ...ROW, interval: [0.7, 0.8] })?.state, 'ok');
    assert.equal(rateMark({ ...ROW, interval: [0.5, 0.69] })?.state, 'critical');
    assert.equal(rateMark({ ...ROW, targetRatio: null }), null);
    assert.equal(rateMark({ ...ROW, interval: null }), null);
    assert.deepEqual([costMark(ROW)?.state, costMark({ ...ROW, costPerSuccessPicoUsd: '101' })?.state], ['ok', 'critical']);
    assert.equal(costMark({ ...ROW, costPerSuccessPicoUsd: null }), null);
    assert.deepEqual(
      [outcomeName(ROW), outcomeName({ name: 'Solved', outcome: 'x' }), outcomeName({ name: null, outcome: 'own' })],
      ['Resolved', 'Solved', 'own'],
    );
  });
});
