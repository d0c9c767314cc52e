import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChunkEnvelope, chunkJson, TextChunk } from './text-chunk.ts';

describe('a chunk of text', () => {
  it('is written as JSON.stringify would write it', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(text, text, text, fc.nat(), (id, model, content, created) => {
        const chunk = new TextChunk(new ChunkEnvelope(id, created, model), content);
        const choices = [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }];
        const expected = JSON.stringify({ id, object: 'chat.completion.chunk', created, model, choices });
        assert.equal(chunkJson(chunk), expected);
        assert.equal(JSON.stringify([chunk]), `[${expected}]`);
      }),
      { numRuns: 200 },
    );
  });
});
