import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { RECOVERY_MARK, recoverRun, settleAfterCrash, settledRecord } from '../../src/app/journal-recovery.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { decodeFrame, SEGMENT_MAGIC } from '../../src/kernel/journal/frame.ts';
import { JOURNAL_START, readJournal } from '../../src/kernel/journal/reader.ts';
import type { JournalRecord } from '../../src/kernel/journal/record.ts';
import { listSegments, segmentPath } from '../../src/kernel/journal/segment.ts';
import { FileJournalWriter } from '../../src/kernel/journal/writer.ts';
import type { CallOpened } from '../../src/traces/call-record.ts';

function opened(number: number): CallOpened {
  return {
    callId: `call-${number}`,
    traceId: `${number}`.padStart(32, '0'),
    spanId: `${number}`.padStart(16, '0'),
    parentSpanId: null,
    organisationId: 'default',
    environment: 'default',
    operation: 'chat',
    feature: 'f',
    team: null,
    user: null,
    session: null,
    customer: null,
    tags: {},
    keyId: 'k',
    requestedModel: 'm',
    route: null,
    isStream: false,
    startedAtMs: 1_000 + number,
    snapshotEpoch: 1,
    estimatedInputTokens: 7,
    firstTarget: { model: 'm', provider: 'p', upstreamModel: 'u' },
    isSimulated: false,
  };
}

const record = (type: JournalRecord['type'], id: string, value: unknown): JournalRecord => ({
  type,
  schemaVersion: 1,
  id,
  payload: Buffer.from(JSON.stringify(value)),
});
const openedRecord = (call: CallOpened) => record('call.opened', call.callId, call);
const unpriced = () => ({ costPicoUsd: null, priceId: null });

/** What a gateway does at its start, in the same order. @returns how many calls it settled */
async function recover(directory: string): Promise<number> {
  const { calls, lastSignMs } = await recoverRun(directory);
  const writer = await FileJournalWriter.open({
    directory,
    clock: systemClock,
    reserveBytes: 256,
    carryOver: () => calls.map(openedRecord),
  });
  for (const call of calls) writer.append(settledRecord(settleAfterCrash(call, lastSignMs, unpriced)));
  writer.append(record('event', RECOVERY_MARK, {}));
  await writer.close();
  return calls.length;
}

interface Found {
  readonly opened: Set<string>;
  readonly settled: string[];
}

async function everything(directory: string): Promise<Found> {
  const found: Found = { opened: new Set(), settled: [] };
  let position = JOURNAL_START;
  for (;;) {
    const slice = await readJournal(directory, position, { maxRecords: 1_000, maxBytes: 1 << 20 });
    for (const { type, id } of slice.records) {
      if (type === 'call.opened') found.opened.add(id);
      if (type === 'call.settled') found.settled.push(id);
    }
    if (slice.isAtEnd) return found;
    position = slice.next;
  }
}

function assertSettledOnce({ opened: all, settled }: Found, what: string): void {
  assert.deepEqual([...settled].sort(), [...all].sort(), what);
}

/** The segments of a run, in order; a crash leaves a prefix of their bytes. */
type Recording = readonly { readonly segment: number; readonly bytes: Buffer }[];

function restore(directory: string, recording: Recording, cut: number, firstSegment = 0): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  let left = cut;
  for (const { segment, bytes } of recording) {
    if (segment >= firstSegment) writeFileSync(segmentPath(directory, segment), bytes.subarray(0, left));
    left -= bytes.length;
    if (left <= 0) return;
  }
}

