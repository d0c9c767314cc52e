import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from './client-exchange.ts';
import type { RequestHead } from './request-head.ts';

/** Bytes of a body that nobody has asked for yet, from which on its connection stops reading. */
const MAX_WAITING_BYTES = 64 * 1024;

/** What a request needs of its connection. */
export interface BodySource {
  /** The request takes what comes. */
  onDemand(request: PlainRequest): void;
  /** Ends the connection, unless it belongs to a later request. */
  cut(request: PlainRequest): void;
}

/** A request whose head `readPlainHead` took. Its connection feeds it the body. Once its answer is out it has no events any more but `close`. */
export class PlainRequest extends EventEmitter implements ClientRequest {
  readonly method = 'POST';
  url: string;
  readonly headers: IncomingHttpHeaders;
  complete = false;
  /** Bytes of the body that have not come yet. */
  missingBytes: number;
  readonly #source: BodySource;
  /** What came while nobody listened. */
  #waiting: Buffer[] | null = null;
  #waitingBytes = 0;
  #isFlowing = false;
  #hasEnded = false;

  constructor(head: RequestHead, source: BodySource) {
    super();
    this.url = head.url;
    this.headers = head.headers;
    this.missingBytes = head.contentLength;
    this.#source = source;
  }

  override on(event: string, listener: (chunk: Buffer) => void): this {
    super.on(event, listener);
    if (event === 'data') this.resume();
    return this;
  }

  /** Whether its connection should read on. */
  get wantsMore(): boolean {
    return this.#isFlowing || this.#hasEnded || this.#waitingBytes < MAX_WAITING_BYTES;
  }

  /** More of the body: exactly what is missing, or less. */
  push(chunk: Buffer): void {
    this.missingBytes -= chunk.length;
    this.complete = this.missingBytes === 0;
    if (chunk.length === 0 || this.#hasEnded) return;
    this.#waitingBytes += chunk.length;
    if (this.#waiting === null) this.#waiting = [chunk];
    else this.#waiting.push(chunk);
  }

  /** Hands over what has come, as long as somebody takes it. */
  deliver(): void {
    for (let chunk = this.#take(); chunk !== null; chunk = this.#take()) this.emit('data', chunk);
    if (!this.complete || !this.#isFlowing || this.#hasEnded) return;
    this.#hasEnded = true;
    this.emit('end');
  }

  /** A listener may pause, or answer, after each chunk. */
  #take(): Buffer | null {
    if (!this.#isFlowing || this.#waiting === null) return null;
    const chunk = this.#waiting.shift() as Buffer; // never kept empty
    if (this.#waiting.length === 0) this.#waiting = null;
    this.#waitingBytes -= chunk.length;
    return chunk;
  }

  /** The answer is out: nobody will ask for the rest. */
  discard(): void {
    this.#hasEnded = true;
    this.#waiting = null;
  }

  pause(): this {
    this.#isFlowing = false;
    return this;
  }

  resume(): this {
    if (this.#isFlowing || this.#hasEnded) return this;
    this.#isFlowing = true;
    this.#source.onDemand(this);
    return this;
  }

  destroy(): void {
    this.#source.cut(this);
  }
}
