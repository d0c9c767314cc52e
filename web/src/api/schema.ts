import type { components } from './openapi.gen.ts';

// Spans, traces and metrics keep their own zod types: the generator turns tuples and closed records into looser ones.
export type { CostStatus, Usage, UsageClass } from '../../../src/models/usage.ts';
export type { MetricRow, MetricSeries, MetricSummary, Span, TraceDetail, TracePage, TraceSummary } from '../../../src/traces/model.ts';

type Schemas = components['schemas'];

/** RFC 9457 body of every failed answer under `/api/v1`. */
export type Problem = Pick<Schemas['Problem'], 'title' | 'detail' | 'fix' | 'status'> & { readonly code: string };
export type Feature = Schemas['Feature'];
export type FeatureSwitch = Schemas['FeatureSwitch'];
export type FeatureSwitchDraft = Schemas['FeatureSwitchDraft'];
export type VirtualKey = Schemas['KeyView'];
/** The answer to a creation: the only time that the key itself is sent. */
export type CreatedKey = Schemas['KeyCreated'];
export type Status = Schemas['Status'];

/** What a series can be narrowed to. */
export interface MetricFilters {
  readonly feature?: string;
  readonly model?: string;
}
