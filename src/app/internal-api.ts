import { timingSafeEqual } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LimitsReport } from '../gateway/admission/limit-state.ts';
import { RoutingReport } from '../gateway/routing/report.ts';
import type { WorkerPresence } from '../gateway/worker-presence.ts';
import { systemClock } from '../kernel/clock.ts';
import { PlimsollError, problemBody, toPlimsollError } from '../kernel/errors.ts';
import { JOURNAL_START, readJournal } from '../kernel/journal/reader.ts';
import type { JournalPosition } from '../kernel/journal/record.ts';
import { listSegments, segmentPath } from '../kernel/journal/segment.ts';
import type { GatewayCacheReport } from './cache-control.ts';
import type { GatewayReport } from './control-link.ts';
import type { DataDirectory } from './data-directory.ts';
import type { SnapshotPublisher } from './snapshot-publisher.ts';
import { PRESENT_MS, WorkerReports } from './worker-reports.ts';

const MAX_UPLOAD_BYTES = 300 * 1024 * 1024;
const MAX_REPORT_BYTES = 4 * 1024 * 1024;
/** A report names each target, route and limit once: far more than any configuration has. */
const MAX_WORKER_REPORT_BYTES = 16 * 1024 * 1024;
const MAX_HOLD_MS = 30_000;
/** Of a journal's writer, which is a gateway worker: it becomes the name of a directory. */
const WRITER_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

export interface InternalApiOptions {
  readonly clusterKey: string;
  readonly publisher: SnapshotPublisher;
  readonly data: DataDirectory;
  readonly metrics: () => string;
  readonly onCacheReport: (report: GatewayCacheReport) => Promise<void>;
  readonly nowMs: () => number;
}

/** Reports of gateway workers on one thing. */
export interface WorkerView<T> {
  readonly reports: readonly { readonly worker: string; readonly report: T }[];
  readonly gateways: WorkerPresence[];
}

/** `/internal/v1`: what gateways and control say to each other, on this machine or over the network, under the cluster key. */
export class InternalApi {
  readonly #options: InternalApiOptions;
  readonly #key: Buffer;
  readonly #positions = new Map<string, JournalPosition>();
  /** Epoch that the gateway which asked last has. */
  #newestHeld = -1;
  readonly #reports = new Map<string, { report: GatewayReport; atMs: number }>();
  readonly #routing = new WorkerReports<RoutingReport>();
  readonly #limits = new WorkerReports<LimitsReport>();

  constructor(options: InternalApiOptions) {
    this.#options = options;
    this.#key = Buffer.from(options.clusterKey);
  }

  /** Gateways heard of lately. */
  gateways(): GatewayReport[] {
    const now = this.#options.nowMs();
    return [...this.#reports.values()].filter((entry) => now - entry.atMs < PRESENT_MS).map((entry) => entry.report);
  }

  /** What gateway workers know of their targets and routes, and who has not said it lately. */
  routing(): WorkerView<RoutingReport> {
    return this.#viewOf(this.#routing);
  }

  /** What gateway workers know of their limits, and who has not said it lately. */
  limits(): WorkerView<LimitsReport> {
    return this.#viewOf(this.#limits);
  }

  #viewOf<T>(reports: WorkerReports<T>): WorkerView<T> {
    const now = this.#options.nowMs();
    const present = this.gateways().map(({ writer }) => writer);
    return { reports: reports.present(now), gateways: reports.presence(now, present) };
  }

