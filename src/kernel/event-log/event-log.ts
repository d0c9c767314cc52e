import type { Scope } from '../scope.ts';

export type EventSeverity = 'info' | 'warning' | 'critical';

/** Something that happened and that people, alerts and reports want to know of: a feature was paused, a model nears its end. */
export interface LoggedEvent {
  /** UUIDv7. */
  readonly id: string;
  /** Past tense, `noun.verb`: `feature.paused`. */
  readonly name: string;
  /** What it happened to, e.g. `feature/customer-support`. */
  readonly subject: string;
  readonly severity: EventSeverity;
  /** One sentence with the values. */
  readonly message: string;
  /** JSON; never secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export interface EventFilter {
  /** Any of these; null = of every name. */
  readonly names: readonly string[] | null;
  readonly subject: string | null;
  /** Only ids below this one: the page after it, as the list is newest first. */
  readonly beforeId: string | null;
  readonly limit: number;
}

/** The durable record of events; `EventBus` only carries hints inside one process. */
export interface EventLog {
  /**
   * @param key two events with one key are one event, so that a job that runs twice reports once; the event's own id when left out
   * @returns false when an event with this key is there already
   */
  append(scope: Scope, event: Omit<LoggedEvent, 'id'>, key?: string): Promise<boolean>;
  /** Newest first. */
  list(scope: Scope, filter: EventFilter): Promise<LoggedEvent[]>;
  /** Removes what happened before `beforeMs`. @returns how many */
  prune(scope: Scope, beforeMs: number): Promise<number>;
}
