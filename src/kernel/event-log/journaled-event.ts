import { newUuidV7 } from '../ids.ts';
import type { JournalEntry, JournalRecord } from '../journal/record.ts';
import type { LoggedEvent } from './event-log.ts';

/** An event of a process that has no event log of its own: it goes through the journal, and the ingest appends it. */
export interface JournaledEvent extends Omit<LoggedEvent, 'id'> {
  /** Events of one key are one event, whoever reports them and however often. */
  readonly key: string;
}

const SCHEMA_VERSION = 1;

export function eventEntry(event: JournaledEvent): JournalEntry {
  return { type: 'event', schemaVersion: SCHEMA_VERSION, id: newUuidV7(event.atMs), payload: JSON.stringify(event) };
}

/** @returns null for event records that are marks of the journal itself @throws SyntaxError for a payload that is not JSON */
export function readJournaledEvent(record: JournalRecord): JournaledEvent | null {
  const value = JSON.parse(record.payload.toString('utf8')) as Partial<JournaledEvent>;
  return typeof value.name === 'string' && typeof value.key === 'string' ? (value as JournaledEvent) : null; // written by eventEntry
}
