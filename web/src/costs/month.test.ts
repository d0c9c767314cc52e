import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isMonth, monthName, monthsOver } from './month.ts';

describe('months of statements', () => {
  it('are those that are over, in UTC', () => {
    assert.deepEqual(monthsOver(Date.UTC(2026, 1, 1), 3), ['2026-01', '2025-12', '2025-11']);
    assert.deepEqual(monthsOver(Date.UTC(2026, 1, 1) - 1, 1), ['2025-12']);
  });

  it('are told from other text, and named', () => {
    assert.deepEqual(['2026-10', '2026-13', '26-10', '2026-1', ''].map(isMonth), [true, false, false, false, false]);
    assert.equal(monthName('2026-10'), 'October 2026');
    assert.equal(monthName('nonsense'), 'nonsense');
  });
});
