import { timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlimsollError, problemBody, toPlimsollError } from '../kernel/errors.ts';
import { listSegments, segmentPath } from '../kernel/journal/segment.ts';
import type { GatewayReport } from './control-link.ts';
import type { DataDirectory } from './data-directory.ts';
import type { SnapshotPublisher } from './snapshot-publisher.ts';

const MAX_UPLOAD_BYTES = 300 * 1024 * 1024;
const MAX_HOLD_MS = 30_000;
/** A gateway that has not asked for this long is not counted as present. */
const PRESENT_MS = 15_000;

export interface InternalApiOptions {
  readonly clusterKey: string;
  readonly publisher: SnapshotPublisher;
  readonly data: DataDirectory;
  readonly metrics: () => string;
  readonly nowMs: () => number;
}

/** `/internal/v1`: what gateways and control say to each other, on this machine or over the network, under the cluster key. */
export class InternalApi {
  readonly #options: InternalApiOptions;
  readonly #key: Buffer;
  readonly #reports = new Map<string, { report: GatewayReport; atMs: number }>();

  constructor(options: InternalApiOptions) {
    this.#options = options;
    this.#key = Buffer.from(options.clusterKey);
  }

  /** Gateways heard of lately. */
  gateways(): GatewayReport[] {
    const now = this.#options.nowMs();
    return [...this.#reports.values()].filter((entry) => now - entry.atMs < PRESENT_MS).map((entry) => entry.report);
  }

  isClusterKey(authorization: string | undefined): boolean {
    const given = Buffer.from((authorization ?? '').replace(/^Bearer /, ''));
    return given.length === this.#key.length && timingSafeEqual(given, this.#key);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((thrown: unknown) => {
      const error = toPlimsollError(thrown);
      if (response.headersSent) response.destroy();
      else send(response, error.status, problemBody(error), 'application/problem+json');
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isClusterKey(request.headers.authorization))
      throw new PlimsollError(
        'unauthenticated',
        'The cluster key is missing or wrong; PLIMSOLL_CLUSTER_KEY must be the same on gateway and control',
      );
    const url = new URL(request.url ?? '/', 'http://internal');
    const [, , , resource, name] = url.pathname.split('/');
    if (resource === 'snapshot' && request.method === 'GET') return this.#snapshot(request, response, url);
    if (resource === 'metrics' && request.method === 'GET')
      return send(response, 200, this.#options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    if (resource === 'journal' && name && /^[A-Za-z0-9._-]{1,64}$/.test(name) && !name.startsWith('.')) {
      if (request.method === 'GET') return send(response, 200, this.#journalPosition(name));
      if (request.method === 'POST') return send(response, 200, await this.#appendJournal(name, url, request));
    }
    throw new PlimsollError('not_found', `There is no ${request.method} ${url.pathname}`);
  }

  async #snapshot(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const report = request.headers['x-plimsoll-gateway'];
    if (typeof report === 'string') {
      const parsed = JSON.parse(report) as GatewayReport;
      this.#reports.set(String(parsed.writer), { report: parsed, atMs: this.#options.nowMs() });
    }
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    const holdMs = Math.min(MAX_HOLD_MS, Number(url.searchParams.get('holdMs') ?? 0) || 0);
    const snapshot = await this.#options.publisher.next(Number(url.searchParams.get('after') ?? -1), holdMs, abort.signal);
    if (abort.signal.aborted) return;
    if (snapshot === null) {
      response.writeHead(204);
      response.end();
    } else send(response, 200, snapshot);
  }

  #journalPosition(writer: string): { segment: number; offset: number } {
    const directory = this.#options.data.journal(writer);
    const segment = listSegments(directory).at(-1);
    if (segment === undefined) return { segment: 0, offset: 0 };
    const fd = openSync(segmentPath(directory, segment), 'r');
    try {
      return { segment, offset: fstatSync(fd).size };
    } finally {
      closeSync(fd);
    }
  }

  /** Idempotent by (writer, segment, offset): bytes that are here already are skipped, a gap is refused. */
  async #appendJournal(writer: string, url: URL, request: IncomingMessage): Promise<{ segment: number; offset: number }> {
    const segment = Number(url.searchParams.get('segment'));
    const offset = Number(url.searchParams.get('offset'));
    if (!Number.isSafeInteger(segment) || segment < 1 || !Number.isSafeInteger(offset) || offset < 0)
      throw new PlimsollError('invalid_argument', 'segment and offset must be whole numbers');
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_UPLOAD_BYTES) throw new PlimsollError('payload_too_large', `A journal upload is at most ${MAX_UPLOAD_BYTES} bytes`);
      chunks.push(chunk);
    }
    const directory = this.#options.data.journal(writer);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const newest = listSegments(directory).at(-1) ?? 0;
    if (segment < newest) return this.#journalPosition(writer);
    const fd = openSync(segmentPath(directory, segment), segment === newest ? 'r+' : 'wx', 0o600);
    try {
      const size = fstatSync(fd).size;
      if (offset > size)
        throw new PlimsollError('conflict', `Segment ${segment} of ${writer} has ${size} bytes here; offset ${offset} would leave a gap`);
      const bytes = Buffer.concat(chunks).subarray(size - offset);
      let written = 0;
      while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, size + written);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return this.#journalPosition(writer);
  }
}

function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' });
  response.end(text);
}
