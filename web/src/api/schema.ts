import type { MetricGroupBy, MetricSeries, MetricSummary, TraceDetail, TracePage } from '../../../src/traces/model.ts';

export type { CostStatus, Usage, UsageClass } from '../../../src/models/usage.ts';
export type { MetricRow, MetricSeries, MetricSummary, Span, TraceDetail, TracePage, TraceSummary } from '../../../src/traces/model.ts';

/** RFC 9457 body of every failed answer under `/api/v1`. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly fix: string;
  readonly status: number;
}

export interface Feature {
  readonly name: string;
  readonly owner: string | null;
  readonly costOwner: string | null;
  readonly route: string;
  readonly targets: readonly string[];
  readonly payloads: 'full' | 'preview' | 'none';
  readonly keyCount: number;
  readonly warnings: readonly string[];
}

export interface VirtualKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly feature: string | null;
  readonly team: string | null;
  /** Null = every route and model. */
  readonly models: readonly string[] | null;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly source: 'api' | 'config';
}

export interface NewKey {
  readonly name: string;
  readonly feature?: string;
  readonly team?: string;
  readonly models?: readonly string[];
  readonly expiresAt?: number;
}

/** The answer to a creation: the only time that the key itself is sent. */
export interface CreatedKey extends Partial<VirtualKey> {
  readonly key: string;
}

export interface Status {
  readonly version: string;
  readonly environment: string;
  readonly isSimulatedOnly: boolean;
  readonly gateway: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly engine: { readonly ready: boolean; readonly message: string | null };
  readonly ingest: {
    readonly lagMs: number | null;
    readonly pendingBytes: number;
    readonly quarantined: number;
    readonly lastError: string | null;
  };
  readonly journal: { readonly shedPayloads: number; readonly isDegraded: boolean };
  readonly config: { readonly epoch: number; readonly loadedAt: number; readonly error: string | null };
}

/** What a series can be narrowed to. */
export interface MetricFilters {
  readonly feature?: string;
  readonly model?: string;
}

interface Answers<Body, Success extends 200 | 201> {
  responses: { [K in Success]: { content: { 'application/json': Body } } } & {
    default: { content: { 'application/problem+json': Problem } };
  };
}
interface Get<Query, Body> extends Answers<Body, 200> {
  parameters: { query?: Query };
}

/** Shaped like the output of openapi-typescript, so that the generated document can take its place without a change elsewhere. */
export interface paths {
  '/api/v1/metrics/summary': { get: Get<{ from?: number; to?: number; groupBy?: MetricGroupBy }, MetricSummary> };
  '/api/v1/metrics/series': { get: Get<MetricFilters & { from?: number; to?: number }, MetricSeries> };
  '/api/v1/traces': { get: Get<Record<string, string | number | undefined>, TracePage> };
  '/api/v1/traces/{traceId}': { get: Answers<TraceDetail, 200> & { parameters: { path: { traceId: string } } } };
  '/api/v1/features': { get: Get<never, { features: Feature[] }> };
  '/api/v1/keys': {
    get: Get<{ cursor?: string }, { keys: VirtualKey[]; nextCursor: string | null }>;
    post: Answers<CreatedKey, 201> & { requestBody: { content: { 'application/json': NewKey } } };
  };
  '/api/v1/keys/{id}': { delete: { parameters: { path: { id: string } }; responses: { 204: { content?: never } } } };
  '/api/v1/sessions/current': { delete: { responses: { 204: { content?: never } } } };
  '/api/v1/status': { get: Get<never, Status> };
  '/api/v1/sessions': { post: Answers<unknown, 201> & { requestBody: { content: { 'application/json': { adminKey: string } } } } };
}
