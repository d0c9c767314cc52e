import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { systemClock } from '../kernel/clock.ts';
import { simConfig } from './config.ts';
import { type SimulatedProviders, startSimulatedProviders } from './provider-server.ts';

/** What a client saw of an answer, however it ended. */
export interface Seen {
  /** 0 = no answer at all. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Why the connection ended early: the code of the error, `timeout` when the client lost patience; null = a whole answer. */
  readonly broke: string | null;
  readonly elapsedMs: number;
  /** In how many pieces the body came. */
  readonly pieces: number;
}

/** One request over plain `node:http`, so that what is broken is seen as it is. */
export function see(
  port: number,
  path: string,
  options: {
    readonly method?: string;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    /** How long the client waits for the head. */
    readonly headPatienceMs?: number;
    /** How long it bears silence after that. */
    readonly patienceMs?: number;
  } = {},
): Promise<Seen> {
  const startedMs = performance.now();
  const { body, headers = {}, headPatienceMs = 60_000, patienceMs = 60_000 } = options;
  const text = body === undefined ? null : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let head: { status: number; headers: IncomingHttpHeaders } = { status: 0, headers: {} };
    const finish = (broke: string | null): void => {
      clearTimeout(timer);
      const bytes = Buffer.concat(pieces);
      resolve({ ...head, bytes, text: bytes.toString(), broke, elapsedMs: performance.now() - startedMs, pieces: pieces.length });
      request.destroy();
    };
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path,
        method: options.method ?? (text === null ? 'GET' : 'POST'),
        headers: { 'content-type': 'application/json', ...headers },
        agent: false,
        maxHeaderSize: 1_048_576 * 2,
      },
      (response) => {
        head = { status: response.statusCode ?? 0, headers: response.headers };
        bear(patienceMs);
        response.on('data', (piece: Buffer) => {
          bear(patienceMs);
          pieces.push(piece);
        });
        response.on('end', () => finish(response.complete ? null : 'incomplete'));
        response.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      },
    );
    let timer: NodeJS.Timeout | undefined;
    const bear = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => finish('timeout'), ms);
    };
    bear(headPatienceMs);
    request.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    request.end(text ?? undefined);
  });
}

/** The `data:` of each server-sent event. */
export function dataOf(text: string): string[] {
  return text.split('\n\n').flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []);
}

/** Simulated providers that answer at once, on a free port. */
export function startSim(values: unknown = {}, seed?: number): Promise<SimulatedProviders> {
  const config = simConfig.parse({ latencyFactor: 0, ...(values as object) }); // checked by the schema
  return startSimulatedProviders({ config, clock: systemClock, port: 0, ...(seed === undefined ? {} : { seed }) });
}
