import { appendFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CallBatch, LedgerRow } from '../costs/store.ts';
import type { Clock } from '../kernel/clock.ts';
import { type PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import type { JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import { SEGMENT_MAGIC } from '../kernel/journal/frame.ts';
import { deleteReadSegments, JOURNAL_START, readJournal } from '../kernel/journal/reader.ts';
import type { JournalPosition, JournalRecord } from '../kernel/journal/record.ts';
import { listSegments, segmentPath } from '../kernel/journal/segment.ts';
import type { Scope } from '../kernel/scope.ts';
import type { PriceBook } from '../models/price-book.ts';
import type { IngestCursorStore } from '../stores/sql/ingest-cursors.ts';
import { countOnce, type StoredSpan } from '../traces/count-once.ts';
import { advanceRuns, type OpenRunStore, type RunChanges, type RunEvent, runKey } from '../traces/sdk/open-runs.ts';
import type { RunPart } from '../traces/sdk/run-part.ts';
import type { SpanIoRow, SpanRow } from '../traces/store.ts';
import { rowsOf, rowsOfRuns } from './ingest-rows.ts';

export interface IngestOptions {
  readonly journals: string;
  readonly scope: Scope;
  readonly cursors: Pick<IngestCursorStore, 'read' | 'begin'>;
  /** Runs of SDKs of which a half is missing. */
  readonly openRuns: OpenRunStore;
  /** Moves the cursor of a writer and keeps what has become of open runs: both or neither. */
  readonly commit: (reader: string, writer: string, changes: RunChanges) => Promise<unknown>;
  readonly insert: (batch: CallBatch) => Promise<void>;
  readonly hasLedgerRow: (row: LedgerRow) => Promise<boolean>;
  /** For the model calls of clients; those of gateways are priced already. */
  readonly priceBook: PriceBook;
  /** Stored spans of traces, to tell which model calls of clients are counted already. */
  readonly storedSpans: (scope: Scope, traceIds: readonly string[]) => Promise<StoredSpan[]>;
  /** Keys seen in a batch, with the time of their last call. */
  readonly onKeysUsed: (lastUsedAtMs: ReadonlyMap<string, number>) => Promise<void>;
  /** Events that gateways journaled. May be told of one more than once. */
  readonly onEvents: (events: readonly JournaledEvent[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface IngestStatus {
  /** Age of the oldest record that is not in the store yet, ms; 0 = all caught up; null before the first look. */
  readonly lagMs: number | null;
  readonly pendingBytes: number;
  /** Records that could not be read and lie in quarantine files. */
  readonly quarantined: number;
  readonly lastError: string | null;
}

const READER = 'trace-store';
/** Large ones are cheap: each insert costs the same files and syncs, however many rows it has. */
const LIMITS = { maxRecords: 2_000, maxBytes: 24 * 1024 * 1024 };
const IDLE_MS = 100;
/** A small batch waits this long for company: the store likes 1 000 rows and more. */
const GATHER_MS = 250;
const GATHER_BELOW = 200;
const MAX_BACKOFF_MS = 5_000;
/** Spans of clients wait this long for the calls that gateways journaled before them. A gateway that is that far behind is counted besides. */
const NEIGHBOURS_MS = 3_000;

/** Runs that are looked after at one time; the rest follows a moment later. */
const MAX_DUE = 10_000;
const NO_CHANGES: RunChanges = { put: [], forget: [] };

interface Runs extends ReturnType<typeof rowsOfRuns> {
  readonly changes: RunChanges;
}

/** `pending` = a batch that was begun and may or may not have reached the store. */
interface Cursor {
  readonly position: JournalPosition;
  readonly pending: { readonly end: JournalPosition; readonly token: string } | null;
}

/**
 * Moves journals into the trace store and the ledger. The range of a batch is made durable before the insert and replayed
 * unchanged, under the same token, after a crash: the store drops what it already has, so nothing is lost and nothing doubles.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #workers = new Map<string, Promise<void>>();
  readonly #cursors = new Map<string, Cursor>();
  readonly #oldest = new Map<string, number | null>();
  #isStopping = false;
  #quarantined = 0;
  #lastError: string | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const cursor of await this.#options.cursors.read(this.#options.scope, READER))
      this.#cursors.set(cursor.writer, { position: cursor.committed, pending: cursor.pending });
    this.#loop = this.#watch();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
    await Promise.all(this.#workers.values());
  }

  status(): IngestStatus {
    let pendingBytes = 0;
    let oldest: number | null = null;
    for (const writer of this.#workers.keys()) {
      const bytes = this.pendingBytesOf(writer);
      pendingBytes += bytes;
      const age = this.#oldest.get(writer) ?? null;
      if (bytes > 0 && age !== null) oldest = Math.min(oldest ?? age, age);
    }
    const lagMs = this.#workers.size === 0 ? null : oldest === null ? 0 : Math.max(0, this.#options.clock.nowMs() - oldest);
    return { lagMs, pendingBytes, quarantined: this.#quarantined, lastError: this.#lastError };
  }

  /** Bytes of a writer's journal that are not in the store yet. */
  pendingBytesOf(writer: string): number {
    const directory = join(this.#options.journals, writer);
    const position = this.#cursors.get(writer)?.position ?? JOURNAL_START;
    return listSegments(directory)
      .filter((segment) => segment >= position.segment)
      .reduce(
        (sum, segment) =>
          sum +
          Math.max(
            0,
            (statSync(segmentPath(directory, segment), { throwIfNoEntry: false })?.size ?? 0) -
              (segment === position.segment ? position.offset : 4),
          ),
        0,
      );
  }

  /** New writers appear when workers or remote gateways do. */
  async #watch(): Promise<void> {
    while (!this.#isStopping) {
      const names = existsSync(this.#options.journals)
        ? readdirSync(this.#options.journals, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => entry.name)
        : [];
      for (const writer of names) {
        if (!this.#workers.has(writer)) this.#workers.set(writer, this.#follow(writer));
      }
      await this.#options.clock.sleep(IDLE_MS * 2);
    }
  }

  async #follow(writer: string): Promise<void> {
    let backoffMs = IDLE_MS;
    while (!this.#isStopping) {
      try {
        const moved = await this.#step(writer);
        backoffMs = IDLE_MS;
        this.#lastError = null;
        if (!moved) await this.#options.clock.sleep(IDLE_MS);
      } catch (thrown) {
        const error = toPlimsollError(thrown);
        const cause = error.cause instanceof Error ? error.cause.message : null;
        if (this.#lastError !== error.message)
          this.#options.log('warn', 'ingest_waiting', { writer, message: error.message, cause, retryMs: backoffMs });
        this.#lastError = error.message;
        await this.#options.clock.sleep(backoffMs);
        backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
      }
    }
  }

  /** @returns true when records were moved */
  async #step(writer: string): Promise<boolean> {
    const directory = join(this.#options.journals, writer);
    const cursor = this.#cursors.get(writer) ?? { position: JOURNAL_START, pending: null };
    const replay = cursor.pending;
    let slice = replay
      ? await readJournal(directory, cursor.position, {
          maxRecords: Number.MAX_SAFE_INTEGER,
          maxBytes: 64 * 1024 * 1024,
          until: replay.end,
        })
      : await readJournal(directory, cursor.position, LIMITS);
    if (slice.records.length === 0 && replay === null) {
      this.#oldest.set(writer, null);
      return false;
    }
    if (replay === null && slice.isAtEnd && slice.records.length < GATHER_BELOW) {
      this.#oldest.set(writer, this.#options.clock.nowMs());
      await this.#options.clock.sleep(GATHER_MS);
      slice = await readJournal(directory, cursor.position, LIMITS);
    }
    if (slice.tornBytes > 0) this.#options.log('warn', 'journal_torn_tail', { writer, bytes: slice.tornBytes, before: slice.from });
    // A torn tail that was skipped belongs to the range: a replay skips it again.
    const from = cursor.position;
    const to = replay?.end ?? slice.next;
    const token = replay?.token ?? `${writer}:${from.segment}:${from.offset}-${to.segment}:${to.offset}`;
    if (replay === null) {
      await this.#options.cursors.begin(this.#options.scope, READER, writer, from, to, token);
      this.#cursors.set(writer, { position: from, pending: { end: to, token } });
    }
    const changes = await this.#move(writer, token, slice.records);
    await this.#options.commit(READER, writer, changes);
    this.#cursors.set(writer, { position: to, pending: null });
    if (slice.isAtEnd) this.#oldest.set(writer, null);
    await deleteReadSegments(directory, to);
    return true;
  }

  async #move(writer: string, token: string, records: readonly JournalRecord[]): Promise<RunChanges> {
    const { batch: rows, used, events, runEvents, unreadable } = rowsOf(records, this.#options.priceBook);
    const runs = await this.#advance(runEvents);
    const spans = [...rows.spans, ...runs.spans];
    const batch = {
      ...rows,
      spans: await this.#countedOnce(writer, spans),
      io: [...rows.io, ...runs.io],
      scores: [...rows.scores, ...runs.scores],
    };
    for (const { record, reason } of unreadable) this.#quarantine(writer, record, reason);
    // A run has no record of its own: what is known of it stands in its place.
    for (const { run, reason } of runs.unreadable)
      this.#quarantine(
        writer,
        { type: 'sdk.request', schemaVersion: 1, id: runKey(run.part), payload: Buffer.from(JSON.stringify(run)) },
        reason,
      );
    if (batch.spans.length + batch.io.length + batch.ledger.length + batch.scores.length > 0) {
      try {
        await this.#options.insert({ token, ...batch });
      } catch (thrown) {
        const error = toPlimsollError(thrown);
        if (error.retryable) throw error;
        await this.#moveOneByOne(writer, token, records, error);
        await this.#moveRunsOneByOne(writer, token, records, runs);
      }
    }
    if (used.size > 0) await this.#options.onKeysUsed(used);
    if (events.length > 0) await this.#options.onEvents(events);
    return runs.changes;
  }

  /** What records tell of runs, joined with what is known of them. Until the changes are committed the same records give the same. */
  async #advance(events: readonly RunEvent[]): Promise<Runs> {
    if (events.length === 0) return { spans: [], io: [], scores: [], unreadable: [], changes: NO_CHANGES };
    const { openRuns, scope, priceBook } = this.#options;
    const keys = new Set(events.flatMap((event) => (event.kind === 'part' ? [runKey(event.part)] : [])));
    const dueAtMs = Math.max(...events.flatMap((event) => (event.kind === 'due' ? [event.atMs] : [])));
    const known = [
      ...(await openRuns.find(scope, [...keys])),
      ...(Number.isFinite(dueAtMs) ? (await openRuns.due(scope, dueAtMs, MAX_DUE)).filter(({ key }) => !keys.has(key)) : []),
    ];
    const { finished, changes } = advanceRuns(known, events);
    const rows = rowsOfRuns(finished, priceBook);
    const logs = finished.filter(({ part }) => part.isLog === true).map(({ part }) => part);
    return { ...rows, io: logs.length === 0 ? rows.io : await this.#atTheirSpans(logs, rows.io), changes };
  }

  /**
   * A client's span around a call of a gateway must not count it again. A call is journaled before its client has the answer, and so before the
   * client's span has ended: once every journal has been moved up to now, the store knows all calls inside the spans at hand.
   */
  async #countedOnce(writer: string, spans: readonly SpanRow[]): Promise<readonly SpanRow[]> {
    const requests = spans.filter(({ callId, isRequest }) => callId === null && isRequest);
    if (requests.length === 0) return spans;
    await this.#neighboursMoved(writer);
    const stored: StoredSpan[] = [];
    const scopes = new Map(
      requests.map(({ organisationId, environment }) => [`${organisationId}/${environment}`, { organisationId, environment }]),
    );
    for (const scope of scopes.values()) {
      const own = requests.filter((span) => span.organisationId === scope.organisationId && span.environment === scope.environment);
      stored.push(...(await this.#options.storedSpans(scope, [...new Set(own.map(({ traceId }) => traceId))])));
    }
    return countOnce(spans, stored);
  }

  async #neighboursMoved(writer: string): Promise<void> {
    const { clock, journals } = this.#options;
    const ends = [...this.#workers.keys()].flatMap((other) => {
      const segment = other === writer ? undefined : listSegments(join(journals, other)).at(-1);
      if (segment === undefined) return [];
      const offset = statSync(segmentPath(join(journals, other), segment), { throwIfNoEntry: false })?.size ?? 0;
      return [{ other, segment, offset }];
    });
    const isBehind = ({ other, segment, offset }: (typeof ends)[number]): boolean => {
      const { position } = this.#cursors.get(other) ?? { position: JOURNAL_START };
      return position.segment < segment ? offset > SEGMENT_MAGIC.length : position.segment === segment && position.offset < offset;
    };
    const endMs = clock.monotonicMs() + NEIGHBOURS_MS;
    while (ends.some(isBehind) && clock.monotonicMs() < endMs && !this.#isStopping) await clock.sleep(20);
  }

  /**
   * The store refuses the batch for its content: find the record at fault instead of standing still for ever. The ledger rows went in under
   * the batch's own token, or go in so now; only what the store refuses even then is tried alone, after a look whether its row exists.
   */
  async #moveOneByOne(writer: string, token: string, records: readonly JournalRecord[], whole: PlimsollError): Promise<void> {
    this.#options.log('error', 'ingest_batch_refused', { writer, token, message: whole.message });
    const { batch } = rowsOf(records, this.#options.priceBook);
    const isLedgerIn = await this.#isTaken({ token, spans: [], io: [], ledger: batch.ledger });
    for (const [index, record] of records.entries()) {
      const { io, ledger, ...rows } = rowsOf([record], this.#options.priceBook).batch;
      const spans = await this.#countedOnce(writer, rows.spans);
      const row = ledger[0];
      const needsRow = row !== undefined && !isLedgerIn && !(await this.#options.hasLedgerRow(row));
      if (needsRow && !(await this.#isTaken({ token: `${token}#${index}`, spans: [], io: [], ledger }))) {
        this.#quarantine(writer, record, 'the ledger refuses it');
        continue;
      }
      if (spans.length + io.length + rows.scores.length === 0) continue;
      if (!(await this.#isTaken({ token: `${token}#${index}`, spans, io, ledger: [], scores: rows.scores })))
        this.#quarantine(writer, record, 'the trace store refuses it');
    }
  }

  /** Texts that came in logs stand where their span begins, as all texts do: by that they are found. Without a span they stay where they came. */
  async #atTheirSpans(logs: readonly RunPart[], io: readonly SpanIoRow[]): Promise<SpanIoRow[]> {
    const stored = await this.#options.storedSpans(this.#options.scope, [...new Set(logs.map(({ traceId }) => traceId))]);
    const startOf = new Map(stored.map((span) => [runKey(span), span.startedAtNs]));
    return io.map((row) => ({ ...row, startedAtNs: startOf.get(runKey(row)) ?? row.startedAtNs }));
  }

  /** Spans of runs that the store refuses alone are left out; the requests that told of them are in quarantine then, since nobody can say which it was. */
  async #moveRunsOneByOne(writer: string, token: string, records: readonly JournalRecord[], runs: Runs): Promise<void> {
    const texts = Map.groupBy(runs.io, runKey);
    let isRefused = false;
    for (const [index, span] of (await this.#countedOnce(writer, runs.spans)).entries())
      if (
        !(await this.#isTaken({ token: `${token}#run${index}`, spans: [span], io: texts.get(runKey(span)) ?? [], ledger: [], scores: [] }))
      )
        isRefused = true;
    if (!isRefused) return;
    for (const record of records)
      if (record.type === 'sdk.request') this.#quarantine(writer, record, 'the trace store refuses a run of it');
  }

  /** @returns false when the store refuses the rows for their content @throws what a later try may overcome */
  async #isTaken(batch: CallBatch): Promise<boolean> {
    try {
      await this.#options.insert(batch);
      return true;
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      if (error.retryable) throw error;
      return false;
    }
  }

  #quarantine(writer: string, record: JournalRecord, reason: string): void {
    this.#quarantined += 1;
    this.#options.log('error', 'record_quarantined', { writer, id: record.id, type: record.type, reason });
    appendFileSync(
      join(this.#options.journals, `${writer}.quarantine.jsonl`),
      `${JSON.stringify({ id: record.id, type: record.type, reason, payload: record.payload.toString('base64') })}\n`,
      { mode: 0o600 },
    );
  }
}
