import type { ResponseHeaders } from '../provider.ts';
import type { Connection } from './connection.ts';
import type { UpstreamError } from './upstream-error.ts';

/** A POST to a provider. */
export interface OutgoingRequest {
  readonly path: string;
  /** Flat name, value list, checked and put together once: the same list again costs nothing. Must not change. */
  readonly headers: readonly string[];
  /** Headers of this request alone. */
  readonly extraHeaders: readonly string[];
  /** Pieces are sent one after the other; none is copied once they are large. */
  readonly body: Buffer | readonly Buffer[];
}

/** Hears what becomes of one request. Called in this order; `onResponseEnd` or `onResponseError` comes last, and nothing after an abort. */
export interface AnswerHandler {
  /** A connection has been found; the request is being written. */
  onRequestStart(): void;
  /** @param headers lower-case names; a repeated header is an array */
  onResponseStart(status: number, headers: ResponseHeaders): void;
  /** @param chunk the handler's to keep; at most one per read from the connection */
  onResponseData(chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(error: UpstreamError): void;
}

/** One request and its answer: waits in the queue of its pool, then holds a connection. */
export class Exchange {
  readonly handler: AnswerHandler;
  /** Complete but for the length of the body. */
  readonly head: string;
  /** Only a connection that has carried no request yet will do. */
  readonly wantsNew: boolean;
  connection: Connection | null = null;
  /** A connection is being opened because of this exchange; another may serve it first. */
  isCovered = false;
  /** Neighbours in the queue. */
  before: Exchange | null = null;
  after: Exchange | null = null;
  isQueued = false;
  #body: readonly Buffer[];
  readonly #onAbort: (exchange: Exchange) => void;

  constructor(handler: AnswerHandler, head: string, body: readonly Buffer[], wantsNew: boolean, onAbort: (exchange: Exchange) => void) {
    this.handler = handler;
    this.head = head;
    this.wantsNew = wantsNew;
    this.#body = body;
    this.#onAbort = onAbort;
  }

  /** Once: an answer that takes minutes does not keep its request in memory. */
  takeBody(): readonly Buffer[] {
    const body = this.#body;
    this.#body = [];
    return body;
  }

  /** Stops reading: the server is held back. What has been read already is still delivered. */
  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  /** Ends the exchange wherever it is; its handler hears nothing more. A connection in use is closed: half an answer cannot be skipped. */
  abort(): void {
    this.#onAbort(this);
  }
}
