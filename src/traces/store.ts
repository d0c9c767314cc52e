import type { ErrorCode } from '../kernel/errors.ts';
import type { PicoUsd } from '../kernel/money.ts';
import type { Scope } from '../kernel/scope.ts';
import type { CostStatus, Usage } from '../models/usage.ts';
import type { StoredSpan } from './count-once.ts';
import type {
  MetricGroupBy,
  MetricSeries,
  MetricSummary,
  SpanKind,
  SpanTexts,
  TraceDetail,
  TracePage,
  TraceQuery,
  TraceStatus,
} from './model.ts';
import type { DecisionQuery, RoutingDecisions } from './routing-decisions.ts';
import type { TargetGroupBy, TargetMetrics } from './target-metrics.ts';

/** True on a span of which nobody told the end. */
export const UNFINISHED_ATTRIBUTE = 'plimsoll.unfinished';

/** One span, without its texts. Append-only: a span is written once, when it has ended. */
export interface SpanRow {
  readonly organisationId: string;
  readonly environment: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Id of the gateway call that the span belongs to; null for spans from elsewhere. */
  readonly callId: string | null;
  /** By what lists find the trace: a call's own root span with its totals, a model call of a client, the root of a client's trace. */
  readonly isEntry: boolean;
  /** An entry that is one request to a model: what metrics count and what costs. No two requests stand for the same work. */
  readonly isRequest: boolean;
  /** Epoch nanoseconds. */
  readonly startedAtNs: bigint;
  readonly durationNs: bigint;
  readonly name: string;
  readonly kind: SpanKind;
  readonly status: TraceStatus;
  readonly statusMessage: string;
  readonly errorType: ErrorCode | null;
  readonly httpStatus: number | null;
  readonly feature: string;
  readonly team: string | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly keyId: string | null;
  readonly route: string | null;
  /** On an entry span: of the attempt that answered, else of the last one. */
  readonly provider: string | null;
  /** What the client asked for: a route or an alias. */
  readonly requestedModel: string | null;
  /** Model id sent upstream. */
  readonly requestModel: string | null;
  readonly responseModel: string | null;
  readonly responseId: string | null;
  readonly finishReasons: readonly string[];
  /** Response models, else the ones sent, of all attempts of the call (entry span) or of this span. */
  readonly models: readonly string[];
  readonly providers: readonly string[];
  /** Every name that a filter by model may use: requested, alias, upstream, response. */
  readonly modelNames: readonly string[];
  /** Null = not known. On an entry span: the sum over attempts. */
  readonly usage: Usage | null;
  readonly usageSource: 'reported' | 'estimated' | null;
  readonly costPicoUsd: PicoUsd | null;
  /** Null on spans that cannot cost anything. */
  readonly costStatus: CostStatus | null;
  readonly priceId: string | null;
  readonly ttftMs: number | null;
  readonly interTokenMeanMs: number | null;
  readonly interTokenMaxMs: number | null;
  /** Provider calls made (entry span), else 0. */
  readonly attempts: number;
  readonly fallbackFrom: string | null;
  readonly isStream: boolean;
  readonly isSimulated: boolean;
  readonly isRecovered: boolean;
  /** Everything that has no column, as OpenTelemetry attributes. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The texts of one span. May arrive in another batch than its span, before or after it. */
export interface SpanIoRow {
  readonly organisationId: string;
  readonly environment: string;
  /** Decides how long the texts are kept; empty in records of versions that did not note it. */
  readonly feature: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Epoch nanoseconds of the span's start: its place in time, also for the search. */
  readonly startedAtNs: bigint;
  readonly input: string | null;
  readonly output: string | null;
  /** First 200 characters of the last user message; empty when there is none. */
  readonly inputPreview: string;
  readonly outputPreview: string;
  /** The words by which the span is found; empty when there are none. */
  readonly inputSearch: string;
  readonly outputSearch: string;
  readonly isTruncated: boolean;
}

export interface SpanBatch {
  /** Names this very batch, e.g. writer + byte range. The same token must always come with the same rows. */
  readonly token: string;
  readonly spans: readonly SpanRow[];
  readonly io: readonly SpanIoRow[];
}

export type TraceTexts = 'always' | 'of_small_traces';

export interface SeriesQuery {
  /** Epoch ms, inclusive. */
  readonly from: number;
  /** Epoch ms, exclusive. */
  readonly to: number;
  /** Width of a step; steps start at multiples of it since the epoch. Absent: the smallest round width that gives at most 120 points. */
  readonly stepMs?: number | undefined;
  readonly feature?: string | undefined;
  readonly model?: string | undefined;
  readonly team?: string | undefined;
}

/**
 * Spans, their texts, and everything computed from them. Reads see a batch as soon as its insert has resolved.
 * Reads throw PlimsollError `query_too_expensive` when the store stopped the query, `store_unavailable` when it cannot be reached.
 */
export interface TraceStore {
  /**
   * Durable when it resolves, and idempotent: a batch that is sent again under its token changes nothing, in rows and rollups alike, also when
   * the first attempt was cut in the middle. One batch may hold rows of several scopes.
   * @throws PlimsollError `store_unavailable` (send the same batch again), `internal` when a row cannot be stored
   */
  insertSpans(batch: SpanBatch): Promise<void>;

  /**
   * Traces with a matching entry span, newest first by the start of their oldest matching entry span. Pages that follow `nextCursor` neither
   * skip nor repeat a trace, however many entry spans it has.
   * @param nowMs the upper end when `query.to` is absent is open; `nowMs` bounds nothing but relative defaults
   * @throws PlimsollError `invalid_argument` for a cursor that is not ours
   */
  listTraces(scope: Scope, query: TraceQuery, nowMs: number): Promise<TracePage>;

  /**
   * Null when no span of the trace is stored. Holds the first 10 000 spans by start.
   * @param texts `of_small_traces`: none of them when there are more than 300 spans; a page asks for those that it shows
   */
  getTrace(scope: Scope, traceId: string, texts?: TraceTexts): Promise<TraceDetail | null>;

  /** Texts of one span, exactly as they were sent. Null when it has none, or is not stored. */
  spanTexts(scope: Scope, traceId: string, spanId: string): Promise<SpanTexts | null>;

  /** All stored spans, at most 100 000, of those of the traces that have an entry. For `countOnce`. */
  storedSpans(scope: Scope, traceIds: readonly string[]): Promise<StoredSpan[]>;

  /** Metrics over [from, to), epoch ms, exact to the millisecond. Groups by falling number of requests, at most 500. */
  summary(scope: Scope, from: number, to: number, groupBy: MetricGroupBy): Promise<MetricSummary>;

  /** What routes decided in [from, to), by route, and the newest decisions. */
  decisions(scope: Scope, query: DecisionQuery): Promise<RoutingDecisions>;

  /** Attempts of [from, to), epoch ms, by provider, by model alias, or by route and model alias; probes are not counted. */
  targets(scope: Scope, from: number, to: number, groupBy: TargetGroupBy): Promise<TargetMetrics>;

  /** @throws PlimsollError `invalid_argument` when the range is empty or would give more than 5 000 points */
  series(scope: Scope, query: SeriesQuery): Promise<MetricSeries>;

  /** Resolves when the store answers. @throws PlimsollError `store_unavailable` */
  ping(): Promise<void>;
}
