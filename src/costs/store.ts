import type { ErrorCode } from '../kernel/errors.ts';
import type { PicoUsd } from '../kernel/money.ts';
import type { Scope } from '../kernel/scope.ts';
import type { MeteredUnits } from '../models/metered-units.ts';
import type { CostStatus, Usage } from '../models/usage.ts';
import type { CallCacheRecord } from '../traces/call-record.ts';
import type { ScoreRow } from '../traces/scores/store.ts';
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
  /** Pieces that were measured; absent for chat, and in rows of versions that did not keep them. */
  readonly units?: MeteredUnits | undefined;
  /** The provider's own usage object, verbatim JSON text. */
  readonly providerUsage: string | null;
  readonly costPicoUsd: PicoUsd | null;
  readonly costStatus: CostStatus;
  readonly priceId: string | null;
  /** Of the answer, where it is not that of the list price. */
  readonly serviceTier?: string | undefined;
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
  /** What was asked for: `chat`, `embeddings` …; empty in rows of versions that did not keep it. */
  readonly operation: string;
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

/** What one step of the ingest writes under one token: spans, texts and ledger of the same calls, and scores. */
export interface CallBatch extends SpanBatch {
  readonly ledger: readonly LedgerRow[];
  readonly scores?: readonly ScoreRow[];
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

/** A call whose cost is to be corrected. */
export interface RepricedCall {
  readonly before: LedgerRow;
  /** The same call but for cost, cost status and price ids, its own and its attempts'. */
  readonly after: LedgerRow;
}

export interface LedgerPage {
  /** Calls started in [from, to), epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly feature: string | null;
  /** Call id after which the page begins; empty = at the first. Pages are ordered by call id. */
  readonly after: string;
  /** Last call id of the page; null = open. */
  readonly upTo: string | null;
  readonly limit: number;
}

/** Corrections of what was written. Every step may run again with the same arguments, and then changes nothing more. */
export interface LedgerCorrections {
  page(scope: Scope, page: LedgerPage): Promise<LedgerRow[]>;
  /** Writes down a page of what a batch of a run is going to change; kept as the record of the correction. A page that is there already stays as it is. */
  stage(scope: Scope, runId: string, batch: number, page: number, calls: readonly RepricedCall[]): Promise<void>;
  /** Forgets a batch that was not staged whole. Its number is never used again. */
  unstage(scope: Scope, runId: string, batch: number): Promise<void>;
  /** Adds the differences of a staged batch to the rollups. */
  correctRollups(scope: Scope, runId: string, batch: number): Promise<void>;
  /** Puts the staged costs into spans and, last, into the ledger. Resolves when they can be read. */
  correctRows(scope: Scope, runId: string, batch: number): Promise<void>;
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
