import { crc32 } from 'node:zlib';
import { type JournalRecord, RECORD_TYPES, type RecordType } from './record.ts';

/**
 * On disk: a segment is `PLJ1` then frames. A frame is
 * `u32le length of body | u32le crc32 of body | body`, body = `u8 type | u8 schemaVersion | u8 id length | id | payload`.
 */
export const SEGMENT_MAGIC = Buffer.from('PLJ1', 'ascii');
export const FRAME_HEADER_BYTES = 8;
export const BODY_HEADER_BYTES = 3;
export const MAX_ID_CHARACTERS = 64;
/** A longer body cannot have been written by us: the length field itself is damaged. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

const TYPE_NAMES = new Map<number, RecordType>(Object.entries(RECORD_TYPES).map(([name, number]) => [number, name as RecordType]));

export type DecodedFrame =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly nextOffset: number }
  /** The bytes end inside a frame: more may come, or the writer died here. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number }
  /** Nothing after this offset can be trusted: zeros of a preallocated file, or damage. */
  | { readonly kind: 'damaged'; readonly reason: string };

/**
 * Decodes the frame at `offset`. The payload is a view into `bytes`, not a copy.
 * @param bytes any part of a segment that starts at a frame border
 */
export function decodeFrame(bytes: Buffer, offset: number): DecodedFrame {
  const available = bytes.length - offset;
  if (available < FRAME_HEADER_BYTES) return { kind: 'incomplete', neededBytes: FRAME_HEADER_BYTES };
  const bodyBytes = bytes.readUInt32LE(offset);
  if (bodyBytes === 0) return { kind: 'damaged', reason: 'end of written records' };
  if (bodyBytes < BODY_HEADER_BYTES || bodyBytes > MAX_BODY_BYTES) return { kind: 'damaged', reason: `impossible length ${bodyBytes}` };
  if (available < FRAME_HEADER_BYTES + bodyBytes) return { kind: 'incomplete', neededBytes: FRAME_HEADER_BYTES + bodyBytes };
  const bodyStart = offset + FRAME_HEADER_BYTES;
  const body = bytes.subarray(bodyStart, bodyStart + bodyBytes);
  if (crc32(body) !== bytes.readUInt32LE(offset + 4)) return { kind: 'damaged', reason: 'checksum differs' };
  const type = TYPE_NAMES.get(body[0] ?? 0);
  const idEnd = BODY_HEADER_BYTES + (body[2] ?? 0);
  if (type === undefined || idEnd > bodyBytes) return { kind: 'damaged', reason: `unknown record type ${body[0]}` };
  const record: JournalRecord = {
    type,
    schemaVersion: body[1] ?? 0,
    id: body.toString('latin1', BODY_HEADER_BYTES, idEnd),
    payload: body.subarray(idEnd),
  };
  return { kind: 'record', record, nextOffset: bodyStart + bodyBytes };
}
