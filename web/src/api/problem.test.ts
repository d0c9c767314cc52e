import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asApiError, toApiError } from './problem.ts';

describe('failed answers', () => {
  it('keep detail, code and fix of a problem document', () => {
    const error = toApiError(422, {
      title: 'query too expensive',
      detail: '30 days of all traces',
      code: 'query_too_expensive',
      fix: 'Narrow the time range.',
    });
    assert.deepEqual(
      [error.kind, error.status, error.message, error.code, error.fix],
      ['problem', 422, '30 days of all traces', 'query_too_expensive', 'Narrow the time range.'],
    );
  });

  it('without a problem document mean that control is away', () => {
    for (const body of [null, undefined, '<html>', {}, { code: 5 }]) assert.equal(toApiError(502, body).kind, 'unreachable');
    assert.equal(asApiError(new TypeError('fetch failed')).kind, 'unreachable');
  });
});
