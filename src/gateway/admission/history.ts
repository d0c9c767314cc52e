import type { JournalEntry, JournalRecord } from '../../kernel/journal/record.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { CallAttempt, CallSettled } from '../../traces/call-record.ts';

/** What is kept of a counter: entries of a window, or accounts of periods. */
export type CounterState =
  | { readonly kind: 'window' /** Epoch milliseconds, amount; oldest first. */; readonly entries: readonly (readonly [number, number])[] }
  | {
      readonly kind: 'total';
      /** Start of the period (epoch milliseconds; null = a run), what was spent: pico-dollars, or a count. */
      readonly accounts: readonly (readonly [number | null, string])[];
      /** Epoch milliseconds. */
      readonly lastUsedAtMs: number;
    };

/** What one settled call used, as far as limits want to know. */
export interface SettledUse
  extends Pick<CallSettled, 'organisationId' | 'feature' | 'team' | 'user' | 'session' | 'customer' | 'keyId' | 'startedAtMs' | 'purpose'> {
  readonly attempts: readonly Pick<
    CallAttempt,
    'model' | 'provider' | 'startOffsetMs' | 'httpStatus' | 'usage' | 'costPicoUsd' | 'bookedPicoUsd'
  >[];
}

/** All that a gateway has to know of its past: counters at one moment, and the calls that were settled after it. */
export interface AdmissionHistory {
  /** By id of the limit, then by member. */
  readonly counters: Readonly<Record<string, readonly (readonly [member: string, CounterState])[]>>;
  readonly uses: readonly SettledUse[];
}

/** Id of the journal records that hold one. */
export const CHECKPOINT = 'limits-checkpoint';
const SCHEMA_VERSION = 1;

export function useOf(call: CallSettled): SettledUse {
  const { organisationId, feature, team, user, session, customer, keyId, startedAtMs, purpose } = call;
  const attempts = call.attempts.map(({ model, provider, startOffsetMs, httpStatus, usage, costPicoUsd, bookedPicoUsd }) => ({
    model,
    provider,
    startOffsetMs,
    httpStatus,
    usage,
    costPicoUsd,
    ...(bookedPicoUsd === undefined ? {} : { bookedPicoUsd }),
  }));
  return {
    organisationId,
    feature,
    team,
    user,
    session,
    customer,
    keyId,
    startedAtMs,
    ...(purpose === undefined ? {} : { purpose }),
    attempts,
  };
}

/** When the call was let in: its first attempt began in the same moment. Epoch milliseconds. */
export function admittedAtMs({ startedAtMs, attempts }: SettledUse): number {
  return Math.round(startedAtMs + (attempts[0]?.startOffsetMs ?? 0));
}

export function checkpointEntry(history: AdmissionHistory): JournalEntry {
  return { type: 'event', schemaVersion: SCHEMA_VERSION, id: CHECKPOINT, payload: JSON.stringify(history) };
}

export function readCheckpoint(record: JournalRecord): AdmissionHistory {
  return parseJsonText(record.payload.toString('utf8')) as AdmissionHistory; // written by checkpointEntry, protected by the frame's checksum
}
