/** What can go wrong with an exchange besides the errors of the system (`ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED` …). */
export type UpstreamErrorCode = 'CONNECT_TIMEOUT' | 'CONNECTION_CLOSED' | 'MALFORMED_ANSWER' | 'POOL_CLOSED' | 'HANDLER_FAILED';

/** How far the exchange had come. */
export interface ExchangeProgress {
  /** False = no byte of the request was given to a connection, so that the provider cannot have worked on it. */
  readonly wasSent: boolean;
  /**
   * The connection had answered before, and ended without a byte for this request: most likely the server closed it while it was idle and
   * never read the request. It is no proof: a server that read it and died looks the same.
   */
  readonly isStale: boolean;
}

/** An exchange that ended without a whole answer. */
export class UpstreamError extends Error implements ExchangeProgress {
  readonly code: UpstreamErrorCode | (string & {});
  readonly wasSent: boolean;
  readonly isStale: boolean;

  constructor(code: UpstreamErrorCode | (string & {}), message: string, progress: ExchangeProgress, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UpstreamError';
    this.code = code;
    this.wasSent = progress.wasSent;
    this.isStale = progress.isStale;
  }
}
