import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { Pool } from 'undici';
import { systemClock } from '../kernel/clock.ts';
import { PlimsollError, problemBody } from '../kernel/errors.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
]);
const MAX_CONCURRENT = 64;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** While control is known to be silent a request is still tried, in case it has just come back, but not for long. */
const SILENT_WAIT_MS = 2_000;

/** Between two bytes of a file that the trace store puts together. */
const FILE_TIMEOUT_MS = 600_000;
const isFile = (path: string): boolean => path.startsWith('/api/v1/traces/export');

/** One request on its way to control. */
interface Forward {
  readonly abort: AbortController;
  readonly response: ServerResponse;
}

/**
 * Forwards what is not the gateway's to control, with capped concurrency and bytes: a dashboard or an export never disturbs a stream.
 * While control is away the answer is 503 with retry-after.
 */
export class ControlProxy {
  readonly #pool: Pool;
  readonly #basePath: string;
  #active = 0;
  #bytes = 0;
  #isReachable = true;
  readonly #forwards = new Set<Forward>();

  constructor(controlUrl: string) {
    const url = new URL(controlUrl);
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(url.origin, {
      connections: MAX_CONCURRENT,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
      connect: { timeout: 2_000 },
    });
  }

  /** Told by the link to control: who waits for a control that has gone silent gets the 503 now. */
  setReachable(isReachable: boolean): void {
    this.#isReachable = isReachable;
    if (isReachable) return;
    for (const { abort, response } of this.#forwards) if (!response.headersSent) abort.abort();
  }

  forward(request: IncomingMessage, response: ServerResponse): void {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (this.#active >= MAX_CONCURRENT || this.#bytes + declared > MAX_WAITING_BYTES) {
      refuse(response, new PlimsollError('store_unavailable', `Control has ${this.#active} requests in flight; try again`), 1);
      return;
    }
    this.#active += 1;
    this.#bytes += declared;
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    // A body that fails is destroyed by undici; the client's own socket must outlive that to carry the answer.
    const body = hasBody ? request.pipe(new PassThrough()) : null;
    const abort = new AbortController();
    const forward: Forward = { abort, response };
    this.#forwards.add(forward);
    const timer = this.#isReachable ? null : systemClock.setTimer(SILENT_WAIT_MS, () => !response.headersSent && abort.abort());
    const done = (): void => {
      if (!this.#forwards.delete(forward)) return;
      timer?.cancel();
      // Answered before it was all read: the rest must not stand before the connection's next request.
      if (body !== null) request.unpipe(body).resume();
      this.#active -= 1;
      this.#bytes -= declared;
    };
    response.once('close', () => {
      done();
      // Control need not finish what nobody waits for.
      if (!response.writableFinished) abort.abort();
    });
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && !HOP_BY_HOP.has(name) && name !== 'expect') headers[name] = value;
    }
    headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
    const path = `${this.#basePath}${request.url ?? '/'}`;
    const timeouts = isFile(request.url ?? '') ? { headersTimeout: FILE_TIMEOUT_MS, bodyTimeout: FILE_TIMEOUT_MS } : {};
    this.#pool.stream(
      { method: request.method as 'GET', path, headers, body, opaque: response, signal: abort.signal, ...timeouts },
      ({ statusCode, headers: answerHeaders }) => {
        for (const [name, value] of Object.entries(answerHeaders)) {
          if (value !== undefined && !HOP_BY_HOP.has(name)) response.setHeader(name, value);
        }
        response.writeHead(statusCode);
        return response;
      },
      (error) => {
        done();
        if (error === null || error === undefined) return;
        if (response.headersSent) response.destroy();
        else
          refuse(
            response,
            new PlimsollError('store_unavailable', 'The control process does not answer; /v1 keeps serving', { cause: error }),
            2,
          );
      },
    );
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function refuse(response: ServerResponse, error: PlimsollError, retryAfterSeconds: number): void {
  const body = JSON.stringify(problemBody(error));
  response.writeHead(error.status, {
    'content-type': 'application/problem+json',
    'retry-after': `${retryAfterSeconds}`,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
