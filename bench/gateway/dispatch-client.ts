/**
 * One client of bench/upstream-client.ts in a process of its own: `own` or `undici` and the origin come as arguments, jobs as messages; each is
 * answered with a result.
 */
import { Pool } from 'undici';
import { HeaderNames } from '../../src/gateway/http1/header-names.ts';
import { ConnectionPool } from '../../src/gateway/upstream/connection-pool.ts';
import type { AnswerHandler } from '../../src/gateway/upstream/exchange.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { requestBody } from './workloads.ts';

export interface DispatchJob {
  readonly isStream: boolean;
  readonly connections: number;
  readonly requests: number;
}

export interface DispatchResult {
  readonly cpuMicrosecondsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly bodyBytes: number;
}

type Send = (body: Buffer, handler: CountingHandler) => void;

const PATH = '/v1/chat/completions';
const HEADERS = [
  'content-type',
  'application/json',
  'accept-encoding',
  'identity',
  'user-agent',
  'plimsoll',
  'authorization',
  'Bearer sk-bench',
];
const [kind = '', origin = ''] = process.argv.slice(2);

/** The least that a handler does: it looks at status and type and counts the bytes. */
class CountingHandler implements AnswerHandler {
  bytes = 0;
  readonly #onEnd: (bytes: number) => void;

  constructor(onEnd: (bytes: number) => void) {
    this.#onEnd = onEnd;
  }

  onRequestStart(): void {}
  onResponseStart(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    if (status !== 200 || headers['content-type'] === undefined) throw new Error(`status ${status}`);
  }
  onResponseData(chunk: Buffer): void {
    this.bytes += chunk.length;
  }
  onResponseEnd(): void {
    this.#onEnd(this.bytes);
  }
  onResponseError(error: Error): void {
    throw error;
  }
}

function ownClient(): Send {
  const share = { clock: systemClock, readBuffer: Buffer.allocUnsafeSlow(64 * 1024), headerNames: new HeaderNames() };
  const pool = new ConnectionPool({ origin, maxConnections: 512, connectTimeoutMs: 5000 }, share);
  return (body, handler) => pool.dispatch({ path: PATH, headers: HEADERS, extraHeaders: [], body }, handler);
}

function undiciClient(): Send {
  const pool = new Pool(origin, { connections: 512, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
  return (body, handler) => {
    pool.dispatch(
      { path: PATH, method: 'POST', headers: HEADERS, body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, status, headers) => handler.onResponseStart(status, headers),
        onResponseData: (_controller, chunk) => handler.onResponseData(chunk),
        onResponseEnd: () => handler.onResponseEnd(),
        onResponseError: (_controller, error) => handler.onResponseError(error),
      },
    );
  };
}

const send = kind === 'own' ? ownClient() : undiciClient();

function run(job: DispatchJob): Promise<DispatchResult> {
  const body = Buffer.from(requestBody({ isStream: job.isStream, promptBytes: 1024 }, 'stub-model-2026'));
  return new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    let bodyBytes = 0;
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    const next = (): void => {
      sent++;
      send(body, new CountingHandler(onEnd));
    };
    const onEnd = (bytes: number): void => {
      answered++;
      bodyBytes += bytes;
      if (sent < job.requests) next();
      else if (answered === job.requests) {
        const { user, system } = process.cpuUsage(cpu);
        const seconds = (performance.now() - startMs) / 1000;
        resolve({ cpuMicrosecondsPerRequest: (user + system) / job.requests, requestsPerSecond: job.requests / seconds, bodyBytes });
      }
    };
    for (let index = 0; index < job.connections; index++) next();
  });
}

process.on('message', (job: DispatchJob) => void run(job).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit(0));
