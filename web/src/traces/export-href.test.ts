import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportHref } from './export-href.ts';

describe('the address of an export', () => {
  it('names the range and every filter of the page, and nothing that is not set', () => {
    const href = exportHref('otlp', { from: 1, to: 2 }, { feature: 'a&b', q: '"two words"', minCostUsd: 0.5, user: undefined } as object);
    const { pathname, searchParams } = new URL(href, 'http://here');
    assert.equal(pathname, '/api/v1/traces/export');
    assert.deepEqual(Object.fromEntries(searchParams), {
      format: 'otlp',
      from: '1',
      to: '2',
      feature: 'a&b',
      q: '"two words"',
      minCostUsd: '0.5',
    });
  });
});
