import type { AuditEntry, AuditSink, Scope } from './scope.ts';

/** An audit entry at its place in the scope's order. */
export interface SequencedAuditEntry extends AuditEntry {
  /** 1, 2, 3 … per scope, in the order of commit and without gaps, so that "greater than the last I read" misses nothing. */
  readonly sequence: number;
}

/** Audit entries that wait to be sealed into the audit log, written in the transaction of the change they describe. */
export interface AuditOutbox extends AuditSink {
  /** Entries with a sequence greater than `afterSequence`, ascending, at most `limit`. */
  list(scope: Scope, page: { readonly afterSequence: number; readonly limit: number }): Promise<SequencedAuditEntry[]>;
}
