import type { IncomingHttpHeaders } from 'node:http';
import type { Snapshot } from '../../gateway/snapshot.ts';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { JournalEntry } from '../../kernel/journal/record.ts';
import { FileJournalWriter } from '../../kernel/journal/writer.ts';
import { batchEntry, decodeBatch, featureOf, type OtlpBatchMeta } from '../../traces/otlp/batch-record.ts';
import { inflateBody } from '../../traces/otlp/inflate.ts';
import { decodeLogs } from '../../traces/otlp/logs.ts';
import { refuseMetrics } from '../../traces/otlp/metric-points.ts';
import type { OtlpEncoding, OtlpSignal, PartialSuccess } from '../../traces/otlp/response.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import { partsFromLogs } from '../../traces/sdk/from-logs.ts';
import { decodeSdkRequest, runsDueEntry, type SdkFormat, type SdkRequestMeta, sdkRequestEntry } from '../../traces/sdk/request-record.ts';
import type { SdkRequest } from '../../traces/sdk/run-part.ts';
import { type OtlpCaller, OtlpCallers } from './callers.ts';
import { RecentBatches } from './recent-batches.ts';

export interface OtlpIntakeOptions {
  /** Directory of the intake's own journal. */
  readonly directory: string;
  readonly snapshot: () => Snapshot | null;
  /** Bytes of the journal that are not in the trace store yet. */
  readonly pendingBytes: () => number;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Bodies that are held at one time, received and inflated. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** Journal that waits for the trace store, beyond which senders are asked to wait. */
const MAX_PENDING_BYTES = 1024 * 1024 * 1024;
const BUSY_SECONDS = 1;
const BEHIND_SECONDS = 10;

export interface OtlpCounters {
  batches: number;
  repeatedBatches: number;
  spans: number;
  rejectedSpans: number;
  refusedRequests: number;
  sdkRequests: number;
  sdkItems: number;
  rejectedSdkItems: number;
  logRecords: number;
  rejectedLogRecords: number;
}

/**
 * Takes OTLP requests: who sends, what is in them, and into the journal. A request is acknowledged once its record is synced to disk, and never
 * before; all that follows (reading the dialect, prices, the store) happens when the ingest reads the journal.
 */
export class OtlpIntake {
  readonly #options: OtlpIntakeOptions;
  readonly #journal: FileJournalWriter;
  readonly #callers: OtlpCallers;
  readonly #recent: RecentBatches;
  #heldBytes = 0;
  readonly counters: OtlpCounters = {
    batches: 0,
    repeatedBatches: 0,
    spans: 0,
    rejectedSpans: 0,
    refusedRequests: 0,
    sdkRequests: 0,
    sdkItems: 0,
    rejectedSdkItems: 0,
    logRecords: 0,
    rejectedLogRecords: 0,
  };

  private constructor(options: OtlpIntakeOptions, journal: FileJournalWriter, recent: RecentBatches) {
    this.#options = options;
    this.#journal = journal;
    this.#recent = recent;
    this.#callers = new OtlpCallers(options.snapshot);
  }

  static async open(options: OtlpIntakeOptions): Promise<OtlpIntake> {
    const recent = new RecentBatches();
    // Before a new segment is begun: only the newest one is sure to be there.
    await recent.recover(options.directory, options.clock.nowMs());
    const journal = await FileJournalWriter.open({
      directory: options.directory,
      clock: options.clock,
      // Nothing is acknowledged out of the reserve.
      reserveBytes: 1024 * 1024,
      onDegraded: (isDegraded, reason) =>
        options.log(isDegraded ? 'error' : 'info', isDegraded ? 'otlp_journal_degraded' : 'otlp_journal_recovered', { reason }),
    });
    return new OtlpIntake(options, journal, recent);
  }

  /**
   * Whether the request may be read at all; headers are enough to tell.
   * @throws PlimsollError `unauthenticated`, `permission_denied`, `not_found`, `not_ready`, `rate_limited`, `store_unavailable`, `journal_full`
   */
  admit(headers: IncomingHttpHeaders): OtlpCaller {
    const caller = this.#callers.find(headers, this.#options.clock.nowMs());
    this.#requireRoom();
    return caller;
  }

