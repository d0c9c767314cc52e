import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  activeFilters,
  filtersOf,
  joinAttribute,
  parseSearch,
  parseTracesSearch,
  splitAttribute,
  stringifySearch,
  withoutFilter,
} from './filters.ts';

const text = fc.string({ minLength: 1, maxLength: 40 }).filter((value) => value.trim() === value && value !== '');

describe('trace filters in the URL', () => {
  it('go round, whatever the values hold', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            q: text,
            user: text,
            feature: text,
            customer: text,
            attribute: fc.tuple(text, text).map(([name, value]) => joinAttribute(name.replaceAll('=', '~'), value)),
            status: fc.constantFrom('ok' as const, 'error' as const, 'aborted' as const),
            minDurationMs: fc.integer({ min: 0, max: 1e6 }),
            minCostUsd: fc.double({ min: 0, max: 100, noNaN: true }).map(Math.abs),
            range: fc.constantFrom('15m' as const, '7d' as const),
          },
          { requiredKeys: [] },
        ),
        (search) => assert.deepEqual(parseTracesSearch(parseSearch(stringifySearch(search))), { ...search }),
      ),
      { numRuns: 200 },
    );
  });

  it('drop what the API would refuse', () => {
    assert.deepEqual(
      parseTracesSearch({ status: 'fine', minDurationMs: '-3', minCostUsd: 'a', q: ' ', user: 'u'.repeat(600), cursor: 'x' }),
      {},
    );
  });

  it('take an attribute apart at its first equals sign, and drop one without', () => {
    assert.deepEqual(splitAttribute('url.query=a=b'), { name: 'url.query', value: 'a=b' });
    assert.equal(joinAttribute(' ', 'b'), '');
    assert.deepEqual(parseTracesSearch({ attribute: 'nothing' }), {});
    assert.deepEqual(parseTracesSearch({ attribute: 'empty=' }), { attribute: 'empty=' });
  });

  it('keep a numeric user id as text', () => {
    assert.deepEqual(parseTracesSearch(parseSearch('?user=00123')), { user: '00123' });
  });

  it('list and remove what is active', () => {
    const search = parseTracesSearch({ q: 'refund', status: 'error', range: '7d' });
    assert.deepEqual(activeFilters(search), ['q', 'status']);
    assert.deepEqual(withoutFilter(search, 'q'), { status: 'error', range: '7d' });
    assert.deepEqual(filtersOf(search), { q: 'refund', status: 'error' });
  });
});
