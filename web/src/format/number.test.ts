import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatCompact,
  formatCount,
  formatDuration,
  formatPercent,
  formatPercentInterval,
  formatRoundDuration,
  splitUnit,
  UNKNOWN,
} from './number.ts';

describe('numbers', () => {
  it('never shows an unknown as zero', () => {
    for (const format of [formatCount, formatPercent, formatDuration]) assert.equal(format(null), UNKNOWN);
    assert.equal(formatPercentInterval(null), UNKNOWN);
  });

  it('shows counts exactly until they are long', () => {
    assert.equal(formatCount(0), '0');
    assert.equal(formatCount(99_999), '99,999');
    assert.equal(formatCount(100_000), '100k');
    assert.equal(formatCount(1_234_567), '1.23M');
    assert.equal(formatCount(999_999_999), '1G');
    assert.equal(formatCompact(1500), '1.5k');
    assert.equal(formatCompact(0.25), '0.25');
    assert.equal(formatCompact(40), '40');
  });

  it('picks the unit of a duration at every border', () => {
    assert.deepEqual([0, 0.04, 3.42, 9.96, 842, 999.6, 1240, 12_340, 59_990, 125_000, 3_599_600, 7_500_000].map(formatDuration), [
      '0 ms',
      '0.04 ms',
      '3.4 ms',
      '10 ms',
      '842 ms',
      '1.00 s',
      '1.24 s',
      '12.3 s',
      '1 min 0 s',
      '2 min 5 s',
      '1 h 0 min',
      '2 h 5 min',
    ]);
  });

  it('drops empty decimals on an axis', () => {
    assert.deepEqual([30_000, 1500, 1000, 20, 900_000, 3_600_000, 5_400_000].map(formatRoundDuration), [
      '30 s',
      '1.5 s',
      '1 s',
      '20 ms',
      '15 min',
      '1 h',
      '1 h 30 min',
    ]);
  });

  it('keeps a tiny rate apart from none', () => {
    assert.equal(formatPercent(0), '0 %');
    assert.equal(formatPercent(0.00001), '<0.01 %');
    assert.equal(formatPercent(0.0042), '0.42 %');
    assert.equal(formatPercent(1), '100 %');
    assert.equal(formatPercentInterval([0.0021, 0.0054]), '0.21–0.54 %');
  });

  it('splits a value from its unit', () => {
    assert.deepEqual(splitUnit('1.24 s'), { value: '1.24', unit: 's' });
    assert.deepEqual(splitUnit('2 min 5 s'), { value: '2 min 5 s', unit: '' });
    assert.deepEqual(splitUnit('42'), { value: '42', unit: '' });
  });
});
