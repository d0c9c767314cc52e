import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../clock.ts';
import { deleteReadSegments, JOURNAL_START, readJournal } from './reader.ts';
import type { JournalPosition, JournalRecord } from './record.ts';
import { listSegments, segmentPath } from './segment.ts';
import { FileJournalWriter, type JournalWriterOptions } from './writer.ts';

const directories: string[] = [];
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'plimsoll-journal-'));
  directories.push(directory);
  return directory;
}
after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const LIMITS = { maxRecords: 1000, maxBytes: 1 << 20 };
const open = (directory: string, extra: Partial<JournalWriterOptions> = {}) =>
  FileJournalWriter.open({ directory, clock: systemClock, reserveBytes: 4096, ...extra });

function record(id: string, text: string, type: JournalRecord['type'] = 'call.settled'): JournalRecord {
  return { type, schemaVersion: 1, id, payload: Buffer.from(text) };
}

async function readAll(directory: string, limits = LIMITS, from: JournalPosition = JOURNAL_START): Promise<{ id: string; text: string }[]> {
  const found: { id: string; text: string }[] = [];
  let position = from;
  for (;;) {
    const slice = await readJournal(directory, position, limits);
    found.push(...slice.records.map((entry) => ({ id: entry.id, text: entry.payload.toString() })));
    if (slice.isAtEnd) return found;
    position = slice.next;
  }
}

