import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '../api/client.ts';
import type {
  ContextWaste,
  CostAnomalyList,
  CostBudgetList,
  CostEconomics,
  CostForecast,
  CostInvoiceList,
  CostPlan,
  CostReconciliation,
  CostStatement,
  CostStatementCorrections,
  CostStatementList,
  CostVariance,
  CostWaste,
  OutcomeEconomics,
} from '../api/schema.ts';
import { type Range, rangeKey, resolveRange } from '../range/range.ts';
import type { CostGroup, CostsSearch } from './costs-search.ts';
import { type PlanSearch, planRequest } from './plan-search.ts';

/** What a grouping asks for. */
function grouping(search: CostsSearch): { readonly groupBy: CostGroup; readonly tag?: string } {
  return { groupBy: search.by ?? 'feature', ...(search.tag === undefined ? {} : { tag: search.tag }) };
}

/** @param range null = yesterday (UTC), the last day that is over */
export function varianceQuery(range: Range | null, search: CostsSearch) {
  const { against, beforeFrom, beforeTo } = search;
  const compared =
    beforeFrom !== undefined && beforeTo !== undefined
      ? { beforeFrom, beforeTo }
      : { against: against === 'previous' ? ('previous' as const) : ('week' as const) };
  return queryOptions({
    queryKey: ['costs', 'variance', range === null ? 'yesterday' : rangeKey(range), grouping(search), compared],
    queryFn: ({ signal }) =>
      unwrap<CostVariance>(
        api.GET('/api/v1/costs/variance', {
          params: { query: { ...(range === null ? {} : resolveRange(range, Date.now())), ...grouping(search), ...compared } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function economicsQuery(range: Range, search: CostsSearch) {
  return queryOptions({
    queryKey: ['costs', 'economics', rangeKey(range), grouping(search)],
    queryFn: ({ signal }) =>
      unwrap<CostEconomics>(
        api.GET('/api/v1/costs/economics', { params: { query: { ...resolveRange(range, Date.now()), ...grouping(search) } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function outcomesQuery(range: Range) {
  return queryOptions({
    queryKey: ['costs', 'outcomes', rangeKey(range)],
    queryFn: ({ signal }) =>
      unwrap<OutcomeEconomics>(api.GET('/api/v1/costs/outcomes', { params: { query: resolveRange(range, Date.now()) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function wasteQuery(range: Range) {
  return queryOptions({
    queryKey: ['costs', 'waste', rangeKey(range)],
    queryFn: ({ signal }) =>
      unwrap<CostWaste>(api.GET('/api/v1/costs/waste', { params: { query: resolveRange(range, Date.now()) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function contextWasteQuery(range: Range) {
  return queryOptions({
    queryKey: ['costs', 'waste', 'context', rangeKey(range)],
    queryFn: ({ signal }) =>
      unwrap<ContextWaste>(api.GET('/api/v1/costs/waste/context', { params: { query: resolveRange(range, Date.now()) }, signal })),
    placeholderData: keepPreviousData,
    // Texts of many calls are read for it.
    staleTime: 300_000,
  });
}

export const budgetsQuery = queryOptions({
  queryKey: ['costs', 'budgets'],
  queryFn: ({ signal }) => unwrap<CostBudgetList>(api.GET('/api/v1/costs/budgets', { signal })),
});

export function forecastQuery(groupBy: 'feature' | 'team' | 'model') {
  return queryOptions({
    queryKey: ['costs', 'forecast', groupBy],
    queryFn: ({ signal }) => unwrap<CostForecast>(api.GET('/api/v1/costs/forecast', { params: { query: { groupBy } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function anomaliesQuery(state: 'open' | 'ended' | undefined) {
  return queryOptions({
    queryKey: ['costs', 'anomalies', state ?? 'all'],
    queryFn: ({ signal }) =>
      unwrap<CostAnomalyList>(
        api.GET('/api/v1/costs/anomalies', { params: { query: { limit: 100, ...(state === undefined ? {} : { state }) } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function planQuery(plan: PlanSearch) {
  const { feature, models, gpuHourUsd, ...numbers } = planRequest(plan);
  const query = {
    ...(feature === undefined ? {} : { feature }),
    ...(models === undefined ? {} : { models }),
    ...(gpuHourUsd === undefined ? {} : { gpuHourUsd }),
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])),
  };
  return queryOptions({
    queryKey: ['costs', 'plan', query],
    queryFn: ({ signal }) => unwrap<CostPlan>(api.GET('/api/v1/costs/plan', { params: { query }, signal })),
    retry: false,
  });
}

export const statementsQuery = queryOptions({
  queryKey: ['costs', 'statements', 'list'],
  queryFn: ({ signal }) => unwrap<CostStatementList>(api.GET('/api/v1/costs/statements', { params: { query: { limit: 200 } }, signal })),
});

/** @param version undefined = the newest */
export function statementQuery(month: string, version: number | undefined) {
  return queryOptions({
    queryKey: ['costs', 'statements', month, version ?? 'newest'],
    queryFn: ({ signal }) =>
      unwrap<CostStatement>(
        api.GET('/api/v1/costs/statements/{month}', {
          params: { path: { month }, query: version === undefined ? {} : { version } },
          signal,
        }),
      ),
    // What was issued never changes.
    ...(version === undefined ? {} : { staleTime: Number.POSITIVE_INFINITY }),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export function correctionsQuery(month: string) {
  return queryOptions({
    queryKey: ['costs', 'statements', month, 'corrections'],
    queryFn: ({ signal }) =>
      unwrap<CostStatementCorrections>(api.GET('/api/v1/costs/statements/{month}/corrections', { params: { path: { month } }, signal })),
  });
}

export const invoicesQuery = queryOptions({
  queryKey: ['costs', 'invoices', 'list'],
  queryFn: ({ signal }) => unwrap<CostInvoiceList>(api.GET('/api/v1/costs/invoices', { params: { query: { limit: 200 } }, signal })),
});

export function reconciliationQuery(id: string) {
  return queryOptions({
    queryKey: ['costs', 'invoices', id],
    queryFn: ({ signal }) =>
      unwrap<CostReconciliation>(api.GET('/api/v1/costs/invoices/{id}/reconciliation', { params: { path: { id } }, signal })),
    retry: false,
  });
}
