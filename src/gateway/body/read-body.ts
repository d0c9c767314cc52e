import { PlimsollError } from '../../kernel/errors.ts';
import type { Call } from '../call.ts';

const EMPTY = Buffer.alloc(0);

/** Gathers one request body. A class, so that a call needs no closures but its two listeners. */
class BodyReader {
  readonly #call: Call;
  readonly #maxBytes: number;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: PlimsollError) => void;
  #first: Buffer | null = null;
  #chunks: Buffer[] | null = null;
  #bytes = 0;

  constructor(call: Call, maxBytes: number, resolve: (body: Buffer) => void, reject: (error: PlimsollError) => void) {
    this.#call = call;
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
    call.running = this;
    call.request.on('data', this.#onData);
    call.request.on('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.fail(tooLarge(this.#bytes, this.#maxBytes));
    else if (this.#first === null) this.#first = chunk;
    else {
      this.#chunks ??= [this.#first];
      this.#chunks.push(chunk);
    }
  };

  readonly #onEnd = (): void => {
    this.#call.running = null;
    this.#resolve(this.#chunks === null ? (this.#first ?? EMPTY) : Buffer.concat(this.#chunks, this.#bytes));
  };

  fail(error: PlimsollError): void {
    const { request } = this.#call;
    this.#call.running = null;
    request.off('data', this.#onData);
    request.off('end', this.#onEnd);
    request.pause();
    this.#reject(error);
  }
}

/**
 * The body of a call. Stops reading at the limit and leaves the rest unread.
 * @throws PlimsollError `payload_too_large` as soon as the limit is passed, announced or sent; `client_closed` when the client leaves before the end
 */
export function readBody(call: Call, maxBytes: number): Promise<Buffer> {
  const announced = call.request.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) return Promise.reject(tooLarge(Number(announced), maxBytes));
  return new Promise((resolve, reject) => {
    new BodyReader(call, maxBytes, resolve, reject);
  });
}

function tooLarge(bytes: number, maxBytes: number): PlimsollError {
  return new PlimsollError('payload_too_large', `The body has ${bytes} bytes or more; at most ${maxBytes} are accepted.`, {
    details: { bytes, maxBodyBytes: maxBytes },
  });
}
