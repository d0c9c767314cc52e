import { PlimsollError } from '../../kernel/errors.ts';
import type { JournalEntry, JournalRecord } from '../../kernel/journal/record.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { ScoreRow } from './store.ts';

const SCHEMA_VERSION = 1;

type Journaled = Omit<ScoreRow, 'valuePicoUsd'> & { readonly valuePicoUsd: string | null };

/** Journal record `scores`: the rows of one request as JSON, money as decimal text. */
export function scoreEntry(id: string, rows: readonly ScoreRow[]): JournalEntry {
  const payload = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
  return { type: 'scores', schemaVersion: SCHEMA_VERSION, id, payload };
}

/** @throws PlimsollError `internal` when it is not a record that this version can read */
export function readScoreRecord({ schemaVersion, payload }: JournalRecord): ScoreRow[] {
  if (schemaVersion !== SCHEMA_VERSION)
    throw new PlimsollError('internal', `Score record of version ${schemaVersion}; this Plimsoll reads ${SCHEMA_VERSION}`);
  const rows = parseJsonText(payload.toString('utf8')) as Journaled[]; // written by scoreEntry
  return rows.map((row) => ({ ...row, valuePicoUsd: row.valuePicoUsd === null ? null : BigInt(row.valuePicoUsd) }));
}
