import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeText, sourceText } from './replay-text.ts';

describe('texts of replays', () => {
  it('says which calls were asked for', () => {
    const base = { model: null, maxCostUsd: 1, concurrency: 4, starts: 'when-told' } as const;
    assert.equal(sourceText({ ...base, source: { traceId: '0af7651916cd43dd8448eb211c80319c' } }), 'trace 0af76519');
    assert.equal(sourceText({ ...base, source: { filter: {}, limit: 100 } }), 'newest 100 of all calls');
    assert.match(
      sourceText({ ...base, source: { filter: { feature: 'support', status: 'error' }, limit: 5 } }),
      /newest 5 of .*status error.*feature support|newest 5 of .*feature support.*status error/,
    );
  });

  it('says a change only where there is one to be said', () => {
    assert.equal(changeText(200, 20), '−90 %');
    assert.equal(changeText(200, 230), '+15 %');
    assert.equal(changeText(200, 200.1), '±0 %');
    assert.equal(changeText(0, 5), null);
    assert.equal(changeText(null, 5), null);
  });
});
