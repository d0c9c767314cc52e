import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from './client-exchange.ts';
import type { RequestHead } from './request-head.ts';

/** What a request needs of its connection. */
export interface BodySource {
  pauseBody(): void;
  resumeBody(): void;
  destroy(): void;
}

/** A request whose head `readPlainHead` took. Its connection feeds it the body. */
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

  /** More of the body: exactly what is missing, or less. */
  push(chunk: Buffer): void {
    this.missingBytes -= chunk.length;
    this.complete = this.missingBytes === 0;
    if (chunk.length === 0 || this.#hasEnded) return;
    if (this.#waiting === null) this.#waiting = [chunk];
    else this.#waiting.push(chunk);
  }

  /** Hands over what has come, if somebody takes it. */
  deliver(): void {
    if (!this.#isFlowing || this.#hasEnded) return;
    const chunks = this.#waiting;
    this.#waiting = null;
    if (chunks !== null) for (const chunk of chunks) this.emit('data', chunk);
    if (!this.complete) return;
    this.#hasEnded = true;
    this.emit('end');
  }

  /** The answer is out: nobody will ask for the rest. */
  discard(): void {
    this.#hasEnded = true;
    this.#waiting = null;
    this.#source.resumeBody();
  }

  pause(): this {
    this.#isFlowing = false;
    this.#source.pauseBody();
    return this;
  }

  resume(): this {
    if (this.#isFlowing) return this;
    this.#isFlowing = true;
    this.#source.resumeBody();
    return this;
  }

  destroy(): void {
    this.#source.destroy();
  }
}
