import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IsoTexts } from './iso-texts.ts';

describe('ISO texts', () => {
  it('are those of Date, whatever was asked before', () => {
    const near = fc.integer({ min: 1_700_000_000_000, max: 1_700_000_003_000 });
    const any = fc.integer({ min: -8_000_000_000_000, max: 8_000_000_000_000 });
    fc.assert(
      fc.property(fc.array(fc.oneof(near, any), { maxLength: 20 }), (moments) => {
        const texts = new IsoTexts();
        for (const ms of moments) assert.equal(texts.of(ms), new Date(ms).toISOString());
      }),
      { numRuns: 300 },
    );
  });
});
