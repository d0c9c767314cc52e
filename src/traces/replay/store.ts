import type { Scope } from '../../kernel/scope.ts';
import type { ReplayItem, ReplayRun, ReplayState } from './model.ts';

/** Replays and their calls. */
export interface ReplayStore {
  /** Inserts or replaces. */
  put(scope: Scope, run: ReplayRun): Promise<void>;
  get(scope: Scope, id: string): Promise<ReplayRun | null>;
  /** Newest first. @param beforeId for the next page; null = the first */
  list(scope: Scope, page: { readonly beforeId: string | null; readonly limit: number }): Promise<ReplayRun[]>;
  /** Moves a run from one of `from` to `to`. @returns the run as it then is; null when it was in no such state, and nothing was changed */
  move(
    scope: Scope,
    id: string,
    from: readonly ReplayState[],
    to: ReplayState,
    reason: string | null,
    nowMs: number,
  ): Promise<ReplayRun | null>;
  putItems(scope: Scope, id: string, items: readonly ReplayItem[]): Promise<void>;
  /** By number. @param afterNumber 0 = from the first */
  items(scope: Scope, id: string, page: { readonly afterNumber: number; readonly limit: number }): Promise<ReplayItem[]>;
}
