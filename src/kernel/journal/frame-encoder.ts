import { crc32 } from 'node:zlib';
import { PlimsollError } from '../errors.ts';
import { BODY_HEADER_BYTES, FRAME_HEADER_BYTES, MAX_BODY_BYTES, MAX_ID_CHARACTERS } from './frame.ts';
import { type JournalEntry, type PayloadSource, RECORD_TYPES } from './record.ts';

const SLAB_BYTES = 256 * 1024;
/** Payloads up to this long are copied into the slab: one write takes many of them. Longer ones cost less as buffers of their own. */
const MAX_COPIED_BYTES = 16 * 1024;
const MAX_HEAD_BYTES = FRAME_HEADER_BYTES + BODY_HEADER_BYTES + MAX_ID_CHARACTERS;
const MAX_SPARE_SLABS = 4;
const NO_PARTS: readonly Buffer[] = [];

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Frames in it that were not released yet. */
  frames: number;
}

/** A frame ready for the disk: bytes [start, end) of the slab, then `parts`. */
export interface EncodedFrame {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
  readonly parts: readonly Buffer[];
  /** Length of all of it. */
  readonly bytes: number;
}

/** Encodes frames one behind the other into slabs that are used again once all their frames are released. */
export class FrameEncoder {
  #slab = newSlab();
  readonly #spare: Slab[] = [];

  /** @throws PlimsollError `payload_too_large` for a record that no reader would take, `internal` for an id over 64 characters */
  encode(entry: JournalEntry): EncodedFrame {
    const { id } = entry;
    if (id.length > MAX_ID_CHARACTERS) throw new PlimsollError('internal', `Journal id longer than ${MAX_ID_CHARACTERS} characters: ${id}`);
    const payload = asBytesUnlessShort(entry.payload);
    // UTF-8 takes at most three bytes for a UTF-16 code unit.
    const slab = this.#room(
      MAX_HEAD_BYTES + (typeof payload === 'string' ? payload.length * 3 : Math.min(payload.bytes, MAX_COPIED_BYTES)),
    );
    const { bytes: target, used: start } = slab;
    const bodyStart = start + FRAME_HEADER_BYTES;
    target[bodyStart] = RECORD_TYPES[entry.type];
    target[bodyStart + 1] = entry.schemaVersion;
    target[bodyStart + 2] = id.length;
    let end = bodyStart + BODY_HEADER_BYTES;
    end += target.write(id, end, 'latin1');
    let parts = NO_PARTS;
    let partBytes = 0;
    if (typeof payload === 'string') end += target.write(payload, end, 'utf8');
    else {
      // What stands before the first long part is copied behind the head, so that it needs no buffer of its own.
      let copied = 0;
      for (const part of payload.parts) {
        if (payload.bytes > MAX_COPIED_BYTES && part.length > MAX_COPIED_BYTES / 4) break;
        if (end + part.length > target.length) break;
        end += part.copy(target, end);
        copied++;
      }
      if (copied < payload.parts.length) {
        parts = payload.parts.slice(copied);
        for (const part of parts) partBytes += part.length;
      }
    }
    const bodyBytes = end - bodyStart + partBytes;
    if (bodyBytes > MAX_BODY_BYTES)
      throw new PlimsollError('payload_too_large', `Journal record of ${bodyBytes} bytes; at most ${MAX_BODY_BYTES}`);
    let checksum = crc32(target.subarray(bodyStart, end));
    for (const part of parts) checksum = crc32(part, checksum);
    target.writeUInt32LE(bodyBytes, start);
    target.writeUInt32LE(checksum, start + 4);
    slab.used = end;
    slab.frames++;
    return { slab, start, end, parts, bytes: end - start + partBytes };
  }

  /** The frame is on disk or given up. Exactly once per frame. */
  release({ slab }: EncodedFrame): void {
    if (--slab.frames > 0) return;
    slab.used = 0;
    if (slab !== this.#slab && this.#spare.length < MAX_SPARE_SLABS) this.#spare.push(slab);
  }

  #room(bytes: number): Slab {
    if (this.#slab.used + bytes <= SLAB_BYTES) return this.#slab;
    this.#slab = this.#spare.pop() ?? newSlab();
    return this.#slab;
  }
}

/** The buffers of some frames in order; frames that lie side by side become one. */
export function gatherFrames(frames: readonly EncodedFrame[]): Buffer[] {
  const buffers: Buffer[] = [];
  let slab: Slab | null = null;
  let start = 0;
  let end = 0;
  for (const frame of frames) {
    if (frame.slab !== slab || frame.start !== end) {
      if (slab !== null) buffers.push(slab.bytes.subarray(start, end));
      slab = frame.slab;
      start = frame.start;
    }
    end = frame.end;
    if (frame.parts.length === 0) continue;
    buffers.push(slab.bytes.subarray(start, end), ...frame.parts);
    slab = null;
  }
  if (slab !== null) buffers.push(slab.bytes.subarray(start, end));
  return buffers;
}

/** The whole payload as one buffer, as a reader will see it. */
export function payloadBytes(payload: PayloadSource): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.isBuffer(payload) ? payload : Buffer.concat(payload);
}

function asBytesUnlessShort(payload: PayloadSource): string | { readonly parts: readonly Buffer[]; readonly bytes: number } {
  if (typeof payload === 'string') {
    if (payload.length <= MAX_COPIED_BYTES) return payload;
    const whole = Buffer.from(payload);
    return { parts: [whole], bytes: whole.length };
  }
  if (Buffer.isBuffer(payload)) return { parts: [payload], bytes: payload.length };
  let bytes = 0;
  for (const part of payload) bytes += part.length;
  return { parts: payload, bytes };
}

function newSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, frames: 0 };
}
