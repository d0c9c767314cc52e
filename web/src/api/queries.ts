import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { type Range, rangeKey, resolveRange } from '../range/range.ts';
import type { SessionFilters } from '../sessions/sessions-search.ts';
import type { Filters } from '../traces/filters.ts';
import { api, unwrap } from './client.ts';
import type { paths } from './openapi.gen.ts';
import { asApiError } from './problem.ts';
import type {
  CacheView,
  EventPage,
  Feature,
  FeatureLoadLines,
  FieldValues,
  LimitList,
  LimitView,
  MetricFilters,
  MetricSeries,
  MetricSummary,
  ModelView,
  OutcomeRow,
  ProviderList,
  ReplayItem,
  ReplayReport,
  ReplayRun,
  RoutingDecisions,
  RoutingState,
  Score,
  SessionDetail,
  SessionPage,
  SpanTexts,
  Status,
  TargetMetrics,
  TraceDetail,
  TracePage,
  UserDetail,
  UserPage,
  VirtualKey,
} from './schema.ts';

/** A relative range is resolved at each request, so that a refresh moves with the clock while the query stays the same. */
export function summaryQuery(range: Range, groupBy: 'feature' | 'model') {
  return queryOptions({
    queryKey: ['summary', rangeKey(range), groupBy],
    queryFn: ({ signal }) =>
      unwrap<MetricSummary>(
        api.GET('/api/v1/metrics/summary', { params: { query: { ...resolveRange(range, Date.now()), groupBy } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function seriesQuery(range: Range, filters: MetricFilters = {}) {
  return queryOptions({
    queryKey: ['series', rangeKey(range), filters],
    queryFn: ({ signal }) =>
      unwrap<MetricSeries>(
        api.GET('/api/v1/metrics/series', { params: { query: { ...resolveRange(range, Date.now()), ...filters } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export const PAGE_SIZE = 100;

export function tracesQuery(range: Range, filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ['traces', rangeKey(range), filters],
    initialPageParam: null as { readonly cursor: string; readonly from: number; readonly to: number } | null,
    queryFn: async ({ signal, pageParam }) => {
      // Every page uses the interval of the first one: a cursor belongs to its interval.
      const { cursor, ...interval } = pageParam ?? { cursor: null, ...resolveRange(range, Date.now()) };
      const page = await unwrap<TracePage>(
        api.GET('/api/v1/traces', {
          params: { query: { ...interval, ...filters, ...(cursor === null ? {} : { cursor }), limit: PAGE_SIZE } },
          signal,
        }),
      );
      return { ...page, interval };
    },
    getNextPageParam: (page) => (page.nextCursor === null ? undefined : { cursor: page.nextCursor, ...page.interval }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export type ValueField = NonNullable<paths['/api/v1/traces/values']['get']['parameters']['query']>['field'];

/** What a filter can be set to in the range, the most frequent first. */
export function fieldValuesQuery(range: Range, wanted: { readonly field: ValueField; readonly name?: string; readonly search: string }) {
  const { field, search, ...rest } = wanted;
  return queryOptions({
    queryKey: ['values', rangeKey(range), wanted] as const,
    queryFn: ({ signal }) =>
      unwrap<FieldValues>(
        api.GET('/api/v1/traces/values', {
          params: { query: { ...resolveRange(range, Date.now()), field, ...rest, ...(search === '' ? {} : { search }), limit: 50 } },
          signal,
        }),
      ),
    // Of the same field only: values of another attribute are no answer.
    placeholderData: (before, query) => (query?.queryKey[2].name === wanted.name ? before : undefined),
    staleTime: 30_000,
  });
}

/** The newest page, open towards now, for the live tail. */
export function newestTraces(range: Range, filters: Filters, signal: AbortSignal): Promise<TracePage> {
  const { from } = resolveRange(range, Date.now());
  return unwrap<TracePage>(api.GET('/api/v1/traces', { params: { query: { from, ...filters, limit: PAGE_SIZE } }, signal }));
}

export function traceQuery(traceId: string) {
  return queryOptions({
    queryKey: ['trace', traceId],
    queryFn: ({ signal }) => unwrap<TraceDetail>(api.GET('/api/v1/traces/{traceId}', { params: { path: { traceId } }, signal })),
    staleTime: 10_000,
  });
}

/** Load lines of every feature, or of one. */
export function loadLinesQuery(range: Range, feature?: string) {
  return queryOptions({
    queryKey: ['load-lines', rangeKey(range), feature ?? null],
    queryFn: async ({ signal }) => {
      const query = { ...resolveRange(range, Date.now()), ...(feature === undefined ? {} : { feature }) };
      return (await unwrap<{ features: readonly FeatureLoadLines[] }>(api.GET('/api/v1/load-lines', { params: { query }, signal })))
        .features;
    },
    placeholderData: keepPreviousData,
    // Texts are read for them: not with every refresh of the counts.
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}

export function outcomesQuery(range: Range, feature: string) {
  return queryOptions({
    queryKey: ['outcomes', rangeKey(range), feature],
    queryFn: async ({ signal }) => {
      const query = { ...resolveRange(range, Date.now()), feature };
      return (await unwrap<{ outcomes: readonly OutcomeRow[] }>(api.GET('/api/v1/costs/outcomes', { params: { query }, signal }))).outcomes;
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

/** For a trace that came without texts. Null = the span has none. */
export function spanTextsQuery(traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ['span-texts', traceId, spanId],
    queryFn: async ({ signal }): Promise<SpanTexts | null> => {
      try {
        return await unwrap<SpanTexts>(
          api.GET('/api/v1/traces/{traceId}/spans/{spanId}/texts', { params: { path: { traceId, spanId } }, signal }),
        );
      } catch (error) {
        if (asApiError(error).code === 'not_found') return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

export function traceScoresQuery(traceId: string) {
  return queryOptions({
    queryKey: ['trace-scores', traceId],
    queryFn: async ({ signal }) =>
      (await unwrap<{ scores: readonly Score[] }>(api.GET('/api/v1/traces/{traceId}/scores', { params: { path: { traceId } }, signal })))
        .scores,
    staleTime: 5_000,
  });
}

export const featuresQuery = queryOptions({
  queryKey: ['features'],
  queryFn: async ({ signal }) => (await unwrap<{ features: readonly Feature[] }>(api.GET('/api/v1/features', { signal }))).features,
  // A switch may be thrown, or end, by somebody else's hand.
  staleTime: 5_000,
  refetchInterval: 10_000,
});

/** Sessions or users by offset: the lists are sums, and have no other place to go on from. */
export function sessionsQuery(range: Range, filters: SessionFilters) {
  return infiniteQueryOptions({
    queryKey: ['sessions', rangeKey(range), filters],
    initialPageParam: 0,
    queryFn: ({ signal, pageParam }) =>
      unwrap<SessionPage>(api.GET('/api/v1/traces/sessions', { params: { query: listOf(range, filters, pageParam) }, signal })),
    getNextPageParam: (page, pages) => (page.hasMore ? pages.length * SESSIONS_PER_PAGE : undefined),
    placeholderData: keepPreviousData,
  });
}

export function usersQuery(range: Range, filters: SessionFilters) {
  return infiniteQueryOptions({
    queryKey: ['users', rangeKey(range), filters],
    initialPageParam: 0,
    queryFn: ({ signal, pageParam }) => {
      const { user: _user, ...query } = listOf(range, filters, pageParam);
      return unwrap<UserPage>(api.GET('/api/v1/traces/users', { params: { query }, signal }));
    },
    getNextPageParam: (page, pages) => (page.hasMore ? pages.length * SESSIONS_PER_PAGE : undefined),
    placeholderData: keepPreviousData,
  });
}

const SESSIONS_PER_PAGE = 50;

function listOf(range: Range, { feature, user, q, sort }: SessionFilters, offset: number) {
  return {
    ...resolveRange(range, Date.now()),
    ...(feature === undefined ? {} : { feature }),
    ...(user === undefined ? {} : { user }),
    ...(q === undefined ? {} : { search: q }),
    ...(sort === undefined ? {} : { sort }),
    limit: SESSIONS_PER_PAGE,
    offset,
  };
}

export function sessionQuery(session: string) {
  return infiniteQueryOptions({
    queryKey: ['session', session],
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) =>
      unwrap<SessionDetail>(
        api.GET('/api/v1/traces/sessions/{session}', {
          params: { path: { session }, query: pageParam === null ? {} : { after: pageParam } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.nextAfter ?? undefined,
  });
}

export function userQuery(range: Range, user: string) {
  return queryOptions({
    queryKey: ['user', user, rangeKey(range)],
    queryFn: ({ signal }) =>
      unwrap<UserDetail>(
        api.GET('/api/v1/traces/users/{user}', { params: { path: { user }, query: resolveRange(range, Date.now()) }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function targetsQuery(range: Range, groupBy: TargetMetrics['groupBy']) {
  return queryOptions({
    queryKey: ['targets', rangeKey(range), groupBy],
    queryFn: ({ signal }) =>
      unwrap<TargetMetrics>(
        api.GET('/api/v1/metrics/targets', { params: { query: { ...resolveRange(range, Date.now()), groupBy } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: ({ signal }) => unwrap<ProviderList>(api.GET('/api/v1/providers', { signal })),
});

export const routingQuery = queryOptions({
  queryKey: ['routing'],
  queryFn: ({ signal }) => unwrap<RoutingState>(api.GET('/api/v1/routes', { signal })),
});

/** @param route undefined = of every route */
export function decisionsQuery(range: Range, route: string | undefined) {
  return queryOptions({
    queryKey: ['decisions', rangeKey(range), route ?? null],
    queryFn: ({ signal }) =>
      unwrap<RoutingDecisions>(
        api.GET('/api/v1/routing/decisions', {
          params: { query: { ...resolveRange(range, Date.now()), ...(route === undefined ? {} : { route }), limit: 50 } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function cacheQuery(range: Range) {
  return queryOptions({
    queryKey: ['cache', rangeKey(range)],
    queryFn: ({ signal }) => unwrap<CacheView>(api.GET('/api/v1/cache', { params: { query: resolveRange(range, Date.now()) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async ({ signal }) => (await unwrap<{ models: readonly ModelView[] }>(api.GET('/api/v1/models', { signal }))).models,
  staleTime: 60_000,
});

export interface LimitFilters {
  readonly scope?: LimitView['scope'];
  readonly q?: string;
}

export function limitsQuery(filters: LimitFilters, limit: number) {
  return queryOptions({
    queryKey: ['limits', filters, limit],
    queryFn: ({ signal }) => unwrap<LimitList>(api.GET('/api/v1/limits', { params: { query: { ...filters, limit } }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Pages of events of these names, newest first. */
export function eventsQuery(names: readonly string[]) {
  return infiniteQueryOptions({
    queryKey: ['events', names],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam }) =>
      unwrap<EventPage>(
        api.GET('/api/v1/events', {
          params: { query: { name: names.join(','), limit: 50, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

export const keysQuery = infiniteQueryOptions({
  queryKey: ['keys'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ signal, pageParam }) =>
    unwrap<{ keys: readonly VirtualKey[]; nextCursor: string | null }>(
      api.GET('/api/v1/keys', { params: { query: pageParam === undefined ? {} : { cursor: pageParam } }, signal }),
    ),
  getNextPageParam: (page) => page.nextCursor ?? undefined,
});

export const replaysQuery = infiniteQueryOptions({
  queryKey: ['replays'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ signal, pageParam }) =>
    unwrap<{ replays: readonly ReplayRun[]; nextBefore: string | null }>(
      api.GET('/api/v1/replays', { params: { query: pageParam === undefined ? {} : { before: pageParam } }, signal }),
    ),
  getNextPageParam: (page) => page.nextBefore ?? undefined,
  refetchInterval: 5_000,
});

/** How often one that goes on is looked at. */
const REPLAY_REFRESH_MS = 1_000;

export function replayQuery(id: string) {
  return queryOptions({
    queryKey: ['replay', id],
    queryFn: ({ signal }) => unwrap<ReplayReport>(api.GET('/api/v1/replays/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data === undefined || state.data.endedAtMs === null ? REPLAY_REFRESH_MS : false),
  });
}

export function replayItemsQuery(id: string, isMoving: boolean) {
  return infiniteQueryOptions({
    queryKey: ['replay', id, 'items', isMoving],
    initialPageParam: 0,
    queryFn: ({ signal, pageParam }) =>
      unwrap<{ items: readonly ReplayItem[]; nextAfter: number | null }>(
        api.GET('/api/v1/replays/{id}/items', { params: { path: { id }, query: { after: pageParam, limit: PAGE_SIZE } }, signal }),
      ),
    getNextPageParam: (page) => page.nextAfter ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: isMoving ? 2 * REPLAY_REFRESH_MS : false,
  });
}

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => unwrap<Status>(api.GET('/api/v1/status', { signal })),
  refetchInterval: 5000,
  retry: false,
});
