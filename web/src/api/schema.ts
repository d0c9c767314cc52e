import type { components } from './openapi.gen.ts';

export type { OutcomeEconomicsRow as OutcomeRow } from '../../../src/costs/outcomes.ts';
export type { CostStatus, Usage, UsageClass } from '../../../src/models/usage.ts';
// Spans, traces and metrics keep their own zod types: the generator turns tuples and closed records into looser ones.
export type { FeatureLoadLines, LoadLine } from '../../../src/slo/model.ts';
export type { AlignedSpan, TextsDiff, TraceDiff } from '../../../src/traces/compare/model.ts';
export type { DiffRow, TextDiff } from '../../../src/traces/compare/text-diff.ts';
export type {
  MetricRow,
  MetricSeries,
  MetricSummary,
  Span,
  SpanTexts,
  TextMatch,
  TraceDetail,
  TracePage,
  TraceSummary,
} from '../../../src/traces/model.ts';
export type { RouteDecisions, RoutingDecision, RoutingDecisions } from '../../../src/traces/routing-decisions.ts';
export type { Score } from '../../../src/traces/scores/model.ts';
export type {
  FieldValues,
  SessionDetail,
  SessionPage,
  SessionSummary,
  SessionTurn,
  UserDetail,
  UserPage,
  UserSummary,
} from '../../../src/traces/sessions.ts';
export type { SqlConsoleView as SqlConsole, SqlResult, SqlTable } from '../../../src/traces/sql-console/model.ts';
export type { TargetMetrics, TargetRow } from '../../../src/traces/target-metrics.ts';
export type { SavedView } from '../../../src/traces/views/model.ts';

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
export type WorkerPresence = Schemas['WorkerPresence'];
export type ProviderList = Schemas['ProviderList'];
export type ProviderView = ProviderList['providers'][number];
export type TargetReport = Schemas['TargetReport'];
export type RoutingState = Schemas['RoutingState'];
export type RouteView = Schemas['Route'];
export type RouteReport = Schemas['RouteReport'];
export type CacheView = Schemas['CacheView'];
export type CacheFeature = CacheView['features'][number];
export type ModelView = Schemas['ModelList']['models'][number];
export type LimitList = Schemas['LimitList'];
export type LimitView = Schemas['Limit'];
export type EventPage = Schemas['EventPage'];
export type EventView = Schemas['Event'];
export type { ReplayItem, ReplayReport, ReplayRun } from '../../../src/traces/replay/model.ts';
export type CostVariance = Schemas['CostVariance'];
export type CostEconomics = Schemas['CostEconomics'];
export type OutcomeEconomics = Schemas['OutcomeEconomics'];
export type CostWaste = Schemas['CostWaste'];
export type CostAllocation = Schemas['CostAllocation'];
export type CostStatement = Schemas['CostStatement'];
export type CostStatementList = Schemas['CostStatementList'];
export type CostStatementCorrections = Schemas['CostStatementCorrections'];
export type CostInvoice = Schemas['CostInvoice'];
export type CostInvoiceList = Schemas['CostInvoiceList'];
export type CostReconciliation = Schemas['CostReconciliation'];
export type ContextWaste = Schemas['ContextWaste'];
export type CostBudgetList = Schemas['CostBudgetList'];
export type CostBudget = Schemas['CostBudget'];
export type CostForecast = Schemas['CostForecast'];
export type CostPlan = Schemas['CostPlan'];
export type CostAnomalyList = Schemas['CostAnomalyList'];
export type CostAnomaly = Schemas['CostAnomaly'];

/** What a series can be narrowed to. */
export interface MetricFilters {
  readonly feature?: string;
  readonly model?: string;
}
