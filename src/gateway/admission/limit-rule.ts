import type { CalendarPeriod } from './calendar.ts';

export type LimitScope = 'global' | 'organisation' | 'team' | 'user' | 'key' | 'feature' | 'customer' | 'session' | 'model' | 'provider';

export type OnExceed = 'reject' | 'downgrade' | 'queue' | 'alert';

/** One entry of `limits:` as it travels in a snapshot. Fields are added, never renamed: an older gateway reads a newer one. */
export interface LimitRule {
  /** Stable over changes of amounts, e.g. `feature:customer-support` or `user:*`; `#2` and so on for further entries of the same scope and name. */
  readonly id: string;
  readonly scope: LimitScope;
  /** The one member that it is for; null = each member on its own. */
  readonly name: string | null;
  /** Only calls of this feature; null = of all. */
  readonly feature: string | null;
  readonly windows: readonly {
    readonly unit: 'requests' | 'tokens' | 'spent_nano_usd';
    readonly amount: number;
    readonly windowMs: number;
  }[];
  readonly concurrency: number | null;
  readonly budget: {
    /** US dollars × 10⁹. */
    readonly nanoUsd: number;
    readonly per: CalendarPeriod | 'run';
    readonly timeZone: string;
    readonly alertAtPercent: readonly number[];
  } | null;
  readonly maxSteps: number | null;
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly maxCostNanoUsd: number | null;
  readonly unpriced: 'reject' | 'allow';
  readonly onExceed: OnExceed;
  readonly downgradeTo: string | null;
  readonly queue: { readonly maxWaitMs: number; readonly maxLength: number } | null;
  /** Made from a feature's loopBreaker: who does not fit is an agent that runs in circles. */
  readonly isLoopBreaker: boolean;
  readonly owner: string | null;
  readonly costOwner: string | null;
}