  #requireRoom(): void {
    if (this.#journal.stats.isDegraded || !this.#journal.canAccept()) throw journalFull();
    const pending = this.#options.pendingBytes();
    if (pending > MAX_PENDING_BYTES)
      throw new PlimsollError(
        'store_unavailable',
        `${pending} bytes of traces wait for the trace store; at most ${MAX_PENDING_BYTES} may.`,
        {
          details: { pendingBytes: pending, retryAfterSeconds: BEHIND_SECONDS },
        },
      );
  }

  /**
   * Books memory for a body. @returns gives it back, once
   * @throws PlimsollError `rate_limited` when too much is held already
   */
  hold(bytes: number): () => void {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES)
      throw new PlimsollError('rate_limited', `${this.#heldBytes} bytes of traces are being taken in at this moment; send again later.`, {
        details: { retryAfterSeconds: BUSY_SECONDS },
      });
    this.#heldBytes += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#heldBytes -= bytes;
      isHeld = false;
    };
  }

  /** @throws PlimsollError as `inflateBody` and `accept` do */
  async acceptEncoded(
    caller: OtlpCaller,
    body: Buffer,
    contentEncoding: string | undefined,
    encoding: OtlpEncoding,
    signal: OtlpSignal = 'traces',
  ): Promise<PartialSuccess> {
    const release = contentEncoding === undefined ? () => {} : this.hold(OTLP_LIMITS.bodyBytes);
    try {
      return await this.accept(caller, await inflateBody(body, contentEncoding, OTLP_LIMITS.bodyBytes), encoding, signal);
    } finally {
      release();
    }
  }

  /**
   * Resolves once everything that can be taken is on disk.
   * @throws PlimsollError `invalid_argument` for what is no OTLP request, `journal_full` when the disk does not take it
   */
  accept(caller: OtlpCaller, body: Buffer, encoding: OtlpEncoding, signal: OtlpSignal = 'traces'): Promise<PartialSuccess> {
    switch (signal) {
      case 'traces':
        return this.#acceptSpans(caller, body, encoding);
      case 'logs':
        return this.#acceptLogs(caller, body, encoding);
      case 'metrics':
        // Promise.resolve would let it throw where a promise is expected.
        return new Promise((resolve) => resolve(refuseMetrics(body, encoding)));
      default:
        return signal satisfies never;
    }
  }

  async #acceptLogs(caller: OtlpCaller, body: Buffer, encoding: OtlpEncoding): Promise<PartialSuccess> {
    const meta: OtlpBatchMeta = { ...caller, encoding, receivedAtMs: this.#options.clock.nowMs() };
    const { parts, scores, rejected, reason } = partsFromLogs(decodeLogs(body, encoding, meta.receivedAtMs), meta, meta.receivedAtMs);
    if (parts.length + scores.length > 0)
      await this.#write(
        batchEntry(RecentBatches.idOf({ ...meta, encoding: `logs ${encoding}` }, body), meta, body, 'otlp.logs'),
        meta.receivedAtMs,
      );
    this.counters.logRecords += parts.length + scores.length;
    this.counters.rejectedLogRecords += rejected;
    return { rejected, reason };
  }

  async #acceptSpans(caller: OtlpCaller, body: Buffer, encoding: OtlpEncoding): Promise<PartialSuccess> {
    const { clock } = this.#options;
    const meta: OtlpBatchMeta = { ...caller, encoding, receivedAtMs: clock.nowMs() };
    const request = decodeBatch(body, meta);
    const homeless = request.spans.filter((span) => featureOf(span, request.resources[span.resource], meta) === null).length;
    const rejected = request.rejected + homeless;
    const reason =
      request.reason ||
      (homeless > 0
        ? 'the key is not bound to a feature and the span names none: send the header x-plimsoll-feature or the resource attribute plimsoll.feature'
        : '');
    if (request.spans.length > homeless) await this.#write(batchEntry(RecentBatches.idOf(meta, body), meta, body), meta.receivedAtMs);
    this.counters.batches += 1;
    this.counters.spans += request.spans.length - homeless;
    this.counters.rejectedSpans += rejected;
    return { rejected, reason };
  }

  /**
   * A request to an SDK's own endpoint; like `acceptEncoded`, item by item.
   * @throws PlimsollError `invalid_argument` for what is no request of the format, `journal_full` when the disk does not take it
   */
  async acceptSdk(caller: OtlpCaller, body: Buffer, contentEncoding: string | undefined, format: SdkFormat): Promise<SdkRequest> {
    const release = contentEncoding === undefined ? () => {} : this.hold(OTLP_LIMITS.bodyBytes);
    try {
      const inflated = await inflateBody(body, contentEncoding, OTLP_LIMITS.bodyBytes);
      const meta: SdkRequestMeta = { ...caller, format, receivedAtMs: this.#options.clock.nowMs() };
      const request = decodeSdkRequest(inflated, meta);
      const id = RecentBatches.idOf({ ...meta, encoding: JSON.stringify(format) }, inflated);
      if (request.parts.length + request.scores.length > 0) await this.#write(sdkRequestEntry(id, meta, inflated), meta.receivedAtMs);
      this.counters.sdkRequests += 1;
      this.counters.sdkItems += request.accepted.length;
      this.counters.rejectedSdkItems += request.rejected.length;
      return request;
    } finally {
      release();
    }
  }

  /** Has the ingest look after runs whose other half did not come. Nothing waits for it: what is not written now is written the next time. */
  lookAfterRuns(atMs: number): void {
    if (this.#journal.canAccept() && !this.#journal.stats.isDegraded) this.#journal.append(runsDueEntry(atMs));
  }

  async #write(entry: JournalEntry, receivedAtMs: number): Promise<void> {
    const { id } = entry;
    if (this.#recent.has(id)) this.counters.repeatedBatches += 1;
    else {
      this.#requireRoom();
      this.#journal.append(entry);
      this.#recent.add(id, receivedAtMs);
    }
    let isOnDisk: boolean;
    try {
      isOnDisk = await this.#journal.sync();
    } catch (cause) {
      // Nobody knows what became of the bytes: the next attempt is written anew.
      this.#recent.delete(id);
      throw journalFull(cause);
    }
    // It may reach the disk yet: sent again, it is found there and not written a second time.
    if (!isOnDisk) throw journalFull();
  }

  /** Prometheus text. */
  metrics(): string {
    const {
      batches,
      repeatedBatches,
      spans,
      rejectedSpans,
      refusedRequests,
      sdkRequests,
      sdkItems,
      rejectedSdkItems,
      logRecords,
      rejectedLogRecords,
    } = this.counters;
    const counter = (name: string, help: string, value: number): string =>
      `# HELP ${name} ${help}\n# TYPE ${name} counter\n${name} ${value}\n`;
    return [
      counter('plimsoll_otlp_batches_total', 'OTLP requests acknowledged.', batches),
      counter('plimsoll_otlp_repeated_batches_total', 'OTLP requests that were in the journal already.', repeatedBatches),
      counter('plimsoll_otlp_spans_total', 'Spans acknowledged.', spans),
      counter('plimsoll_otlp_rejected_spans_total', 'Spans rejected inside requests that were acknowledged.', rejectedSpans),
      counter('plimsoll_otlp_refused_requests_total', 'Requests of clients that send traces refused as a whole.', refusedRequests),
      counter('plimsoll_otlp_log_records_total', 'Log records acknowledged.', logRecords),
      counter(
        'plimsoll_otlp_rejected_log_records_total',
        'Log records rejected inside requests that were acknowledged.',
        rejectedLogRecords,
      ),
      counter('plimsoll_sdk_requests_total', 'Requests to endpoints of other SDKs acknowledged.', sdkRequests),
      counter('plimsoll_sdk_items_total', 'Runs, halves of runs and scores acknowledged.', sdkItems),
      counter('plimsoll_sdk_rejected_items_total', 'Items rejected inside requests that were acknowledged.', rejectedSdkItems),
    ].join('');
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }
}

function journalFull(cause?: unknown): PlimsollError {
  return new PlimsollError('journal_full', 'The disk does not take traces at this moment; nothing of this request was acknowledged.', {
    details: { retryAfterSeconds: BEHIND_SECONDS },
    cause,
  });
}
