import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exceptionTail } from '../chdb/exception.ts';
import { wholeFile } from './whole-file.ts';

const TAG = '0123456789abcdef';

function pieces(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const through = (parts: readonly Buffer[], tag: string | null): Promise<Buffer> => {
  const out = wholeFile(tag);
  Readable.from(parts)
    .on('error', () => undefined)
    .pipe(out);
  return buffer(out);
};

describe('wholeFile', () => {
  it('passes every byte on, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 400 }), fc.array(fc.nat(500), { maxLength: 8 }), async (text, cuts) => {
        assert.equal((await through(pieces(text, cuts), TAG)).toString(), Buffer.from(text).toString());
      }),
    );
    assert.equal((await through([Buffer.from('x')], null)).toString(), 'x');
  });

  it('fails for a file that the server cut off, wherever the pieces end', async () => {
    const tail = exceptionTail({ text: 'Code: 159. Timeout exceeded' } as Parameters<typeof exceptionTail>[0], TAG);
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 100 }), fc.array(fc.nat(500), { maxLength: 8 }), async (text, cuts) => {
        await assert.rejects(through(pieces(`${text}${tail}`, cuts), TAG), { code: 'query_too_expensive' });
      }),
    );
  });

  it('lets a text pass that only looks like it', async () => {
    const other = exceptionTail({ text: 'x' } as Parameters<typeof exceptionTail>[0], 'ffffffffffffffff');
    assert.equal((await through([Buffer.from(other)], TAG)).toString(), other);
  });
});
