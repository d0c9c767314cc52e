import { promisify } from 'node:util';
import { gunzip, inflate, type ZstdOptions, zstdDecompress } from 'node:zlib';
import { PlimsollError } from '../../kernel/errors.ts';

const INFLATERS = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  zstd: promisify((bytes: Buffer, options: ZstdOptions, done: (error: Error | null, result: Buffer) => void) =>
    zstdDecompress(bytes, options, done),
  ),
} as const;

type Encoding = keyof typeof INFLATERS;

function isEncoding(name: string): name is Encoding {
  return Object.hasOwn(INFLATERS, name);
}

/**
 * @param contentEncoding value of the header; absent or `identity` = as it is
 * @throws PlimsollError `unsupported_media_type` for an encoding that is not known, `payload_too_large` once the result passes `maxBytes`,
 * `invalid_argument` when the bytes are not in that encoding
 */
export async function inflateBody(bytes: Buffer, contentEncoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = (contentEncoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '') return bytes;
  if (!isEncoding(name))
    throw new PlimsollError(
      'unsupported_media_type',
      `"content-encoding: ${name.slice(0, 40)}" is not known here; use gzip, deflate or zstd.`,
      {
        details: { encoding: name.slice(0, 40) },
      },
    );
  try {
    return await INFLATERS[name](bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new PlimsollError('payload_too_large', `The body is larger than ${maxBytes} bytes once it is inflated; send smaller batches.`, {
        cause,
        details: { maxBytes },
      });
    throw new PlimsollError('invalid_argument', `The body is not ${name}: ${(cause as Error).message}.`, {
      cause,
      details: { param: 'body' },
    });
  }
}
