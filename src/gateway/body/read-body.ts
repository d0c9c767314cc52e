import type { IncomingMessage } from 'node:http';
import { PlimsollError } from '../../kernel/errors.ts';

/**
 * Gathers a request body. Stops reading at the limit, leaving the rest unread.
 * @throws PlimsollError `payload_too_large` as soon as the limit is passed (announced or sent); `client_closed` when the client leaves before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = request.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) return Promise.reject(tooLarge(Number(announced), maxBytes));
  return new Promise((resolve, reject) => {
    let first: Buffer | null = null;
    let chunks: Buffer[] | null = null;
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(bytes, maxBytes));
      } else if (first === null) first = chunk;
      else {
        chunks ??= [first];
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks === null ? (first ?? EMPTY) : Buffer.concat(chunks, bytes)));
    request.on('error', reject_);
    request.on('close', reject_);
    function reject_(): void {
      reject(new PlimsollError('client_closed', 'The client closed the connection while it sent the body.'));
    }
  });
}

const EMPTY = Buffer.alloc(0);

function tooLarge(bytes: number, maxBytes: number): PlimsollError {
  return new PlimsollError('payload_too_large', `The body has ${bytes} bytes or more; at most ${maxBytes} are accepted.`, {
    details: { bytes, maxBodyBytes: maxBytes },
  });
}
