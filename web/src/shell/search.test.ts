import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLoginSearch, parseTraceSearch } from './search.ts';

describe('search parameters', () => {
  it('follow only a path of this site after the login', () => {
    assert.deepEqual(parseLoginSearch({ next: '/traces?status=error' }), { next: '/traces?status=error' });
    for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', 5])
      assert.deepEqual(parseLoginSearch({ next }), {});
  });

  it('name the span shown', () => {
    assert.deepEqual(parseTraceSearch({ span: 'a1', other: 1 }), { span: 'a1' });
    assert.deepEqual(parseTraceSearch({ span: 1 }), {});
  });
});
