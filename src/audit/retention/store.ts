import type { Scope } from '../../kernel/scope.ts';
import type { ClassPlan, RetentionRule } from './plan.ts';

/** What is stored of a class. */
export interface Holding {
  readonly rows: number;
  /** On disk, compressed, indexes included. */
  readonly bytes: number;
  /** Epoch ms; null without rows. */
  readonly oldestMs: number | null;
  /** Rows that the plan lets go. */
  readonly dueRows: number;
  /** What of the rest goes first: the rows of that day. Null when nothing ever goes. */
  readonly next: { readonly dayMs: number; readonly rows: number; readonly rule: RetentionRule } | null;
}

export interface RetentionStore {
  /** Reads only. */
  holding(scope: Scope, plan: ClassPlan): Promise<Holding>;
  /**
   * Deletes what the plan lets go and resolves when it is gone from the disk's live parts. Doing it again changes nothing; one that was cut off goes
   * on by itself, and the next call waits for it.
   * @returns rows that this call let go
   * @throws PlimsollError `store_unavailable`; an AbortError when the signal says so, with the deletion going on
   */
  remove(scope: Scope, plan: ClassPlan, signal: AbortSignal): Promise<number>;
}
