import type { IncomingMessage } from 'node:http';
import { PlimsollError } from './errors.ts';
import { parseJsonText } from './parse-json.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Nesting of arrays and objects. */
  readonly maxDepth: number;
}

/**
 * Reads a JSON body.
 * @returns undefined when there is none
 * @throws PlimsollError `unsupported_media_type`, `payload_too_large`, `invalid_argument`, `client_closed`
 */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': chunked, 'content-encoding': encoding } = request.headers;
  if (chunked === undefined && (length === undefined || length === '0')) return undefined;
  assertJson(request.headers['content-type']);
  if (encoding !== undefined && encoding !== 'identity') {
    throw new PlimsollError('unsupported_media_type', `The body has "content-encoding: ${encoding}"; send it uncompressed.`, {
      details: { encoding },
    });
  }
  if (length !== undefined && Number(length) > limits.maxBytes) throw tooLarge(limits.maxBytes);
  const bytes = await readBytes(request, limits.maxBytes);
  if (bytes.length === 0) return undefined;
  return parseJson(decodeUtf8(bytes), limits.maxDepth);
}

function tooLarge(maxBytes: number): PlimsollError {
  return new PlimsollError('payload_too_large', `The body is larger than ${maxBytes} bytes, the most this API takes.`, {
    details: { maxBytes },
  });
}

function assertJson(contentType: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const isJson = type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  if (isJson && (charset === undefined || charset === 'utf-8' || charset === 'utf8')) return;
  throw new PlimsollError(
    'unsupported_media_type',
    `The body is ${contentType === undefined ? 'without a content-type' : `"${contentType}"`}; this API takes JSON in UTF-8.`,
    {
      details: { contentType: contentType ?? null },
    },
  );
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  // Its 'close' has been emitted before anyone listened here: waiting for it would be for ever.
  if (request.destroyed) throw new PlimsollError('client_closed', 'The client left before its body was complete.');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        // The rest is read and dropped: a client that is still sending would otherwise see a reset instead of the answer.
        request.removeAllListeners('data').resume();
        reject(tooLarge(maxBytes));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    const closed = (cause?: Error) =>
      reject(new PlimsollError('client_closed', 'The client left before its body was complete.', { cause }));
    request.on('error', closed);
    request.on('close', () => closed());
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function decodeUtf8(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new PlimsollError('invalid_argument', 'The body is not valid UTF-8.', { cause, details: { param: 'body' } });
  }
}

/** Depth before parsing, so that a bracket bomb costs one pass over its bytes and no stack. */
export function assertDepth(text: string, maxDepth: number): void {
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (isInText) {
      if (code === 0x5c) index++;
      else if (code === 0x22) isInText = false;
    } else if (code === 0x22) isInText = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) {
        throw new PlimsollError('invalid_argument', `The body is nested deeper than ${maxDepth} levels.`, {
          details: { param: 'body', maxDepth },
        });
      }
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

export function parseJson(text: string, maxDepth: number): unknown {
  assertDepth(text, maxDepth);
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (cause) {
    throw new PlimsollError('invalid_argument', `The body is not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}.`, {
      cause,
      details: { param: 'body' },
    });
  }
  assertHarmless(value, 'body');
  return value;
}

/** `__proto__` as a key is only ever an attack, and NUL in a text is refused by databases long after it was accepted here. */
export function assertHarmless(value: unknown, place: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new PlimsollError('invalid_argument', `${place} holds a NUL character.`, { details: { param: place } });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertHarmless(item, `${place}[${index}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__')
        throw new PlimsollError('invalid_argument', `${place} holds the key "__proto__".`, { details: { param: `${place}.__proto__` } });
      assertHarmless(item, `${place}.${key}`);
    }
  }
}
