import type { PicoUsd } from '../../kernel/money.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Score, ScoreDataType, ScoreKind, ScorePage, ScoreQuery, ScoreSource } from './model.ts';

/** One judgement on a trace, a span, a session, or a matter of the application. */
export interface ScoreRow {
  readonly organisationId: string;
  readonly environment: string;
  /** With feature and name it identifies the score: of several rows the one with the latest `atMs` holds, of equal ones the last written. */
  readonly scoreId: string;
  readonly kind: ScoreKind;
  /** When it was given, epoch ms. */
  readonly atMs: number;
  readonly receivedAtMs: number;
  /** Null = that of its trace. */
  readonly feature: string | null;
  /** Virtual key that reported it; null = an operator. */
  readonly keyId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly session: string | null;
  readonly externalId: string | null;
  readonly name: string;
  readonly dataType: ScoreDataType;
  /** Numeric scores; 0 and 1 for boolean ones. */
  readonly number: number | null;
  /** Categories and texts. */
  readonly text: string | null;
  readonly source: ScoreSource;
  readonly evaluator: string | null;
  readonly evaluatorTraceId: string | null;
  readonly user: string | null;
  readonly comment: string | null;
  /** What an outcome was worth. */
  readonly valuePicoUsd: PicoUsd | null;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  /** True = taken back: it counts no longer. */
  readonly isWithdrawn: boolean;
}

export interface ScoreBatch {
  /** Names this very batch. The same token must always come with the same rows. */
  readonly token: string;
  readonly rows: readonly ScoreRow[];
}

export interface ScorePeriod {
  /** Given in [from, to), epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly feature?: string | undefined;
}

/** Sums over the scores of one name. */
export interface ScoreTotals {
  readonly feature: string | null;
  readonly kind: ScoreKind;
  readonly name: string;
  readonly dataType: ScoreDataType;
  readonly source: ScoreSource;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly least: number | null;
  readonly most: number | null;
  readonly categories: readonly { readonly value: string; readonly count: number }[];
}

export interface OutcomeTotals {
  readonly feature: string | null;
  readonly outcome: string;
  readonly reported: number;
  readonly succeeded: number;
  /** Of those that came about and named a value. */
  readonly valuePicoUsd: PicoUsd;
  readonly valued: number;
}

/** Scores, feedback and outcomes. They may come long before or after their trace. Reads throw like those of TraceStore. */
export interface ScoreStore {
  /** Durable when it resolves; idempotent by token like `TraceStore.insertSpans`. */
  insertScores(batch: ScoreBatch): Promise<void>;
  /** Newest first. @throws PlimsollError `invalid_argument` for a cursor that is not ours */
  listScores(scope: Scope, query: ScoreQuery): Promise<ScorePage>;
  /** Scores of the trace and its spans, of its sessions, and of the matters that its calls name in the tag `external_id`; newest first, at most 500. */
  scoresOfTrace(scope: Scope, traceId: string): Promise<Score[]>;
  /** A score without a feature is counted for that of its trace. By feature, kind and name; at most 2 000. */
  scoreTotals(scope: Scope, period: ScorePeriod): Promise<ScoreTotals[]>;
  outcomeTotals(scope: Scope, period: ScorePeriod): Promise<OutcomeTotals[]>;
}
