import type { Scope } from '../kernel/scope.ts';

/** Calls started in [from, to), epoch ms. */
export interface SliPeriod {
  readonly from: number;
  readonly to: number;
  readonly feature?: string | undefined;
}

/** Durations of a feature against which its calls are counted, milliseconds. */
export interface LatencyLines {
  readonly feature: string;
  readonly ttftP95Ms: number;
  readonly durationP50Ms: number;
  readonly durationP99Ms: number;
}

/** A quantile of times with its order-statistic interval. */
export interface QuantileCounts {
  readonly count: number;
  /** Calls that took longer than the line. */
  readonly over: number;
  /** Milliseconds, relative error at most 1 %; null without calls. */
  readonly value: number | null;
  /** 95 %; null = too few calls for one. */
  readonly interval: readonly [number, number] | null;
}

export interface CallCounts {
  readonly feature: string;
  readonly calls: number;
  readonly errors: number;
  readonly aborted: number;
  /** Streams that were answered. */
  readonly ttftP95: QuantileCounts;
  /** Calls that were answered. */
  readonly durationP50: QuantileCounts;
  readonly durationP99: QuantileCounts;
  readonly pricedCalls: number;
  /** US dollars; for an interval, not for adding up. */
  readonly costUsd: number;
  readonly costUsdSquares: number;
  /** Answers that were held against an output contract. */
  readonly validOutputs: number;
  readonly invalidOutputs: number;
}

export interface AnswerCounts {
  readonly feature: string;
  readonly classified: number;
  readonly refused: number;
  readonly partial: number;
}

export interface RepeatCounts {
  readonly feature: string;
  /** Questions of users (or sessions) that are named, and whose texts are kept. */
  readonly asked: number;
  readonly repeated: number;
}

/** Counts that service level indicators are made of; one row a feature, at most 500. Reads throw like those of TraceStore. */
export interface SliStore {
  /** @param defaults of features that `lines` does not name */
  callCounts(
    scope: Scope,
    period: SliPeriod,
    lines: readonly LatencyLines[],
    defaults: Omit<LatencyLines, 'feature'>,
  ): Promise<CallCounts[]>;
  /** Classes of answers in one of `every` traces (integer ≥ 1), the same ones each time. */
  answerCounts(scope: Scope, period: SliPeriod, every: number): Promise<AnswerCounts[]>;
  /**
   * Questions that a user asked again though the one before was answered: the same or nearly the same words, at most `windowMs` later, nothing in
   * between, not a step of an agent. Of one of `every` users or sessions (integer ≥ 1).
   */
  repeatCounts(scope: Scope, period: SliPeriod, windowMs: number, every: number): Promise<RepeatCounts[]>;
}
