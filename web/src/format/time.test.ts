import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisLabels, formatAgo, formatIso, formatMoment, fromInputValue, toInputValue } from './time.ts';

const AT = Date.UTC(2026, 10, 21, 14, 5, 31, 482);

describe('times', () => {
  it('shows a moment in the chosen zone', () => {
    assert.equal(formatMoment(AT, 'utc'), '21 Nov 14:05:31');
    assert.equal(formatIso(AT, 'utc'), '2026-11-21T14:05:31.482Z');
  });

  it('keeps the instant in a local ISO text', () => {
    assert.equal(Date.parse(formatIso(AT, 'local')), AT);
  });

  it('goes round through an input', () => {
    for (const zone of ['local', 'utc'] as const) assert.equal(fromInputValue(toInputValue(AT, zone), zone), AT - 31_482);
    assert.equal(fromInputValue('soon', 'utc'), null);
  });

  it('names the day at midnight on a time axis', () => {
    const midnight = Date.UTC(2026, 10, 21);
    assert.deepEqual(axisLabels([midnight, midnight + 3_600_000], 3_600_000, 'utc'), ['21 Nov', '01:00']);
    assert.deepEqual(axisLabels([AT], 15_000, 'utc'), ['14:05:31']);
  });

  it('says how long ago in one unit', () => {
    assert.deepEqual(
      [0, 59_000, 61_000, 7_300_000, 200_000_000].map((ago) => formatAgo(AT - ago, AT)),
      ['0 s ago', '59 s ago', '1 min ago', '2 h ago', '2 d ago'],
    );
  });
});
