import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TraceSummary } from '../../../src/traces/model.ts';
import { addedAbove, mergeLive } from './live-tail.ts';

/** Only the fields that the merge reads. */
function row(id: string, startedAt: number, spanCount = 1): TraceSummary {
  return { traceId: id, startedAt, spanCount, status: 'ok', durationMs: 5, costPicoUsd: null, outputPreview: '' } as TraceSummary;
}
const ids = (rows: readonly TraceSummary[]): string => rows.map((each) => each.traceId).join('');

describe('live tail', () => {
  it('puts new rows on top and late ones at their place', () => {
    const merged = mergeLive([row('c', 30), row('a', 10)], [row('d', 40), row('c', 30), row('b', 20)], 50);
    assert.equal(ids(merged.rows), 'dcba');
    assert.deepEqual(merged.addedIds, ['d', 'b']);
  });

  it('returns the same array when nothing changed', () => {
    const shown = [row('b', 20), row('a', 10)];
    assert.equal(mergeLive(shown, [row('b', 20)], 50).rows, shown);
  });

  it('replaces a row whose trace grew', () => {
    assert.equal(mergeLive([row('a', 10)], [row('a', 10, 7)], 50).rows[0]?.spanCount, 7);
  });

  it('reports a gap when a full page is all new', () => {
    assert.equal(mergeLive([row('a', 1)], [row('d', 40), row('c', 30)], 2).hasGap, true);
    assert.equal(mergeLive([row('a', 1)], [row('d', 40), row('a', 1)], 2).hasGap, false);
    assert.equal(mergeLive([], [row('d', 40), row('c', 30)], 2).hasGap, false);
  });

  it('counts only additions above the place in view', () => {
    const { rows, addedIds } = mergeLive([row('c', 30), row('a', 10)], [row('d', 40), row('b', 20)], 50);
    assert.equal(addedAbove(rows, addedIds, 'c'), 1);
    assert.equal(addedAbove(rows, addedIds, 'a'), 2);
    assert.equal(addedAbove(rows, addedIds, null), 0);
    assert.equal(addedAbove(rows, addedIds, 'gone'), 0);
  });
});