describe('recovery of a writer that was killed', { timeout: 600_000 }, () => {
  let root: string;
  let recording: Recording;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'plimsoll-recovery-'));
    const directory = join(root, 'recorded');
    const running = new Map<string, CallOpened>();
    const writer = await FileJournalWriter.open({
      directory,
      clock: systemClock,
      reserveBytes: 256,
      maxSegmentBytes: 1_100,
      carryOver: () => [...running.values()].map(openedRecord),
    });
    // Calls overlap: each is settled after two later ones were opened; the last two never are.
    for (let number = 0; number < 6; number++) {
      const call = opened(number);
      writer.append(openedRecord(call));
      running.set(call.callId, call);
      await writer.written();
      const old = running.get(`call-${number - 2}`);
      if (old !== undefined) {
        running.delete(old.callId);
        writer.append(record('call.settled', old.callId, { startedAtMs: old.startedAtMs, durationMs: 5, attempts: [] }));
        await writer.written();
      }
    }
    await writer.close();
    recording = listSegments(directory).map((segment) => ({ segment, bytes: readFileSync(segmentPath(directory, segment)) }));
    assert.ok(recording.length >= 3, `${recording.length} segments`);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const total = () => recording.reduce((sum, { bytes }) => sum + bytes.length, 0);

  it('at every byte: what was opened and not settled is found, no more and no less', async () => {
    const directory = join(root, 'cut');
    restore(directory, recording, total());
    const states = statesAt(recording);
    let end = total();
    for (const { segment, bytes } of [...recording].reverse()) {
      const start = end - bytes.length;
      for (; end > start; end--) {
        truncateSync(segmentPath(directory, segment), end - start);
        const { calls } = await recoverRun(directory);
        const expected = states.findLast((state) => state.offset <= end)?.unsettled ?? [];
        assert.deepEqual(calls.map((call) => call.callId).sort(), expected, `cut at byte ${end}`);
      }
      rmSync(segmentPath(directory, segment));
    }
  });

  it('at every record’s border and inside every record: after the restart each opened call is settled exactly once, also after a second one', async () => {
    const directory = join(root, 'restarted');
    for (const border of borders(recording)) {
      for (const cut of [border - 1, border, border + 5]) {
        if (cut < 0 || cut > total()) continue;
        restore(directory, recording, cut);
        await recover(directory);
        assertSettledOnce(await everything(directory), `cut at byte ${cut}`);
        assert.equal(await recover(directory), 0, 'a second recovery settled something again');
        assertSettledOnce(await everything(directory), `cut at byte ${cut}, restarted twice`);
      }
    }
  });

  it('killed in the middle of the recovery, again and again, anywhere: still exactly once', async () => {
    const directory = join(root, 'nested');
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        async (first, later) => {
          restore(directory, recording, Math.round(first * total()));
          for (const share of later) {
            await recover(directory);
            // What the recovery wrote ends at any of its bytes; the segment itself always appears with its carried records.
            const last = listSegments(directory).at(-1) ?? 0;
            const bytes = readFileSync(segmentPath(directory, last));
            const head = carriedBytes(bytes);
            writeFileSync(segmentPath(directory, last), bytes.subarray(0, head + Math.round(share * (bytes.length - head))));
          }
          await recover(directory);
          assertSettledOnce(await everything(directory), 'after nested crashes');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('segments that the ingest has read and deleted are not needed: each one appears with all that is open or not written yet', async () => {
    const directory = join(root, 'deleted');
    let offset = 0;
    const seen = new Set<string>();
    for (const { segment, bytes } of recording) {
      // Carried calls, then the one record that waited when the segment was begun.
      let head = SEGMENT_MAGIC.length;
      for (let isCarried = true; isCarried; ) {
        const frame = decodeFrame(bytes, head);
        if (frame.kind !== 'record') break;
        isCarried = frame.record.type === 'call.opened' && seen.has(frame.record.id);
        seen.add(frame.record.id);
        head = frame.nextOffset;
      }
      for (const cut of [offset + head, offset + bytes.length]) {
        restore(directory, recording, cut);
        const all = (await recoverRun(directory)).calls.map((call) => call.callId).sort();
        restore(directory, recording, cut, segment);
        const alone = (await recoverRun(directory)).calls.map((call) => call.callId).sort();
        assert.deepEqual(alone, all, `segment ${segment} alone, cut at byte ${cut}`);
      }
      for (const { id } of framesOf(bytes)) seen.add(id);
      offset += bytes.length;
    }
  });
});

function framesOf(bytes: Buffer): { id: string; type: JournalRecord['type']; nextOffset: number }[] {
  const found = [];
  for (let offset = SEGMENT_MAGIC.length; ; ) {
    const frame = decodeFrame(bytes, offset);
    if (frame.kind !== 'record') return found;
    found.push({ id: frame.record.id, type: frame.record.type, nextOffset: frame.nextOffset });
    offset = frame.nextOffset;
  }
}

/** Which calls are open once the journal reaches to `offset`, counted over all segments. */
function statesAt(recording: Recording): { offset: number; unsettled: string[] }[] {
  const states = [];
  const unsettled = new Set<string>();
  const settled = new Set<string>();
  let start = 0;
  for (const { bytes } of recording) {
    for (const { id, type, nextOffset } of framesOf(bytes)) {
      if (type === 'call.settled') {
        settled.add(id);
        unsettled.delete(id);
      } else if (!settled.has(id)) unsettled.add(id);
      states.push({ offset: start + nextOffset, unsettled: [...unsettled].sort() });
    }
    start += bytes.length;
  }
  return states;
}

/** Offsets, counted over all segments, at which a record ends. */
function borders(recording: Recording): number[] {
  const found: number[] = [];
  let start = 0;
  for (const { bytes } of recording) {
    found.push(start + SEGMENT_MAGIC.length, ...framesOf(bytes).map(({ nextOffset }) => start + nextOffset));
    start += bytes.length;
  }
  return found;
}

/** Magic and the opened records at a segment's head. */
function carriedBytes(bytes: Buffer): number {
  let offset = SEGMENT_MAGIC.length;
  for (;;) {
    const frame = decodeFrame(bytes, offset);
    if (frame.kind !== 'record' || frame.record.type !== 'call.opened') return offset;
    offset = frame.nextOffset;
  }
}
