import type { LimitKind } from './limit.ts';

/**
 * How several gateways keep one limit: each borrows a part of it and counts within that part by itself. All that is used and all that is lent,
 * together, never exceed the limit, so that a call needs no word with anybody while its gateway has something left.
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
  /** All that this gateway has used, ever growing but for corrections: in the period (totals), or since it began (windows). 0 for concurrency. */
  readonly used: number;
  /** What it keeps: held by calls in flight, and `spare`. */
  readonly held: number;
  /** The part of `held` that no call needs: it can be asked back. */
  readonly spare: number;
  /** More, for the calls that wait now; 0 = none. */
  readonly want: number;
  /** The smallest part of `want` that is of use to one of them. */
  readonly least: number;
  /** Entries of a window that an earlier process of this gateway had counted: (age in ms, amount). Taken over when the source does not know of them. */
  readonly restored?: readonly (readonly [number, number])[];
}

export interface LeaseAnswer {
  readonly key: string;
  /** Added to what the gateway holds. */
  readonly granted: number;
  /** Nothing to give now, but others hold some of it spare: they were told to return it. */
  readonly isContended: boolean;
  /** By all gateways. */
  readonly used: number;
  /** Neither used nor lent to anybody. */
  readonly free: number;
}

export interface LeaseHolder {
  /** The gateway; the same after its restart. */
  readonly writer: string;
  /** This process. What an earlier process of the writer held is void. */
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
  /** Reports and asks, in one step per key. @throws when the source cannot be reached: nothing may be taken for lent then */
  exchange(reports: readonly LeaseReport[]): Promise<LeaseExchange>;
  /** Told of keys whose spare part is wanted elsewhere. */
  onRecall(listener: (keys: readonly string[]) => void): void;
  close(): Promise<void>;
}

/** Without a word for this long a gateway counts as dead, and may not use what it holds either. */
export const LEASE_MS = 3_000;
/** A source that has lost what it knew lends nothing for this long: until every gateway has reported. */
export const SETTLING_MS = 2_000;

/** What is lent beyond what was asked: a share of what is free, so that blocks become small near the limit. */
export function extraFor(free: number, want: number, holders: number): number {
  return Math.max(0, Math.floor((free - want) / (4 * Math.max(1, holders))));
}
