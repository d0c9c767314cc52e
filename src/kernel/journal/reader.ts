import { type FileHandle, open, rm } from 'node:fs/promises';
import { decodeFrame, SEGMENT_MAGIC } from './frame.ts';
import type { JournalPosition, JournalRecord } from './record.ts';
import { listSegments, segmentPath } from './segment.ts';

export interface JournalSlice {
  readonly records: readonly JournalRecord[];
  /** Where the slice really started: behind skipped tails and deleted segments. */
  readonly from: JournalPosition;
  /** Where the next slice starts. Equal to `from` when there was nothing to read. */
  readonly next: JournalPosition;
  /** True when the writer has nothing further at this moment. */
  readonly isAtEnd: boolean;
  /** Damaged bytes that were skipped because the writer had moved on to a later segment: its torn tails. */
  readonly tornBytes: number;
}

export const JOURNAL_START: JournalPosition = Object.freeze({ segment: 0, offset: 0 });

export interface ReadLimits {
  readonly maxRecords: number;
  /** Soft: one record may exceed it. */
  readonly maxBytes: number;
  /** Read no further than here; used to replay exactly one batch. */
  readonly until?: JournalPosition;
}

/**
 * Reads the next records of one writer, from `position` on. Never waits; a slice never spans two segments.
 * A torn tail ends a segment only once the writer has begun a later one: until then it may still be in the middle of a write.
 */
export async function readJournal(directory: string, position: JournalPosition, limits: ReadLimits): Promise<JournalSlice> {
  let current = position;
  let tornBytes = 0;
  for (;;) {
    // The list is taken before the bytes: a segment that is not the last in this list was finished before we read it.
    const segments = listSegments(directory);
    const segment = segments.find((number) => number >= current.segment);
    if (segment === undefined) return { records: [], from: current, next: current, isAtEnd: true, tornBytes };
    if (segment !== current.segment) current = { segment, offset: 0 };
    const later = segments.find((number) => number > segment);
    const read = await readSegment(
      segmentPath(directory, segment),
      current.offset,
      limits.until?.segment === segment ? limits.until.offset : null,
      limits,
    );
    if (read.records.length > 0 || later === undefined) {
      const next = { segment, offset: read.nextOffset };
      const isAtEnd = later === undefined && !read.isCut;
      return { records: read.records, from: current, next, isAtEnd, tornBytes };
    }
    tornBytes += read.leftBytes;
    current = { segment: later, offset: 0 };
  }
}

interface SegmentRead {
  readonly records: JournalRecord[];
  readonly nextOffset: number;
  /** True when a limit ended the read. */
  readonly isCut: boolean;
  /** Bytes behind the last whole record. */
  readonly leftBytes: number;
}

async function readSegment(path: string, startOffset: number, untilOffset: number | null, limits: ReadLimits): Promise<SegmentRead> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { records: [], nextOffset: startOffset, isCut: false, leftBytes: 0 };
    throw error;
  }
  try {
    const size = Math.min(untilOffset ?? Number.POSITIVE_INFINITY, (await file.stat()).size);
    let offset = startOffset;
    if (offset < SEGMENT_MAGIC.length) {
      const magic = await readFully(file, 0, SEGMENT_MAGIC.length);
      if (!magic.equals(SEGMENT_MAGIC))
        return { records: [], nextOffset: startOffset, isCut: false, leftBytes: Math.max(0, size - startOffset) };
      offset = SEGMENT_MAGIC.length;
    }
    const records: JournalRecord[] = [];
    let chunkBytes = Math.min(limits.maxBytes, Math.max(0, size - offset));
    let bytes = await readFully(file, offset, chunkBytes);
    let cursor = 0;
    while (records.length < limits.maxRecords) {
      const frame = decodeFrame(bytes, cursor);
      if (frame.kind === 'record') {
        records.push(frame.record);
        cursor = frame.nextOffset;
        continue;
      }
      const isMoreOnDisk = offset + bytes.length < size;
      if (frame.kind === 'incomplete' && isMoreOnDisk && records.length === 0) {
        chunkBytes = Math.min(size - offset, Math.max(frame.neededBytes, chunkBytes));
        if (chunkBytes > bytes.length) {
          bytes = await readFully(file, offset, chunkBytes);
          continue;
        }
      }
      const isCut = frame.kind === 'incomplete' && isMoreOnDisk && records.length > 0;
      return { records, nextOffset: records.length > 0 ? offset + cursor : startOffset, isCut, leftBytes: size - offset - cursor };
    }
    return { records, nextOffset: offset + cursor, isCut: true, leftBytes: size - offset - cursor };
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Deletes the segments that every reader has passed. The writer's newest segment always stays. */
export async function deleteReadSegments(directory: string, slowest: JournalPosition): Promise<number> {
  const segments = listSegments(directory);
  const last = segments.at(-1);
  let deleted = 0;
  for (const segment of segments) {
    if (segment >= slowest.segment || segment === last) break;
    await rm(segmentPath(directory, segment), { force: true });
    deleted += 1;
  }
  return deleted;
}
