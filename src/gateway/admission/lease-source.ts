import type { LimitKind } from './limit.ts';

/**
 * How several gateways keep one limit: each borrows a part of it and counts within that part by itself. All that is used and all that is lent,
 * together, never exceed the limit, so that a call needs no word with anybody while its gateway has something left.
 *
 * Reports are absolute, not differences: one that is lost, or answered to nobody, is made good by the next.
 */
export interface LeaseReport {
  /** Limit, member and period: what all gateways call the same. */
  readonly key: string;
  readonly kind: LimitKind;
  readonly capacity: number;
  /** Windows only. */
  readonly windowMs: number | null;
  /** How long the source must remember it after the last word: the rest of the period, or the window. */
  readonly keepMs: number;
  /** All that this gateway has used, ever growing but for corrections: in the period (totals), or since its process began (windows). 0 for concurrency. */
  readonly used: number;
  /** Windows: what lies in it by the gateway's own count; the source never believes less. */
  readonly inWindow: number;
  /** What it keeps: held by calls in flight, and `spare`. */
  readonly held: number;
  /** The part of `held` that no call needs: it can be asked back. */
  readonly spare: number;
  /** More, for the calls that wait now; 0 = none. */
  readonly want: number;
  /** The smallest part of `want` that is of use to one of them. */
  readonly least: number;
  /** Beyond `want`, for the calls that come next; given only where much is free. */
  readonly ahead: number;
  /** Entries of the window by the gateway's own count, oldest first: (age in ms, amount). Given until the source has heard of them. */
  readonly restored?: readonly (readonly [number, number])[];
}

export interface LeaseAnswer {
  readonly key: string;
  /** Added to what the gateway holds. */
  readonly granted: number;
  /** Nothing to give now, but others may have it: they were told to say what they need and return the rest. */
  readonly isContended: boolean;
  /** By all gateways; of concurrency, their calls in flight. */
  readonly used: number;
  /** Neither used nor lent to anybody. */
  readonly free: number;
  /** The source knows nothing of this gateway's window: it has to come with `restored`; nothing of the report was taken up. */
  readonly isForgotten: boolean;
}

export interface LeaseHolder {
  /** The gateway; the same after its restart. */
  readonly writer: string;
  /** This process. */
  readonly incarnation: string;
}

export interface LeaseExchange {
  readonly answers: readonly LeaseAnswer[];
  /** Changes when the source has lost what it knew: every gateway then reports everything anew. */
  readonly sourceId: string;
  /** So long it lends nothing, because it has begun only now and others may not have reported; 0 = it lends. */
  readonly settlingMs: number;
}

/** Where gateways borrow from. */
export interface LeaseSource {
  /**
   * Without a word for so long a gateway counts as dead, and may not use what it holds either; infinite where the source knows by itself whether a
   * gateway's process lives.
   */
  readonly leaseMs: number;
  /**
   * Reports and asks, in one step per key.
   * @param isComplete all that this process and those before it have used is in the reports: what those before it held elsewhere is free again
   * @throws when the source cannot be reached: nothing may be taken for lent then
   */
  exchange(reports: readonly LeaseReport[], isComplete: boolean): Promise<LeaseExchange>;
  /** Told of keys that are wanted elsewhere. */
  onRecall(listener: (keys: readonly string[]) => void): void;
  close(): Promise<void>;
}

/** Lent beyond what was asked: at most a share of what is free, so that blocks become small near the limit. */
export function extraFor(free: number, { want, ahead }: LeaseReport, holders: number): number {
  return Math.max(0, Math.min(ahead, Math.floor((free - want) / (4 * Math.max(1, holders)))));
}
