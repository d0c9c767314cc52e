import { ledgerRowFromCall } from '../costs/ledger-row.ts';
import type { CallBatch, LedgerRow } from '../costs/store.ts';
import { type JournaledEvent, readJournaledEvent } from '../kernel/event-log/journaled-event.ts';
import type { JournalRecord } from '../kernel/journal/record.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { PriceBook } from '../models/price-book.ts';
import { decodeCallPayload } from '../traces/call-payload-codec.ts';
import type { CallSettled } from '../traces/call-record.ts';
import { ioRowFromPayload, spansFromCall } from '../traces/from-call.ts';
import { keptPart, rowsFromOtlp, rowsFromRun } from '../traces/from-otlp.ts';
import { readBatchRecord } from '../traces/otlp/batch-record.ts';
import { decodeLogs } from '../traces/otlp/logs.ts';
import { readScoreRecord } from '../traces/scores/score-record.ts';
import type { ScoreRow } from '../traces/scores/store.ts';
import { partsFromLogs } from '../traces/sdk/from-logs.ts';
import type { FinishedRun, RunEvent } from '../traces/sdk/open-runs.ts';
import { decodeSdkRequest, readRunsDueRecord, readSdkRequestRecord } from '../traces/sdk/request-record.ts';
import type { SpanIoRow, SpanRow } from '../traces/store.ts';

interface Rows {
  readonly batch: Required<Omit<CallBatch, 'token'>>;
  readonly used: Map<string, number>;
  readonly events: readonly JournaledEvent[];
  /** What SDKs told of runs that may have begun in other records; `rowsOfRuns` makes rows of those that are finished. */
  readonly runEvents: readonly RunEvent[];
  readonly unreadable: { readonly record: JournalRecord; readonly reason: string }[];
}

/** Pure: equal records give equal rows, which is what makes a replay recognisable. */
export function rowsOf(records: readonly JournalRecord[], priceBook: PriceBook): Rows {
  const spans: SpanRow[] = [];
  const io: SpanIoRow[] = [];
  const ledger: LedgerRow[] = [];
  const scores: ScoreRow[] = [];
  const used = new Map<string, number>();
  const events: JournaledEvent[] = [];
  const runEvents: RunEvent[] = [];
  const unreadable: { record: JournalRecord; reason: string }[] = [];
  for (const record of records) {
    try {
      if (record.type === 'call.settled') {
        const call = parseJsonText(record.payload.toString('utf8')) as CallSettled;
        const rows = spansFromCall(call, null);
        spans.push(...rows.spans);
        io.push(...rows.io);
        ledger.push(ledgerRowFromCall(call));
        used.set(call.keyId, Math.max(used.get(call.keyId) ?? 0, call.startedAtMs));
      } else if (record.type === 'payload') {
        io.push(ioRowFromPayload(decodeCallPayload(record)));
      } else if (record.type === 'otlp.batch') {
        const { meta, body } = readBatchRecord(record);
        const rows = rowsFromOtlp(meta, body, priceBook);
        for (const span of rows.spans) spans.push(span);
        for (const row of rows.io) io.push(row);
        for (const row of rows.scores) scores.push(row);
        used.set(meta.keyId, Math.max(used.get(meta.keyId) ?? 0, meta.receivedAtMs));
      } else if (record.type === 'scores') {
        scores.push(...readScoreRecord(record));
      } else if (record.type === 'sdk.request') {
        const { meta, body } = readSdkRequestRecord(record);
        const { receivedAtMs, format: _format, ...sender } = meta;
        const request = decodeSdkRequest(body, meta);
        scores.push(...request.scores);
        for (const part of request.parts) runEvents.push({ kind: 'part', part: keptPart(part, sender), sender, receivedAtMs });
        used.set(meta.keyId, Math.max(used.get(meta.keyId) ?? 0, receivedAtMs));
      } else if (record.type === 'otlp.logs') {
        const { meta, body } = readBatchRecord(record);
        const { receivedAtMs, encoding, ...sender } = meta;
        const told = partsFromLogs(decodeLogs(body, encoding, receivedAtMs), sender, receivedAtMs);
        scores.push(...told.scores);
        for (const part of told.parts) runEvents.push({ kind: 'part', part, sender, receivedAtMs });
        used.set(meta.keyId, Math.max(used.get(meta.keyId) ?? 0, receivedAtMs));
      } else if (record.type === 'runs.due') {
        runEvents.push({ kind: 'due', atMs: readRunsDueRecord(record) });
      } else if (record.type === 'event') {
        const event = readJournaledEvent(record);
        if (event !== null) events.push(event);
      }
    } catch (error) {
      unreadable.push({ record, reason: (error as Error).message });
    }
  }
  return { batch: { spans, io, ledger, scores }, used, events, runEvents, unreadable };
}

interface RunRows extends Pick<Rows['batch'], 'spans' | 'io' | 'scores'> {
  readonly unreadable: { readonly run: FinishedRun; readonly reason: string }[];
}

/** Rows of runs that have both halves, or have waited long enough. */
export function rowsOfRuns(finished: readonly FinishedRun[], priceBook: PriceBook): RunRows {
  const spans: SpanRow[] = [];
  const io: SpanIoRow[] = [];
  const scores: ScoreRow[] = [];
  const unreadable: { run: FinishedRun; reason: string }[] = [];
  for (const run of finished) {
    try {
      const rows = rowsFromRun(run, priceBook);
      spans.push(...rows.spans);
      io.push(...rows.io);
      scores.push(...rows.scores);
    } catch (error) {
      unreadable.push({ run, reason: (error as Error).message });
    }
  }
  return { spans, io, scores, unreadable };
}
