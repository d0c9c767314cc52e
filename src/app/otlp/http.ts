import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import {
  contentTypeOf,
  encodeFailure,
  encodeResponse,
  encodingOf,
  type OtlpEncoding,
  type OtlpSignal,
} from '../../traces/otlp/response.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import type { OtlpIntake } from './intake.ts';

/** OpenTelemetry's own paths, and those under which Langfuse, LangSmith and Opik take the same. */
const PREFIXES = ['', '/api/public/otel', '/otel', '/api/v1/private/otel', '/v1/private/otel'] as const;
const PATHS: ReadonlyMap<string, OtlpSignal> = new Map(
  PREFIXES.flatMap((prefix) => (['traces', 'logs', 'metrics'] as const).map((signal) => [`${prefix}/v1/${signal}`, signal])),
);

export function isOtlpPath(url: string): boolean {
  return PATHS.has(pathOf(url));
}

export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

/** Answers one request at an OTLP path. */
export async function handleOtlp(intake: OtlpIntake, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const encoding = encodingOf(request.headers['content-type']);
  try {
    if (request.method !== 'POST')
      throw new PlimsollError('method_not_allowed', `${pathOf(request.url ?? '/')} takes POST only.`, { details: { allow: 'POST' } });
    const caller = intake.admit(request.headers);
    if (encoding === null)
      throw new PlimsollError('unsupported_media_type', 'OTLP over HTTP is "application/x-protobuf" or "application/json".', {
        details: { contentType: request.headers['content-type'] ?? null },
      });
    const { body, release } = await readBody(intake, request);
    try {
      const signal = PATHS.get(pathOf(request.url ?? '/')) ?? 'traces';
      const result = await intake.acceptEncoded(caller, body, request.headers['content-encoding'], encoding, signal);
      send(response, 200, encodeResponse(result, encoding, signal), encoding, {});
    } finally {
      release();
    }
  } catch (thrown) {
    const error = toPlimsollError(thrown);
    intake.counters.refusedRequests += 1;
    // What is still coming is read and dropped, or the client would see a reset instead of the answer.
    request.resume();
    if (error.code === 'client_closed' || response.headersSent) response.destroy();
    else refuse(response, error, encoding ?? 'json');
  }
}

/** @throws PlimsollError `payload_too_large`, `rate_limited`, `client_closed` */
export async function readBody(intake: OtlpIntake, request: IncomingMessage): Promise<{ body: Buffer; release: () => void }> {
  const held: (() => void)[] = [];
  const release = (): void => {
    for (const giveBack of held.splice(0)) giveBack();
  };
  try {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > OTLP_LIMITS.bodyBytes) throw tooLarge();
    if (request.destroyed) throw new PlimsollError('client_closed', 'The client left before its body was complete.');
    const chunks: Buffer[] = [];
    let size = 0;
    await new Promise<void>((resolve, reject) => {
      const closed = (cause?: Error) =>
        reject(new PlimsollError('client_closed', 'The client left before its body was complete.', { cause }));
      const fail = (error: unknown) => {
        request.removeAllListeners('data');
        reject(error);
      };
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > OTLP_LIMITS.bodyBytes) return fail(tooLarge());
        try {
          held.push(intake.hold(chunk.length));
        } catch (error) {
          return fail(error);
        }
        chunks.push(chunk);
      });
      request.once('end', resolve);
      request.once('error', closed);
      request.once('close', () => closed());
    });
    return { body: Buffer.concat(chunks), release };
  } catch (error) {
    release();
    throw error;
  }
}

function tooLarge(): PlimsollError {
  return new PlimsollError('payload_too_large', `The body is larger than ${OTLP_LIMITS.bodyBytes} bytes; send smaller batches.`, {
    details: { maxBytes: OTLP_LIMITS.bodyBytes },
  });
}

function refuse(response: ServerResponse, error: PlimsollError, encoding: OtlpEncoding): void {
  const seconds = error.details.retryAfterSeconds;
  send(response, error.status, encodeFailure(error, encoding), encoding, {
    ...(error.retryable ? { 'retry-after': `${typeof seconds === 'number' ? seconds : 1}` } : {}),
    ...(error.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(error.code === 'method_not_allowed' ? { allow: 'POST' } : {}),
  });
}

function send(
  response: ServerResponse,
  status: number,
  body: Buffer,
  encoding: OtlpEncoding,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, {
    'content-type': contentTypeOf(encoding),
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}

/** The server of the port where OpenTelemetry exporters send by default; it serves nothing else. */
export function createOtlpServer(intake: OtlpIntake): Server {
  return createServer({ keepAliveTimeout: 75_000, requestTimeout: 60_000, noDelay: true }, (request, response) => {
    if (isOtlpPath(request.url ?? '/')) void handleOtlp(intake, request, response);
    else {
      request.resume();
      const where = `${request.method} ${pathOf(request.url ?? '/').slice(0, 200)}`;
      refuse(
        response,
        new PlimsollError('not_found', `There is nothing at ${where}: this port takes POST /v1/traces, /v1/logs and /v1/metrics.`),
        encodingOf(request.headers['content-type']) ?? 'json',
      );
    }
  });
}
