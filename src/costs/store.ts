import type { ErrorCode } from '../kernel/errors.ts';
import type { PicoUsd } from '../kernel/money.ts';
import type { Scope } from '../kernel/scope.ts';
import type { CostStatus, Usage } from '../models/usage.ts';
import type { CallCacheRecord } from '../traces/call-record.ts';
import type { SpanBatch } from '../traces/store.ts';

/** What one provider call of a request used and cost. */
export interface LedgerAttempt {
  readonly spanId: string;
  readonly provider: string;
  readonly model: string;
  readonly requestModel: string;
  readonly responseModel: string | null;
  readonly status: 'ok' | 'error' | 'aborted';
  readonly errorType: ErrorCode | null;
  readonly usage: Usage | null;
  readonly usageSource: 'reported' | 'estimated' | null;
  /** The provider's own usage object, verbatim JSON text. */
  readonly providerUsage: string | null;
  readonly costPicoUsd: PicoUsd | null;
  readonly costStatus: CostStatus;
  readonly priceId: string | null;
}

/** The account of one call: exactly one row per settled call. */
export interface LedgerRow {
  readonly organisationId: string;
  readonly environment: string;
  readonly callId: string;
  readonly traceId: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly feature: string;
  readonly team: string | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly keyId: string;
  readonly requestedModel: string;
  readonly route: string | null;
  readonly status: 'ok' | 'error' | 'aborted';
  readonly errorType: ErrorCode | null;
  /** Sum over attempts; null = not known. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Sum over attempts; null when any part is unpriced. */
  readonly costPicoUsd: PicoUsd | null;
  readonly costStatus: CostStatus;
  readonly attempts: readonly LedgerAttempt[];
  readonly isSimulated: boolean;
  readonly isRecovered: boolean;
  /** What the cache did; null = the feature has none. */
  readonly cacheOutcome: CallCacheRecord['outcome'] | null;
  /** What a kept answer cost when it was new; null = unpriced, or no hit. */
  readonly savedPicoUsd: PicoUsd | null;
  readonly savedInputTokens: number | null;
  readonly savedOutputTokens: number | null;
}

export interface LedgerBatch {
  readonly token: string;
  readonly rows: readonly LedgerRow[];
}

/** What one step of the ingest writes: spans, texts and ledger of the same calls under one token. */
export interface CallBatch extends SpanBatch {
  readonly ledger: readonly LedgerRow[];
}

export interface LedgerCounts {
  readonly rows: number;
  readonly calls: number;
  /** Sum of the priced rows. */
  readonly costPicoUsd: PicoUsd;
  readonly unpricedRows: number;
}

/** What the cache did for the calls of one feature that ended alike. */
export interface CacheUse {
  readonly feature: string;
  readonly outcome: CallCacheRecord['outcome'];
  readonly calls: number;
  /** What the answers cost when they were new; the unpriced ones are not in it. */
  readonly savedPicoUsd: PicoUsd;
  /** Hits whose answer had no price. */
  readonly unpricedCalls: number;
  readonly savedInputTokens: number;
  readonly savedOutputTokens: number;
}

/** The money side of calls. Reads throw like those of TraceStore. */
export interface LedgerStore {
  /** Durable when it resolves; idempotent by token like `TraceStore.insertSpans`. */
  insertRows(batch: LedgerBatch): Promise<void>;
  /** Every row of a call: one, unless something is broken. */
  ledgerByCall(scope: Scope, callId: string): Promise<LedgerRow[]>;
  /** Over calls started in [from, to), epoch ms. `rows` ≠ `calls` means that a call was counted twice. */
  ledgerCounts(scope: Scope, from: number, to: number): Promise<LedgerCounts>;
  /** Calls started in [from, to), epoch ms, of features with a cache. */
  cacheUse(scope: Scope, from: number, to: number): Promise<CacheUse[]>;
}
