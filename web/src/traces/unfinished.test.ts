import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { soFar, traceStatus } from './unfinished.ts';

describe('a trace without an end', () => {
  it('is called unfinished, and not aborted', () => {
    assert.equal(traceStatus({ status: 'aborted', isUnfinished: true }).word, 'Unfinished');
    assert.equal(traceStatus({ status: 'aborted', isUnfinished: false }).word, 'Aborted');
    assert.equal(traceStatus({ status: 'error', isUnfinished: false }).word, 'Error');
  });

  it('says how long ago it began', () => {
    assert.equal(soFar({ startedAt: 1_000 }, 725_999), '12 min 4 s so far');
    assert.equal(soFar({ startedAt: 9_000 }, 1_000), '0 ms so far');
  });
});
