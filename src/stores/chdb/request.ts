import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { EngineException } from './exception.ts';

/** One HTTP call in ClickHouse's terms. */
export interface EngineRequest {
  readonly query: string;
  /** Rows of an insert; null when the body was the query itself. */
  readonly data: Buffer | null;
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
  readonly database: string;
  readonly queryId: string | null;
  readonly wantsGzip: boolean;
}

/** Search parameters of the HTTP interface that are not settings. */
const INTERFACE_PARAMETERS = new Set([
  'query',
  'database',
  'query_id',
  'default_format',
  'session_id',
  'session_check',
  'session_timeout',
  'role',
  'enable_http_compression',
  'http_zlib_compression_level',
  'compress',
  'decompress',
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_write_exception_in_output_format',
]);

/**
 * True when the call carries the token: `authorization: Bearer`, `authorization: Basic user:token`, or `x-clickhouse-key`.
 * Compares digests in constant time, so neither length nor content leaks. A token in the URL is not read: URLs end up in logs.
 */
export function isAuthorised(headers: IncomingMessage['headers'], tokenDigest: Buffer): boolean {
  const offered = offeredToken(headers);
  return offered !== null && timingSafeEqual(digestToken(offered), tokenDigest);
}

export function digestToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function offeredToken(headers: IncomingMessage['headers']): string | null {
  const key = headers['x-clickhouse-key'];
  if (typeof key === 'string') return key;
  const match = /^(Bearer|Basic)\s+(\S+)$/i.exec(headers.authorization ?? '');
  if (!match) return null;
  const [, scheme = '', value = ''] = match;
  if (scheme.toLowerCase() === 'bearer') return value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? null : decoded.slice(colon + 1);
}

/** Bounds what all calls together hold in memory before a connection is free for them. */
export class BodyBudget {
  readonly maxBodyBytes: number;
  readonly #maxHeldBytes: number;
  #heldBytes = 0;
  constructor(maxBodyBytes: number, maxHeldBytes: number) {
    this.maxBodyBytes = maxBodyBytes;
    this.#maxHeldBytes = maxHeldBytes;
  }
  take(bytes: number): void {
    if (this.#heldBytes + bytes > this.#maxHeldBytes)
      throw new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `${this.#heldBytes} bytes of inserts already wait`);
    this.#heldBytes += bytes;
  }
  give(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** Reads a body, decompressing gzip. The budget holds its bytes until `release` is called. */
async function readBody(request: IncomingMessage, budget: BodyBudget): Promise<{ body: Buffer; release: () => void }> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new EngineException(48, 'NOT_IMPLEMENTED', `Content encoding ${JSON.stringify(encoding)}; send gzip or none`);
  const source = encoding === 'gzip' ? request.pipe(createGunzip()) : request;
  if (source !== request) request.once('error', (error) => source.destroy(error));
  const chunks: Buffer[] = [];
  let bytes = 0;
  const release = () => {
    budget.give(bytes);
    bytes = 0;
  };
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (bytes + chunk.length > budget.maxBodyBytes)
        throw new EngineException(307, 'TOO_MANY_BYTES', `The body exceeds ${budget.maxBodyBytes} bytes`);
      budget.take(chunk.length);
      bytes += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    release();
    if (error instanceof EngineException) throw error;
    throw new EngineException(210, 'NETWORK_ERROR', 'The body could not be read to its end');
  }
  return { body: chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks), release };
}

/**
 * Reads one call completely.
 * @throws EngineException for what the façade does not speak or has no room for
 */
export async function readEngineRequest(
  request: IncomingMessage,
  budget: BodyBudget,
): Promise<{ call: EngineRequest; release: () => void }> {
  const url = new URL(request.url ?? '/', 'http://engine');
  if ((request.headers['content-type'] ?? '').startsWith('multipart/'))
    throw new EngineException(48, 'NOT_IMPLEMENTED', 'Multipart parameters; send them in the URL');
  const { body, release } = await readBody(request, budget);
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!INTERFACE_PARAMETERS.has(name)) settings.set(name, value);
  }
  const inUrl = url.searchParams.get('query');
  const wantsGzip =
    url.searchParams.get('enable_http_compression') === '1' && /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  const call: EngineRequest = {
    query: inUrl ?? body.toString('utf8'),
    data: inUrl === null ? null : body,
    parameters,
    settings,
    database: url.searchParams.get('database') ?? request.headers['x-clickhouse-database']?.toString() ?? 'default',
    queryId: url.searchParams.get('query_id'),
    wantsGzip,
  };
  return { call, release };
}
