import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import { CacheCheckReport, CacheCheckRequest, CachePurged, CachePurgeRequest, CacheQuery, CacheView } from './model.ts';
import type { CacheService } from './service.ts';

export interface CacheServices {
  readonly cache: CacheService;
}

const route = defineRoute<CacheServices>();

export const cacheRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/cache',
    summary: 'What the answer cache holds, serves and saves by feature, with intervals, and where its semantic part stands',
    permission: 'cache:read',
    query: CacheQuery,
    response: CacheView,
    handler: ({ query, scope, services }) => services.cache.view(scope, query),
  }),
  route({
    method: 'POST',
    path: '/api/v1/cache/purge',
    summary: 'Void kept answers by feature, by tag, or all, on every gateway within a second',
    permission: 'cache:write',
    audit: 'cache.purged',
    body: CachePurgeRequest,
    response: CachePurged,
    async handler({ body, scope, services }) {
      const selector = { feature: body.feature ?? null, tag: body.tag ?? null };
      const sequence = await services.cache.purge(scope, selector);
      return new RouteAnswer({ sequence }, {}, { subject: `cache/${selector.feature ?? '*'}`, details: { ...selector, sequence } });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/cache/checks',
    summary: 'Measure a semantic cache on labelled pairs of questions; the result decides whether mode semantic is allowed',
    permission: 'cache:write',
    audit: 'cache.checked',
    status: 201,
    body: CacheCheckRequest,
    response: CacheCheckReport,
    async handler({ body, scope, services }) {
      const report = await services.cache.check(scope, body);
      const { id, feature, verdict, recommendedThreshold, same, different } = report;
      return new RouteAnswer(report, {}, { subject: `cache/${feature}`, details: { id, verdict, recommendedThreshold, same, different } });
    },
  }),
];
