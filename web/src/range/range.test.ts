import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_PRESET, PRESETS, parseRangeSearch, type Range, rangeOf, resolveRange, searchOf } from './range.ts';

describe('time range in the URL', () => {
  it('goes round for every preset and custom range', () => {
    const ranges: Range[] = [...PRESETS.map((preset) => ({ kind: 'preset', preset }) as const), { kind: 'custom', from: 5, to: 9 }];
    for (const range of ranges) {
      const url = Object.fromEntries(Object.entries(searchOf(range)).map(([key, value]) => [key, String(value)]));
      assert.deepEqual(rangeOf(parseRangeSearch(url)), range);
    }
  });

  it('never throws and always gives an interval of positive length', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('range', 'from', 'to'), fc.anything()), (search) => {
        const { from, to } = resolveRange(rangeOf(parseRangeSearch(search)), Date.UTC(2026, 10, 21));
        assert.ok(to > from);
      }),
      { numRuns: 200 },
    );
  });

  it('falls back to the default on nonsense', () => {
    assert.deepEqual(rangeOf(parseRangeSearch({ from: '9', to: '5', range: 'forever' })), { kind: 'preset', preset: DEFAULT_PRESET });
  });
});
