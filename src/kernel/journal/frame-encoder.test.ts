import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../clock.ts';
import { decodeFrame } from './frame.ts';
import { type EncodedFrame, FrameEncoder, gatherFrames, payloadBytes } from './frame-encoder.ts';
import { JOURNAL_START, readJournal } from './reader.ts';
import type { JournalEntry, PayloadSource } from './record.ts';
import { FileJournalWriter } from './writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'plimsoll-frames-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Lengths around every limit of the encoder: copied or not, slab full or not. */
const length = fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(0, 4_096, 4_097, 16_384, 16_385, 100_000, 300_000));
const bytes = fc.tuple(length, fc.nat(255)).map(([size, fill]) => Buffer.alloc(size, fill));
const payload: fc.Arbitrary<PayloadSource> = fc.oneof(
  bytes,
  fc.array(bytes, { maxLength: 4 }),
  fc.tuple(length, fc.constantFrom('a', 'ü', '𝄞')).map(([size, character]) => character.repeat(size / character.length)),
);

function entry(index: number, source: PayloadSource): JournalEntry {
  return { type: index % 3 === 0 ? 'payload' : 'call.settled', schemaVersion: 1, id: `id-${index}`, payload: source };
}

function assertDecodes(written: Buffer, sources: readonly PayloadSource[], first: number): void {
  let offset = 0;
  for (const [index, source] of sources.entries()) {
    const decoded = decodeFrame(written, offset);
    assert.ok(decoded.kind === 'record', `${decoded.kind} at ${offset}`);
    assert.equal(decoded.record.id, `id-${first + index}`);
    assert.ok(decoded.record.payload.equals(payloadBytes(source)));
    offset = decoded.nextOffset;
  }
  assert.equal(offset, written.length);
}

describe('frame encoder', () => {
  it('gives readable frames in order, whatever their sizes, while slabs are used again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(payload, { minLength: 1, maxLength: 12 }), fc.boolean()), { maxLength: 6 }), (batches) => {
        const encoder = new FrameEncoder();
        let count = 0;
        let late: EncodedFrame[] = [];
        for (const [sources, isReleasedLate] of batches) {
          const frames = sources.map((source, index) => encoder.encode(entry(count + index, source)));
          const written = Buffer.concat(gatherFrames(frames));
          assert.equal(
            written.length,
            frames.reduce((sum, frame) => sum + frame.bytes, 0),
          );
          assertDecodes(written, sources, count);
          count += sources.length;
          // As while a write is in flight: the next batch is encoded before this one is released.
          for (const frame of late) encoder.release(frame);
          late = isReleasedLate ? frames : [];
          if (!isReleasedLate) for (const frame of frames) encoder.release(frame);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('makes one buffer of small frames, and does not copy a long text', () => {
    const encoder = new FrameEncoder();
    const long = Buffer.alloc(40_000, 0x61);
    const small = [encoder.encode(entry(1, 'one')), encoder.encode(entry(2, Buffer.from('two')))];
    assert.equal(gatherFrames(small).length, 1);
    const buffers = gatherFrames([...small, encoder.encode(entry(3, [Buffer.from('head'), long])), encoder.encode(entry(4, 'four'))]);
    assert.equal(buffers.length, 3);
    assert.equal(buffers[1], long);
  });

  it('is what the journal on disk reads like, for mixed sizes appended while writes are in flight', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { minLength: 1, maxLength: 25 }), fc.integer({ min: 1, max: 6 }), async (sources, every) => {
        const own = join(directory, String(run++));
        const writer = await FileJournalWriter.open({
          directory: own,
          clock: systemClock,
          reserveBytes: 4_096,
          maxSegmentBytes: 50_000,
          ringBytes: 64 * 1024 * 1024,
        });
        for (const [index, source] of sources.entries()) {
          writer.append(entry(index, source));
          if (index % every === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await writer.written();
        await writer.close();
        const found: Buffer[] = [];
        for (let position = JOURNAL_START; ; ) {
          const slice = await readJournal(own, position, { maxRecords: 7, maxBytes: 1 << 20 });
          found.push(...slice.records.map((record) => record.payload));
          if (slice.isAtEnd) break;
          position = slice.next;
        }
        assert.equal(found.length, sources.length);
        for (const [index, source] of sources.entries()) assert.ok(found[index]?.equals(payloadBytes(source)), `record ${index}`);
      }),
      { numRuns: 30 },
    );
  });
});
