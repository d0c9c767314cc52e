import type { Scope } from '../../kernel/scope.ts';
import type { CostAnomaly } from './model.ts';

export interface AnomalyFilter {
  readonly state: 'open' | 'ended' | null;
  readonly key: string | null;
  /** Only ids below this one: the page after it, as the list is newest first. */
  readonly beforeId: string | null;
  readonly limit: number;
}

/** Anomalies of costs. Of one series and detector at most one is open. */
export interface AnomalyStore {
  /** @returns false when the series has an open one of this detector */
  insert(scope: Scope, anomaly: CostAnomaly): Promise<boolean>;
  /** Replaces what may change: times, amounts, score, causes, end. */
  update(scope: Scope, anomaly: CostAnomaly): Promise<void>;
  /** Sets who handled it and how. @returns null when there is none with this id */
  handle(scope: Scope, id: string, handling: NonNullable<CostAnomaly['handling']>): Promise<CostAnomaly | null>;
  /** Open ones, those seen since, and those whose series is muted at that time or later. */
  since(scope: Scope, sinceMs: number): Promise<CostAnomaly[]>;
  /** Newest first. */
  list(scope: Scope, filter: AnomalyFilter): Promise<CostAnomaly[]>;
}
