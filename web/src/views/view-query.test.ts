import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normaliseViewQuery } from '../../../src/traces/views/view-query.ts';
import { describeQuery, sortedQuery } from './view-query.ts';

describe('query of a view on the page', () => {
  it('has the form that the server stores', () => {
    for (const text of ['?status=error&feature=a%20b&range=7d', 'q=ü"+x&attribute=a%3Db', ''])
      assert.equal(sortedQuery(text), normaliseViewQuery('traces', text));
  });

  it('is said in words', () => {
    assert.equal(describeQuery('feature=a+b&range=7d'), 'feature = a b, range = 7d');
    assert.equal(describeQuery(''), 'no filter');
  });
});
