import { crc32, deflateSync } from 'node:zlib';
import { seededRandom } from './seeded-random.ts';

function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, data.length + 8)), data.length + 8);
  return chunk;
}

/** Blocks of the pattern on each side; it is mirrored. */
const BLOCKS = 8;

/**
 * A small PNG of any size: a mirrored pattern in two colours that depend on the seed.
 * @param width count of pixels
 * @see https://www.w3.org/TR/png-3/
 */
export function patternPng(width: number, height: number, seed: string): Buffer {
  const random = seededRandom('png', seed);
  const cells = Array.from({ length: BLOCKS * (BLOCKS / 2) }, () => random.chance(0.5));
  const rowBytes = Math.ceil(width / 8);
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * BLOCKS) / height) * (BLOCKS / 2);
    for (let x = 0; x < width; x++) {
      const column = Math.floor((x * BLOCKS) / width);
      const isSet = cells[row + Math.min(column, BLOCKS - 1 - column)] === true;
      const at = y * (rowBytes + 1) + 1 + (x >> 3);
      if (isSet) rows[at] = (rows[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 3, 0, 0, 0], 8); // one bit a pixel, palette
  const palette = Buffer.from([244, 241, 234, random.integer(160), random.integer(160), random.integer(160)]);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('PLTE', palette),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

const SAMPLE_RATE = 8_000;

/** Samples of a quiet tone that changes with the seed, 16 bits, one channel. */
export function tonePcm(seconds: number, seed: string): Buffer {
  const random = seededRandom('tone', seed);
  const samples = Math.max(1, Math.round(seconds * SAMPLE_RATE));
  const bytes = Buffer.alloc(samples * 2);
  const hertz = 180 + random.integer(120);
  for (let at = 0; at < samples; at++) bytes.writeInt16LE(Math.round(2_000 * Math.sin((2 * Math.PI * hertz * at) / SAMPLE_RATE)), at * 2);
  return bytes;
}

function riffChunk(type: string, data: Buffer): Buffer {
  const padded = data.length % 2 === 0 ? data : Buffer.concat([data, Buffer.alloc(1)]);
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, padded]);
}

/** A WAV file of 16-bit samples that carries its text as a comment, so that it can be transcribed again. */
export function wavWithText(pcm: Buffer, text: string): Buffer {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0); // PCM
  format.writeUInt16LE(1, 2); // one channel
  format.writeUInt32LE(SAMPLE_RATE, 4);
  format.writeUInt32LE(SAMPLE_RATE * 2, 8);
  format.writeUInt16LE(2, 12);
  format.writeUInt16LE(16, 14);
  const list = Buffer.concat([Buffer.from('INFO'), riffChunk('ICMT', Buffer.from(text))]);
  const body = Buffer.concat([Buffer.from('WAVE'), riffChunk('fmt ', format), riffChunk('LIST', list), riffChunk('data', pcm)]);
  return riffChunk('RIFF', body);
}

/** Length and comment of a WAV file; null when it is none. */
export function readWav(bytes: Buffer): { readonly seconds: number; readonly text: string | null } | null {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') return null;
  let bytesPerSecond = 0;
  let dataBytes = 0;
  let text: string | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const type = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const data = bytes.subarray(at + 8, at + 8 + size);
    if (type === 'fmt ' && data.length >= 12) bytesPerSecond = data.readUInt32LE(8);
    else if (type === 'data') dataBytes = data.length;
    else if (type === 'LIST' && data.length > 12 && data.toString('latin1', 4, 8) === 'ICMT')
      text = data.subarray(12, 12 + data.readUInt32LE(8)).toString();
    at += 8 + size + (size % 2);
  }
  return bytesPerSecond === 0 ? null : { seconds: dataBytes / bytesPerSecond, text };
}
