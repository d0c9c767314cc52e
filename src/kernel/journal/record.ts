/**
 * Journal records. `opened` and `settled` are ledger records: never shed, kept in the disk reserve when the disk is full.
 * The numbers are on disk: never reuse one.
 */
export const RECORD_TYPES = {
  'call.opened': 1,
  'call.settled': 2,
  payload: 3,
  'otlp.batch': 4,
  event: 5,
  scores: 6,
  'sdk.request': 7,
  'runs.due': 8,
  'otlp.logs': 9,
} as const;
export type RecordType = keyof typeof RECORD_TYPES;

export interface JournalRecord {
  readonly type: RecordType;
  readonly schemaVersion: number;
  /** UUIDv7 of the record's subject (a call id …), at most 64 bytes of ASCII. */
  readonly id: string;
  readonly payload: Buffer;
}

/** Text is written as UTF-8, several buffers one behind the other. Buffers must not change before they are written: large ones are not copied. */
export type PayloadSource = string | Buffer | readonly Buffer[];

/** A record as it is handed to a writer. */
export interface JournalEntry extends Omit<JournalRecord, 'payload'> {
  readonly payload: PayloadSource;
}

/** A place in a writer's journal; positions of one writer are totally ordered by (segment, offset). */
export interface JournalPosition {
  readonly segment: number;
  /** Bytes from the start of the segment file. */
  readonly offset: number;
}

/** What a lower room needs of a journal. */
export interface JournalWriter {
  /**
   * Appends without waiting for the disk: when it returns, `write()` of the batch is at most one tick away and fdatasync at most 50 ms.
   * A full disk never throws: payloads are shed and counted, ledger records go to the reserve, then to memory. Ask `canAccept` before new work is begun.
   */
  append(record: JournalEntry): void;
  /** Resolves when everything appended before went through `write()` (kill -9 safe), or when the writer has fallen back to memory. Callers of one batch share a promise. */
  written(): Promise<void>;
  /** Resolves once everything appended before is synced to disk; false when the disk does not take it, so that it is only in memory or the reserve. */
  sync(): Promise<boolean>;
  /** True while ledger records can still be taken. Admission answers 503 `journal_full` when false. */
  canAccept(): boolean;
  readonly stats: { readonly shedPayloads: number; readonly appended: number; readonly bytes: number; readonly isDegraded: boolean };
  close(): Promise<void>;
}
