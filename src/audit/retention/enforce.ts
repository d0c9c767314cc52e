import type { Scope } from '../../kernel/scope.ts';
import type { RetentionConfig } from './config.ts';
import { type ClassPlan, type DataClass, planRetention } from './plan.ts';
import type { RetentionStore } from './store.ts';

/** A deletion that was begun: it is told of even when the process that began it did not see its end. */
export interface BegunDeletion {
  readonly dataClass: DataClass;
  readonly rows: number;
}

export interface Deletion {
  readonly dataClass: DataClass;
  readonly rows: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** What began before this is gone, by the rule of the class. Null when only features with a rule of their own lost something. */
  readonly beforeMs: number | null;
  readonly days: number | null;
}

export interface RetentionMemory {
  begun(scope: Scope): Promise<BegunDeletion | null>;
  begin(scope: Scope, deletion: BegunDeletion): Promise<void>;
  /** Writes the event and the audit entry, and forgets that it was begun, in one transaction. */
  done(scope: Scope, deletion: Deletion): Promise<void>;
}

export interface EnforcementOptions {
  readonly store: RetentionStore;
  readonly memory: RetentionMemory;
  readonly config: RetentionConfig;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/**
 * Deletes what is older than its class is kept, one class after the other. Idempotent; after an end in the middle the next run finishes it and
 * tells of it once.
 */
export async function enforceRetention(scope: Scope, { store, memory, config, nowMs, signal }: EnforcementOptions): Promise<Deletion[]> {
  const deletions: Deletion[] = [];
  const begun = await memory.begun(scope);
  for (const plan of planRetention(config, nowMs)) {
    signal.throwIfAborted();
    const { dueRows, bytes } = await store.holding(scope, plan);
    const before = begun?.dataClass === plan.dataClass ? begun : null;
    if (dueRows > 0) await memory.begin(scope, { dataClass: plan.dataClass, rows: dueRows });
    const removed = await store.remove(scope, plan, signal);
    // What the one before had begun may have gone by itself meanwhile.
    const rows = removed > 0 ? removed : (before?.rows ?? 0);
    if (rows === 0) continue;
    const deletion = await describe(scope, store, plan, rows, bytes);
    await memory.done(scope, deletion);
    deletions.push(deletion);
  }
  return deletions;
}

async function describe(scope: Scope, store: RetentionStore, plan: ClassPlan, rows: number, bytesBefore: number): Promise<Deletion> {
  const { bytes } = await store.holding(scope, plan);
  const { beforeMs, days } = plan.rules[0];
  return { dataClass: plan.dataClass, rows, bytesBefore, bytesAfter: bytes, beforeMs, days };
}
