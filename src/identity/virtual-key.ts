import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { newUuidV7 } from '../kernel/ids.ts';

/** `plk_` opens the gateway, `pla_` the API and the dashboard. */
export type KeyKind = 'plk' | 'pla';

const SECRET_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const PREFIX_CHARACTERS = 8;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = new RegExp(`^(plk|pla)_([A-Za-z0-9_-]{${SECRET_CHARACTERS}})_([0-9A-Za-z]{${CHECKSUM_CHARACTERS}})$`);

/** CRC-32 of the key's text before it, base62, padded to 6 characters. It catches typos and cut copies offline; it protects nothing. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_CHARACTERS; i++) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

export interface CreatedKey {
  /** UUIDv7. */
  readonly id: string;
  /** The secret: `plk_` or `pla_`, 256 random bits in base64url, `_`, checksum. */
  readonly key: string;
  readonly prefix: string;
}

/** @param nowMs epoch milliseconds from a Clock, for the id */
export function createKey(kind: KeyKind, nowMs: number): CreatedKey {
  const body = `${kind}_${randomBytes(32).toString('base64url')}`;
  const key = `${body}_${checksum(body)}`;
  return { id: newUuidV7(nowMs), key, prefix: displayPrefix(key) };
}

/** True when `text` has the form of a key and its checksum is right; says nothing about whether the key exists. */
export function isWellFormedKey(text: string, kind?: KeyKind): boolean {
  const match = FORM.exec(text);
  if (match === null || (kind !== undefined && match[1] !== kind)) return false;
  return checksum(`${match[1]}_${match[2]}`) === match[3];
}

/** First 8 characters after `plk_` or `pla_`; empty for a text of another form, whose start could be most of the secret. */
export function displayPrefix(key: string): string {
  const match = FORM.exec(key);
  return match?.[2]?.slice(0, PREFIX_CHARACTERS) ?? '';
}

/** A server pepper: 32 random bytes, hex. */
export function newPepper(): string {
  return randomBytes(32).toString('hex');
}

/**
 * What is stored instead of a key.
 * @param pepperHex server pepper as hex; its bytes are the HMAC key
 * @returns HMAC-SHA-256(pepper, key), hex. One fast hash is enough: the key has 256 random bits
 */
export function keyHmac(pepperHex: string, key: string): string {
  return createHmac('sha256', Buffer.from(pepperHex, 'hex')).update(key).digest('hex');
}

/** Compares two hex HMACs in a time that does not depend on where they differ. */
export function isSameHmac(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, 'hex'), Buffer.from(right, 'hex')];
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
}
