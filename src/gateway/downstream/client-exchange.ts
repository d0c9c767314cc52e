import type { IncomingHttpHeaders } from 'node:http';

/** A client's request, as far as the gateway looks at it. `http.IncomingMessage` is one; so is what `ClientConnection` reads by itself. */
export interface ClientRequest {
  readonly method?: string | undefined;
  url?: string | undefined;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** All of its body has come. */
  readonly complete: boolean;
  /** The body comes once somebody listens to `data`, or after `resume`. */
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'end' | 'close', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  /** Cuts the connection. */
  destroy(): unknown;
}

/** The answer to it, as far as the gateway uses it. `http.ServerResponse` is one. */
export interface ClientResponse {
  /** False = the connection ends with this answer. */
  shouldKeepAlive: boolean;
  readonly headersSent: boolean;
  /** `end` was called. */
  readonly writableEnded: boolean;
  /** Everything is with the operating system. */
  readonly writableFinished: boolean;
  /** Bytes that the client was too slow to take. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** @param head flat list of names (lower case) and values; without a content-length the body goes out in chunks */
  writeHead(status: number, head: string[]): unknown;
  /** @returns false when the client is behind: `drain` follows */
  write(bytes: Buffer | string, written?: () => void): boolean;
  end(): unknown;
  end(bytes: Buffer): unknown;
  end(text: string, encoding: 'latin1'): unknown;
  /** Cuts the connection. */
  destroy(): unknown;
  /** `close`: the connection is gone. It may also come after an answer that is finished. */
  on(event: 'close' | 'drain', listener: () => void): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
}
