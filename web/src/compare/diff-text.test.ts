import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiffRow } from '../../../src/traces/compare/text-diff.ts';
import { parseCompareSearch } from './compare-search.ts';
import { costNumberText, countText, durationText, foldRows } from './diff-text.ts';

const row = (kind: DiffRow['kind']): DiffRow => ({ kind, aLine: 1, bLine: 1, a: [], b: [] });

describe('differences in words', () => {
  it('carry their sign, their share and what is not known', () => {
    assert.deepEqual(durationText({ a: 200, b: 250, difference: 50 }), {
      a: '200 ms',
      b: '250 ms',
      difference: '+50 ms',
      share: '+25 %',
      exact: '50 ms',
    });
    assert.deepEqual(countText({ a: 0, b: 3, difference: 3 }), { a: '0', b: '3', difference: '+3', share: '' });
    assert.deepEqual(countText({ a: 5, b: 5, difference: 0 }), { a: '5', b: '5', difference: '±0', share: '' });
    assert.equal(countText({ a: null, b: 5, difference: null }).difference, 'not known');
    const cost = costNumberText({ a: '2000000000', b: '1000000000', difference: '-1000000000' });
    assert.deepEqual([cost.difference, cost.share, cost.exact], ['−$0.001', '−50 %', '$-0.001']);
    assert.equal(costNumberText({ a: null, b: '1', difference: null }).a, 'unpriced');
  });
});

describe('rows of a diff', () => {
  it('fold what is far from a change, and lose none', () => {
    const rows = [...Array.from({ length: 6 }, () => row('same')), row('changed'), ...Array.from({ length: 3 }, () => row('same'))];
    const stretches = foldRows(rows, 2);
    assert.deepEqual(
      stretches.map(({ kind, from, rows }) => [kind, from, rows.length]),
      [
        ['folded', 0, 4],
        ['rows', 4, 5],
        ['rows', 9, 1],
      ],
    );
    assert.deepEqual(foldRows([], 2), []);
    assert.equal(foldRows([row('same'), row('same')], 2)[0]?.kind, 'folded');
  });
});

describe('URL of a comparison', () => {
  it('holds two trace ids; what is none is dropped', () => {
    const id = 'AB'.repeat(16);
    assert.deepEqual(parseCompareSearch({ a: id, b: 'x', span: '<b>' }), { a: id.toLowerCase() });
  });
});
