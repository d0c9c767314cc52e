import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSessionsSearch } from './sessions-search.ts';

describe('search of the Sessions page', () => {
  it('keeps what the API takes and drops the rest', () => {
    assert.deepEqual(parseSessionsSearch({ range: '7d', q: ' s-1 ', user: 7, sort: 'cost', feature: '' }), {
      range: '7d',
      q: 's-1',
      user: '7',
      sort: 'cost',
    });
    assert.deepEqual(parseSessionsSearch({ sort: 'recent', q: 'x'.repeat(600), user: {} }), parseSessionsSearch({}));
    assert.deepEqual(parseSessionsSearch({ sort: 'nonsense' }), parseSessionsSearch({}));
  });
});
