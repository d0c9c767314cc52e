import { PlimsollError } from '../../kernel/errors.ts';
import type { ChatBody } from '../body/chat-body.ts';

const MAX_PARTS = 64;
const MAX_HEADER_BYTES = 4096;
const MAX_FIELD_BYTES = 1024;
const CRLF2 = Buffer.from('\r\n\r\n');
const DASHES = 0x2d;

interface Part {
  readonly name: string;
  readonly fileName: string | null;
  readonly start: number;
  readonly end: number;
}

function invalid(message: string, param: string | null = null): PlimsollError {
  return new PlimsollError('invalid_argument', message, param === null ? {} : { details: { param } });
}

/** `boundary` of a content-type, 1 to 70 of the characters of RFC 2046. */
function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  if (!/^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/.test(boundary))
    throw invalid('The content-type names no usable boundary of the multipart body.');
  return boundary;
}

/** `name` and `filename` of a part's headers. */
function disposition(headers: string): { name: string; fileName: string | null } {
  const line = /^content-disposition:([^\r\n]*)/im.exec(headers)?.[1] ?? '';
  const name = /;\s*name="((?:[^"\\]|\\.)*)"/i.exec(line)?.[1];
  if (name === undefined) throw invalid('A part of the multipart body has no name.');
  return { name, fileName: /;\s*filename="((?:[^"\\]|\\.)*)"/i.exec(line)?.[1] ?? null };
}

/** Parts as slices of the body; none of their content is looked at. @see RFC 7578, RFC 2046 §5.1 */
function* partsOf(bytes: Buffer, boundary: string): Generator<Part> {
  const opening = Buffer.from(`--${boundary}`);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  if (!bytes.subarray(0, opening.length).equals(opening)) throw invalid('The multipart body does not begin with its boundary.');
  let at = opening.length;
  for (let count = 0; ; count++) {
    if (bytes[at] === DASHES && bytes[at + 1] === DASHES) return;
    if (count === MAX_PARTS) throw invalid(`The multipart body has more than ${MAX_PARTS} parts.`);
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a)
      throw invalid('A boundary of the multipart body is followed by something else than a line end.');
    const headEnd = bytes.indexOf(CRLF2, at);
    if (headEnd < 0 || headEnd - at > MAX_HEADER_BYTES) throw invalid('A part of the multipart body has no headers, or too many.');
    const start = headEnd + CRLF2.length;
    const end = bytes.indexOf(delimiter, headEnd + 2);
    if (end < 0) throw invalid('The multipart body ends in the middle of a part.');
    yield { ...disposition(bytes.toString('utf8', at + 2, headEnd)), start, end: Math.max(start, end) };
    at = end + delimiter.length;
  }
}

/** What is kept with the trace in place of the bytes: fields as they are, files by name and size. */
function summarise(bytes: Buffer, parts: readonly Part[]): Buffer {
  const fields = parts.map(({ name, fileName, start, end }) => {
    const isFile = fileName !== null || end - start > MAX_FIELD_BYTES;
    return [name, isFile ? { fileName, bytes: end - start } : bytes.toString('utf8', start, end)] as const;
  });
  return Buffer.from(JSON.stringify(fields.map(([name, value]) => ({ [name]: value }))));
}

/**
 * Finds the model (and whether a stream is wanted) in a multipart body; everything else is forwarded as it is.
 * @throws PlimsollError `invalid_argument` for a body that is none, names no model or two
 */
export function scanMultipart(bytes: Buffer, contentType: string): ChatBody {
  const parts = [...partsOf(bytes, boundaryOf(contentType))];
  const single = (name: string): Part | null => {
    const [first, second] = parts.filter((part) => part.name === name);
    if (second !== undefined) throw invalid(`"${name}" appears twice in the body.`, name);
    return first ?? null;
  };
  const text = (part: Part | null): string | null => {
    if (part === null) return null;
    if (part.end - part.start > MAX_FIELD_BYTES) throw invalid(`"${part.name}" is longer than ${MAX_FIELD_BYTES} bytes.`, part.name);
    return bytes.toString('utf8', part.start, part.end);
  };
  const modelPart = single('model');
  const model = text(modelPart);
  if (modelPart === null || model === null || model === '')
    throw invalid('The body has no "model": name a route or a model alias; GET /v1/models lists them.', 'model');
  return {
    bytes,
    model,
    modelSlice: { start: modelPart.start, end: modelPart.end },
    isStream: text(single('stream')) === 'true',
    isEventStream: false,
    includeUsage: false,
    streamOptions: null,
    plimsollMember: null,
    user: text(single('user')),
    metadata: null,
    settings: null,
    messages: { start: 0, end: 0 },
    parameters: [],
    summary: summarise(bytes, parts),
  };
}
