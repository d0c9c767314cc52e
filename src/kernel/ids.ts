import { createHash, randomBytes, randomFillSync } from 'node:crypto';

/** W3C trace id: 32 lower-case hex digits, not all zero. */
export type TraceId = string;
/** W3C span id: 16 lower-case hex digits, not all zero. */
export type SpanId = string;

const POOL = Buffer.allocUnsafe(4096);
let pool = '';
let poolOffset = 0;

/** Random hex from a refilled pool: one system call and one conversion per 4 KiB instead of one per id. */
function randomHex(bytes: number): string {
  const digits = bytes * 2;
  if (poolOffset + digits > pool.length) {
    randomFillSync(POOL);
    pool = POOL.toString('hex');
    poolOffset = 0;
  }
  poolOffset += digits;
  return pool.slice(poolOffset - digits, poolOffset);
}

export function newTraceId(): TraceId {
  const id = randomHex(16);
  return id === '00000000000000000000000000000000' ? newTraceId() : id;
}

export function newSpanId(): SpanId {
  const id = randomHex(8);
  return id === '0000000000000000' ? newSpanId() : id;
}

/**
 * UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, 74 random bits, so that ids sort by time of creation.
 * @param atMs epoch milliseconds from a Clock
 */
export function newUuidV7(atMs: number): string {
  const time = Math.trunc(atMs).toString(16).padStart(12, '0');
  const random = randomHex(10);
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(0, 3)}-${variant(random.charCodeAt(3))}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

/** The two fixed bits 10 before the last two bits of a hex digit. */
function variant(digit: number): string {
  const bits = (digit < 0x40 ? digit : digit + 1) & 3;
  return bits === 0 ? '8' : bits === 1 ? '9' : bits === 2 ? 'a' : 'b';
}

/** sha-256 of bytes or text, lower-case hex: the id of content. */
export function contentHash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface TraceContext {
  readonly traceId: TraceId;
  readonly parentSpanId: SpanId;
  readonly sampled: boolean;
}

/**
 * Reads a `traceparent` header.
 * @returns null when it is missing or malformed: the W3C rule is to start a new trace, not to fail.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): TraceContext | null {
  const match = header === undefined ? null : /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header);
  if (!match) return null;
  const [, version = '', traceId = '', parentSpanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return null;
  return { traceId, parentSpanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Secret material: `bytes` random bytes, base64url. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
