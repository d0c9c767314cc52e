/**
 * How a route chooses and what it does when a target fails, as the snapshot carries it. Plain JSON; fields are only ever added.
 * A route of a control that knows no policies has none: its targets are tried in order, once each, and nothing is ejected.
 */

export const STRATEGIES = ['priority', 'weight', 'latency', 'cost', 'complexity', 'condition', 'sticky'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** In ascending order of what a request asks of a model. */
export const TIERS = ['simple', 'medium', 'complex'] as const;
export type Tier = (typeof TIERS)[number];

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Inclusive bounds; an absent one does not bound. */
export interface NumberRange {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** All members that are given must hold; of a list any value. */
export interface RouteCondition {
  /** Tags of the call (`x-plimsoll-tags`, or OpenAI's `metadata`). */
  readonly tags?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly features?: readonly string[] | undefined;
  readonly teams?: readonly string[] | undefined;
  readonly inputTokens?: NumberRange | undefined;
  /** ISO 639-1. */
  readonly languages?: readonly string[] | undefined;
  readonly time?:
    | {
        /** IANA name. */
        readonly zone: string;
        /** `HH:MM`, inclusive. */
        readonly from?: string | undefined;
        /** `HH:MM`, exclusive; before `from` = past midnight. */
        readonly to?: string | undefined;
        readonly days?: readonly Weekday[] | undefined;
      }
    | undefined;
  /** Numeric sampling parameters of the request; one that the request does not name is outside of every range. */
  readonly parameters?: Readonly<Record<string, NumberRange>> | undefined;
  readonly isStream?: boolean | undefined;
  readonly hasTools?: boolean | undefined;
}

export interface TargetPolicy {
  /** Share of the traffic relative to the other targets; for `weight` and `sticky`. */
  readonly weight: number;
  readonly tier: Tier | null;
  readonly when: RouteCondition | null;
}

export interface RetryPolicy {
  /** Tries at one target, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Retries per call that the route may spend over time. */
  readonly budgetRatio: number;
  /** No try starts later than this after the call came. */
  readonly deadlineMs: number;
}

export interface HedgePolicy {
  /** Null = the 95th percentile of the first target's time to first token, once it has been measured. */
  readonly delayMs: number | null;
  /** Hedges per call of the route over time. */
  readonly maxRatio: number;
  /** Also for requests with tools that the provider runs itself. */
  readonly allowSideEffects: boolean;
}

export interface ShadowPolicy {
  /** Model alias. */
  readonly model: string;
  /** Share of the calls that are mirrored. */
  readonly ratio: number;
  /** Per UTC day, over all workers of one machine. */
  readonly maxUsdPerDay: number;
  readonly maxConcurrent: number;
}

export interface ClassifierPolicy {
  /** Model alias. */
  readonly model: string;
  readonly timeoutMs: number;
}

export interface RoutePolicy {
  readonly strategy: Strategy;
  /** One per target of the route, in its order. */
  readonly targets: readonly TargetPolicy[];
  readonly stickyBy: 'session' | 'user' | 'customer';
  readonly classifier: ClassifierPolicy | null;
  readonly shadow: ShadowPolicy | null;
  readonly retries: RetryPolicy;
  readonly hedge: HedgePolicy | null;
  readonly onContentFilter: 'fail' | 'next';
}

/** When a target is taken out of the routes that have others. After Envoy's outlier detection. */
export interface HealthPolicy {
  /** Failures in a row. */
  readonly consecutiveFailures: number;
  /** Length of one observation window. */
  readonly intervalMs: number;
  /** In one window: this share of failures over at least `minimumCalls`. */
  readonly failureRatio: number;
  readonly minimumCalls: number;
  /** In one window: success below mean − factor × standard deviation, over at least `minimumTargets` with `minimumCalls` each. */
  readonly successRateStdevFactor: number;
  readonly minimumTargets: number;
  /** The nth ejection lasts n × this, at most `maxEjectionMs`. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Most targets of one route that may be out at the same time; at least one may, and one always stays. */
  readonly maxEjectionRatio: number;
  /** Null = targets are only tried by real traffic. */
  readonly probes: ProbePolicy | null;
}

export interface ProbePolicy {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Targets without a call for this long are probed too; null = ejected ones only. */
  readonly idleAfterMs: number | null;
}

/** A feature's demand on quality, and what the evaluation layer measured of each tier (0 to 1). */
export interface QualityFloor {
  readonly feature: string;
  readonly minimum: number;
  /** A tier without a score is unmeasured and stays in use. */
  readonly scores: Readonly<Partial<Record<Tier, number | undefined>>>;
}