  /** Resolves when a gateway has the snapshot of this epoch (it asks for what comes after it), or when the time is up. */
  async gatewayHas(epoch: number, timeoutMs: number): Promise<void> {
    const endMs = systemClock.monotonicMs() + timeoutMs;
    while (this.#newestHeld !== epoch && systemClock.monotonicMs() < endMs) await systemClock.sleep(5);
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
    if (resource === 'cache' && request.method === 'POST') return this.#cacheReport(request, response);
    if (request.method === 'POST' && name && WRITER_NAME.test(name)) {
      if (resource === 'routing') return this.#receive(this.#routing, RoutingReport, name, request, response);
      if (resource === 'limits') return this.#receive(this.#limits, LimitsReport, name, request, response);
    }
    if (resource === 'journal' && name && WRITER_NAME.test(name)) {
      if (request.method === 'GET') return send(response, 200, await this.#journalPosition(name));
      if (request.method === 'POST') return send(response, 200, await this.#appendJournal(name, url, request));
    }
    throw new PlimsollError('not_found', `There is no ${request.method} ${url.pathname}`);
  }

  async #receive<T>(
    reports: WorkerReports<T>,
    schema: { parse(value: unknown): T },
    worker: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await readBody(request, MAX_WORKER_REPORT_BYTES, 'A report');
    reports.receive(worker, schema.parse(JSON.parse(body.toString())), this.#options.nowMs());
    response.writeHead(204);
    response.end();
  }

  async #cacheReport(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_REPORT_BYTES) throw new PlimsollError('payload_too_large', `A report is at most ${MAX_REPORT_BYTES} bytes`);
      chunks.push(chunk);
    }
    // Only a gateway of this cluster has the key that got us here.
    await this.#options.onCacheReport(JSON.parse(Buffer.concat(chunks).toString()) as GatewayCacheReport);
    response.writeHead(204);
    response.end();
  }

  async #snapshot(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const report = request.headers['x-plimsoll-gateway'];
    if (typeof report === 'string') {
      const parsed = JSON.parse(report) as GatewayReport;
      this.#reports.set(String(parsed.writer), { report: parsed, atMs: this.#options.nowMs() });
    }
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    this.#newestHeld = Number(url.searchParams.get('after') ?? -1);
    const holdMs = Math.min(MAX_HOLD_MS, Number(url.searchParams.get('holdMs') ?? 0) || 0);
    const snapshot = await this.#options.publisher.next(Number(url.searchParams.get('after') ?? -1), holdMs, abort.signal);
    if (abort.signal.aborted) return;
    if (snapshot === null) {
      response.writeHead(204);
      response.end();
    } else send(response, 200, snapshot);
  }

  /**
   * How far the copy of a writer's journal reaches, always at a record's end: a control that died in the middle of a write left half a
   * record, which must be sent again from its first byte.
   */
  async #journalPosition(writer: string): Promise<JournalPosition> {
    const directory = this.#options.data.journal(writer);
    const segment = listSegments(directory).at(-1);
    if (segment === undefined) return JOURNAL_START;
    const known = this.#positions.get(writer);
    if (known?.segment === segment) return known;
    let position: JournalPosition = { segment, offset: 0 };
    for (;;) {
      const slice = await readJournal(directory, position, { maxRecords: 10_000, maxBytes: 8 * 1024 * 1024 });
      if (slice.records.length === 0) break;
      position = slice.next;
    }
    this.#positions.set(writer, position);
    return position;
  }

  /** Idempotent by (writer, segment, offset): bytes that are here already are skipped, a gap is refused. */
  async #appendJournal(writer: string, url: URL, request: IncomingMessage): Promise<JournalPosition> {
    const segment = Number(url.searchParams.get('segment'));
    const offset = Number(url.searchParams.get('offset'));
    if (!Number.isSafeInteger(segment) || segment < 1 || !Number.isSafeInteger(offset) || offset < 0)
      throw new PlimsollError('invalid_argument', 'segment and offset must be whole numbers');
    const body = await readBody(request, MAX_UPLOAD_BYTES, 'A journal upload');
    const directory = this.#options.data.journal(writer);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const reached = await this.#journalPosition(writer);
    if (segment < reached.segment) return reached;
    const start = segment === reached.segment ? reached.offset : 0;
    if (offset > start)
      throw new PlimsollError(
        'conflict',
        `Segment ${segment} of ${writer} reaches to byte ${start} here; offset ${offset} would leave a gap`,
      );
    const bytes = body.subarray(start - offset);
    const fd = openSync(segmentPath(directory, segment), segment === reached.segment ? 'r+' : 'w', 0o600);
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, start + written);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    const position = { segment, offset: start + bytes.length };
    this.#positions.set(writer, position);
    return position;
  }
}

async function readBody(request: IncomingMessage, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new PlimsollError('payload_too_large', `${what} is at most ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' });
  response.end(text);
}
