import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { defineRoute, type Route } from '../kernel/routes.ts';
import { MetricGroupBy, MetricSeries, MetricSummary, SpanTexts, TraceDetail, TracePage, TraceQuery } from './model.ts';
import { RoutingDecisions } from './routing-decisions.ts';
import type { SessionStore } from './sessions.ts';
import type { TraceStore } from './store.ts';
import { TargetGroupBy, TargetMetrics } from './target-metrics.ts';

export interface TraceServices {
  readonly traces: TraceStore;
  readonly sessionStore: SessionStore;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;

const epochMs = z.coerce.number().int();
const Range = z.strictObject({
  from: epochMs.optional().describe('Epoch ms, inclusive; 24 hours before `to` when absent'),
  to: epochMs.optional().describe('Epoch ms, exclusive; now when absent'),
});
const SummaryQuery = Range.extend({ groupBy: MetricGroupBy.default('feature') });
const SeriesParameters = Range.extend({
  stepMs: z.coerce.number().int().positive().optional().describe('Width of a step; at most 120 points when absent'),
  feature: z.string().min(1).max(512).optional(),
  model: z.string().min(1).max(512).optional().describe('Response model, else the one sent'),
  team: z.string().min(1).max(512).optional(),
});

/** @throws PlimsollError `invalid_argument` when the range is empty */
function resolveRange(query: z.output<typeof Range>, nowMs: number): { from: number; to: number } {
  const to = query.to ?? nowMs;
  const from = query.from ?? to - DAY_MS;
  if (from >= to)
    throw new PlimsollError('invalid_argument', `"from" (${from}) must be before "to" (${to}).`, { details: { param: 'from', from, to } });
  return { from, to };
}

const traceId = z.string().regex(/^[0-9a-fA-F]{32}$/, 'A trace id has 32 hexadecimal digits');

const route = defineRoute<TraceServices>();

export const traceRoutes: readonly Route<TraceServices>[] = [
  route({
    method: 'GET',
    path: '/api/v1/traces',
    summary: 'List traces, newest first',
    permission: 'traces:read',
    query: TraceQuery,
    response: TracePage,
    handler: ({ scope, query, services }) => services.traces.listTraces(scope, query, services.clock.nowMs()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/:traceId',
    summary: 'One trace with its spans and texts',
    permission: 'traces:read',
    params: z.strictObject({ traceId }),
    response: TraceDetail,
    async handler({ scope, params, services }) {
      const traceId = params.traceId.toLowerCase();
      const trace = await services.traces.getTrace(scope, traceId, 'of_small_traces');
      if (!trace)
        throw new PlimsollError('not_found', `There is no trace ${traceId}. A call that has just ended takes up to 2 s to appear.`, {
          details: { traceId },
        });
      return trace;
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/:traceId/spans/:spanId/texts',
    summary: 'What went into a span and what came out, exactly as it was sent',
    permission: 'traces:read',
    params: z.strictObject({ traceId, spanId: z.string().regex(/^[0-9a-fA-F]{16}$/, 'A span id has 16 hexadecimal digits') }),
    response: SpanTexts,
    async handler({ scope, params, services }) {
      const texts = await services.traces.spanTexts(scope, params.traceId.toLowerCase(), params.spanId.toLowerCase());
      if (!texts) throw new PlimsollError('not_found', `Span ${params.spanId} has no texts, or is not stored.`, { details: params });
      return texts;
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/metrics/summary',
    summary: 'Requests, errors, latency, tokens and cost by group',
    permission: 'traces:read',
    query: SummaryQuery,
    response: MetricSummary,
    handler({ scope, query, services }) {
      const { from, to } = resolveRange({ from: query.from, to: query.to }, services.clock.nowMs());
      return services.traces.summary(scope, from, to, query.groupBy);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/metrics/targets',
    summary: 'Attempts, errors and latency by provider, model alias or route',
    permission: 'traces:read',
    query: Range.extend({ groupBy: TargetGroupBy.default('target') }),
    response: TargetMetrics,
    handler({ scope, query, services }) {
      const { from, to } = resolveRange({ from: query.from, to: query.to }, services.clock.nowMs());
      return services.traces.targets(scope, from, to, query.groupBy);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/routing/decisions',
    summary: 'What routes decided: difficulties, fallbacks, estimated savings, and the newest decisions with their attempts',
    permission: 'traces:read',
    query: Range.extend({
      route: z.string().min(1).max(512).optional().describe('Only of this route'),
      limit: z.coerce.number().int().min(1).max(200).default(50).describe('Newest decisions, at most'),
    }),
    response: RoutingDecisions,
    handler({ scope, query, services }) {
      const { from, to } = resolveRange({ from: query.from, to: query.to }, services.clock.nowMs());
      return services.traces.decisions(scope, { from, to, route: query.route, limit: query.limit });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/metrics/series',
    summary: 'The same numbers over time',
    permission: 'traces:read',
    query: SeriesParameters,
    response: MetricSeries,
    handler({ scope, query, services }) {
      const { from, to } = resolveRange({ from: query.from, to: query.to }, services.clock.nowMs());
      const { stepMs, feature, model, team } = query;
      return services.traces.series(scope, { from, to, stepMs, feature, model, team });
    },
  }),
];