describe('journal', () => {
  it('gives back what was written, in order, over segment borders and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ maxLength: 300 }), { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        async (runs, maxRecords) => {
          const directory = temporaryDirectory();
          let count = 0;
          for (const run of runs) {
            const writer = await open(directory, { maxSegmentBytes: 500 });
            for (const text of run) {
              writer.append(record(`id-${count++}`, text));
              if (count % 3 === 0) await writer.written();
            }
            await writer.close();
          }
          const found = await readAll(directory, { maxRecords, maxBytes: 64 });
          assert.deepEqual(
            found.map((entry) => entry.text),
            runs.flat(),
          );
          assert.deepEqual(
            found.map((entry) => entry.id),
            runs.flat().map((_, index) => `id-${index}`),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('cut at every byte: exactly the whole records before the cut survive, and the next run continues', async () => {
    const directory = temporaryDirectory();
    const writer = await open(directory);
    const texts = ['first', '', 'third record with more text', 'ü€𝄞', 'x'.repeat(100)];
    for (const [index, text] of texts.entries()) writer.append(record(`id-${index}`, text));
    await writer.close();
    const bytes = readFileSync(segmentPath(directory, 1));
    const ends: number[] = [];
    let position: JournalPosition = JOURNAL_START;
    for (const _ of texts) {
      const slice = await readJournal(directory, position, { maxRecords: 1, maxBytes: 1 << 20 });
      position = slice.next;
      ends.push(position.offset);
    }
    assert.equal(ends.at(-1), bytes.length);
    const cutDirectory = temporaryDirectory();
    for (let cut = 0; cut <= bytes.length; cut++) {
      for (const segment of listSegments(cutDirectory)) rmSync(segmentPath(cutDirectory, segment));
      writeFileSync(segmentPath(cutDirectory, 1), bytes);
      truncateSync(segmentPath(cutDirectory, 1), cut);
      const whole = texts.filter((_, index) => (ends[index] ?? Number.POSITIVE_INFINITY) <= cut);
      assert.deepEqual(
        (await readAll(cutDirectory)).map((entry) => entry.text),
        whole,
        `cut at ${cut}`,
      );
      // The next run's segment declares the tail torn.
      writeFileSync(segmentPath(cutDirectory, 2), bytes.subarray(0, ends[0]));
      assert.deepEqual(
        (await readAll(cutDirectory)).map((entry) => entry.text),
        [...whole, 'first'],
        `cut at ${cut}, then a restart`,
      );
    }
  });

  it('any flipped byte is noticed: no record is invented or altered', async () => {
    const directory = temporaryDirectory();
    const writer = await open(directory);
    const texts = ['alpha', 'beta', 'gamma'];
    for (const [index, text] of texts.entries()) writer.append(record(`id-${index}`, text));
    await writer.close();
    const bytes = readFileSync(segmentPath(directory, 1));
    for (let index = 0; index < bytes.length; index++) {
      const damaged = Buffer.from(bytes);
      damaged[index] = (damaged[index] ?? 0) ^ 0x55;
      writeFileSync(segmentPath(directory, 1), damaged);
      const found = (await readAll(directory)).map((entry) => entry.text);
      assert.ok(found.length < texts.length, `byte ${index}`);
      assert.deepEqual(found, texts.slice(0, found.length), `byte ${index}`);
    }
  });

  it('a reader that follows a live writer sees each record once, with any batch size', async () => {
    const directory = temporaryDirectory();
    const writer = await open(directory, { maxSegmentBytes: 2_000 });
    const seen: string[] = [];
    let position = JOURNAL_START;
    const follow = async () => {
      for (;;) {
        const slice = await readJournal(directory, position, { maxRecords: 3, maxBytes: 200 });
        seen.push(...slice.records.map((entry) => entry.id));
        position = slice.next;
        if (slice.isAtEnd) return;
      }
    };
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 5; index++) writer.append(record(`${round}-${index}`, 'y'.repeat(round * 5)));
      const reading = follow();
      await writer.written();
      await reading;
    }
    await writer.close();
    await follow();
    assert.equal(seen.length, 200);
    assert.equal(new Set(seen).size, 200);
  });

  it('replays exactly one range with `until`', async () => {
    const directory = temporaryDirectory();
    const writer = await open(directory);
    for (let index = 0; index < 10; index++) writer.append(record(`id-${index}`, 'z'));
    await writer.written();
    const first = await readJournal(directory, JOURNAL_START, { maxRecords: 4, maxBytes: 1 << 20 });
    for (let index = 10; index < 20; index++) writer.append(record(`id-${index}`, 'z'));
    await writer.close();
    const again = await readJournal(directory, first.from, { maxRecords: 1000, maxBytes: 1 << 20, until: first.next });
    assert.deepEqual(
      again.records.map((entry) => entry.id),
      first.records.map((entry) => entry.id),
    );
  });

  it('starts each new segment with the carried records', async () => {
    const directory = temporaryDirectory();
    const open1 = record('open-1', 'still running', 'call.opened');
    const writer = await open(directory, { maxSegmentBytes: 200, carryOver: () => [open1] });
    for (let index = 0; index < 30; index++) {
      writer.append(record(`id-${index}`, 'w'.repeat(20)));
      await writer.written();
    }
    await writer.close();
    const segments = listSegments(directory);
    assert.ok(segments.length > 3);
    for (const segment of segments) {
      const slice = await readJournal(directory, { segment, offset: 0 }, LIMITS);
      assert.equal(slice.records[0]?.id, 'open-1');
    }
  });

  it('deletes only what every reader has passed, never the newest segment', async () => {
    const directory = temporaryDirectory();
    const writer = await open(directory, { maxSegmentBytes: 100 });
    for (let index = 0; index < 10; index++) {
      writer.append(record(`id-${index}`, 'v'.repeat(60)));
      await writer.written();
    }
    const before = listSegments(directory);
    assert.equal(await deleteReadSegments(directory, { segment: before[2] ?? 0, offset: 5 }), 2);
    assert.deepEqual(listSegments(directory), before.slice(2));
    await deleteReadSegments(directory, { segment: 1_000_000, offset: 0 });
    assert.deepEqual(listSegments(directory), before.slice(-1));
    await writer.close();
  });

  it('at its size limit it sheds payloads, keeps ledger records, and refuses new work only when memory is full', async () => {
    const directory = temporaryDirectory();
    const changes: boolean[] = [];
    const writer = await open(directory, {
      maxTotalBytes: () => 3_000,
      reserveBytes: 2_000,
      ringBytes: 1_500,
      onDegraded: (isDegraded) => changes.push(isDegraded),
    });
    let accepted = 0;
    while (writer.canAccept()) {
      writer.append(record(`id-${accepted}`, 'l'.repeat(80)));
      writer.append(record(`id-${accepted}`, 'p'.repeat(80), 'payload'));
      accepted += 1;
      await writer.written();
      assert.ok(accepted < 1_000, 'the limit is never reached');
    }
    assert.deepEqual(changes, [true]);
    assert.ok(writer.stats.shedPayloads > 0);
    const onDisk = (await readAll(directory)).filter((entry) => entry.text.startsWith('l')).length;
    // Up to 80 % of 3 000 bytes is shared with as many payloads, the rest and the reserve of 2 000 are the ledger's alone; a frame is 96 bytes at most.
    assert.ok(onDisk >= Math.floor((0.5 * 2_400 + 500 + 1_800) / 96), `only ${onDisk} ledger records reached the disk`);
    // Readers make room; within the next retry everything in memory is written.
    await deleteReadSegments(directory, { segment: 1_000_000, offset: 0 });
    const last = listSegments(directory).at(-1) ?? 0;
    rmSync(segmentPath(directory, last));
    while (writer.stats.isDegraded) await systemClock.sleep(20);
    await writer.sync();
    const after = (await readAll(directory)).filter((entry) => entry.text.startsWith('l')).map((entry) => entry.id);
    assert.deepEqual(
      after,
      Array.from({ length: accepted - onDisk }, (_, index) => `id-${onDisk + index}`),
    );
    assert.equal(writer.canAccept(), true);
    await writer.close();
  });
});
