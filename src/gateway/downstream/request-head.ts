import type { IncomingHttpHeaders } from 'node:http';
import { NAME_BYTE, readDecimal } from '../http1/byte-classes.ts';
import { type HeaderNames, hashNameByte } from '../http1/header-names.ts';

/** What node:http takes by default. */
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_HEADERS = 100;
const MAX_LENGTH_DIGITS = 15;

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;

const METHOD = Buffer.from('POST ');
const VERSION = Buffer.from(' HTTP/1.1\r\n');

/** 1 for visible ASCII. */
const VISIBLE = new Uint8Array(256).fill(1, 0x21, 0x7f);
/** 1 for visible ASCII, SP and HTAB. */
const PLAIN_TEXT = new Uint8Array(256).fill(1, 0x20, 0x7f);
PLAIN_TEXT[HTAB] = 1;

/**
 * Headers that ask for more than a plain request (another framing, an interim answer, another protocol), and two of which node:http makes
 * something else than a string.
 */
const UNUSUAL = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'http2-settings',
  'proxy-connection',
  'set-cookie',
  '__proto__',
]);

type MutableHeaders = Record<string, string>;

/** Has no inherited names: `constructor` or `__proto__` from a client is a header like any other. */
const HeaderRecord = function HeaderRecord() {} as unknown as new () => MutableHeaders; // the prototype of a class cannot be replaced
HeaderRecord.prototype = Object.create(null);

export interface RequestHead {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly contentLength: number;
  readonly isKeptAlive: boolean;
  /** Offset of the body. */
  readonly end: number;
}

/**
 * Reads the head of a request that can be read in one way only: POST, HTTP/1.1, a path, one `host`, one `content-length`, no header twice, nothing
 * but visible ASCII, lines that end in CR LF, and all of it in these bytes. Everything else is for node:http to read or to refuse, so that there is
 * no request that the two could understand differently.
 * @returns null for everything else
 */
export function readPlainHead(bytes: Buffer, names: HeaderNames): RequestHead | null {
  const limit = Math.min(bytes.length, MAX_HEAD_BYTES);
  if (limit < METHOD.length + VERSION.length || !startsWith(bytes, 0, METHOD)) return null;
  let at = METHOD.length;
  if (bytes[at] !== SLASH) return null;
  while (at < limit && VISIBLE[bytes[at] as number] === 1) at++;
  if (limit - at < VERSION.length || !startsWith(bytes, at, VERSION)) return null;
  const url = bytes.toString('latin1', METHOD.length, at);
  at += VERSION.length;
  const headers = new HeaderRecord();
  let contentLength = -1;
  let isKeptAlive = true;
  for (let count = 0; count <= MAX_HEADERS; count++) {
    const start = at;
    let hash = 0;
    for (; at < limit; at++) {
      const lowerCase = NAME_BYTE[bytes[at] as number] as number;
      if (lowerCase === 0) break;
      hash = hashNameByte(hash, lowerCase);
    }
    if (at >= limit) return null;
    if (at === start) {
      if (bytes[at] !== CR || at + 1 >= limit || bytes[at + 1] !== LF) return null;
      if (contentLength < 0 || headers.host === undefined) return null;
      return { url, headers, contentLength, isKeptAlive, end: at + 2 };
    }
    if (bytes[at] !== COLON) return null;
    const nameEnd = at++;
    while (at < limit && (bytes[at] === SPACE || bytes[at] === HTAB)) at++;
    const valueStart = at;
    while (at < limit && PLAIN_TEXT[bytes[at] as number] === 1) at++;
    if (at + 1 >= limit || bytes[at] !== CR || bytes[at + 1] !== LF) return null;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    at += 2;
    const name = names.find(bytes, start, nameEnd, hash).text;
    if (headers[name] !== undefined || UNUSUAL.has(name)) return null;
    const value = bytes.toString('latin1', valueStart, valueEnd);
    headers[name] = value;
    if (name === 'content-length') {
      contentLength = readDecimal(bytes, valueStart, valueEnd, MAX_LENGTH_DIGITS);
      if (contentLength < 0) return null;
    } else if (name === 'connection') {
      const option = value.toLowerCase();
      if (option === 'close') isKeptAlive = false;
      else if (option !== 'keep-alive') return null;
    }
  }
  return null;
}

function startsWith(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) if (bytes[start + index] !== expected[index]) return false;
  return true;
}
