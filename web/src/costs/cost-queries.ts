import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from '../api/client.ts';
import type {
  CostAnomalyList,
  CostBudgetList,
  CostEconomics,
  CostForecast,
  CostPlan,
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
