import { MAX_ITEMS } from './run-part.ts';

export interface MultipartPart {
  readonly name: string;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 4_096;

/** @returns the boundary of a `multipart/form-data` content type, null when it is none */
export function boundaryOf(contentType: string | undefined): string | null {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) return null;
  const match = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return match?.[1] ?? match?.[2] ?? null;
}

/**
 * The parts of a whole multipart body (RFC 7578), in order. Bytes are not copied. Names are all that is read of a part's head.
 * @throws TypeError when the body does not keep to its boundary
 */
export function readMultipart(bytes: Buffer, boundary: string): MultipartPart[] {
  const first = Buffer.from(`--${boundary}`);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: MultipartPart[] = [];
  let at = bytes.subarray(0, first.length).equals(first) ? 0 : bytes.indexOf(delimiter);
  if (at < 0) throw new TypeError('the body does not begin with its boundary');
  at += at === 0 ? first.length : delimiter.length;
  for (;;) {
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) return parts;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw new TypeError('a boundary is followed by neither a part nor the end');
    // The blank line may follow the boundary at once.
    const headEnd = bytes.indexOf(HEAD_END, at);
    const end = bytes.indexOf(delimiter, headEnd < 0 ? at : headEnd + 2);
    if (headEnd < 0 || headEnd - at > MAX_HEAD_BYTES || end < 0) throw new TypeError('a part has no end');
    if (parts.length >= MAX_ITEMS) throw new TypeError(`a body may hold ${MAX_ITEMS} parts: send smaller batches`);
    const head = bytes.toString('utf8', at, headEnd);
    const name = /^content-disposition:[^\r\n]*[;\s]name="([^"\r\n]*)"/im.exec(head)?.[1];
    if (name === undefined) throw new TypeError('a part has no name');
    parts.push({ name, body: bytes.subarray(Math.min(headEnd + HEAD_END.length, end), end) });
    at = end + delimiter.length;
  }
}
