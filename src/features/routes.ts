import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../kernel/routes.ts';
import { FeatureList } from './model.ts';
import type { FeatureService } from './service.ts';
import { FeatureSwitchDraft, FeatureSwitchPage, FeatureSwitchView } from './switch.ts';
import type { FeatureSwitchService } from './switch-service.ts';

export interface FeatureServices {
  readonly features: FeatureService;
  readonly featureSwitches: FeatureSwitchService;
}

const route = defineRoute<FeatureServices>();
const featureName = z.strictObject({ name: z.string().min(1).max(128).describe('Name of the feature') });

export const featureRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/features',
    summary: 'List features with their owners, route, keys, switches and warnings',
    permission: 'features:read',
    response: FeatureList,
    handler: async ({ scope, services }) => ({ features: await services.features.list(scope) }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/features/:name/switches',
    summary: 'List the switches of a feature, newest first; at most one is in force',
    permission: 'features:read',
    params: featureName,
    query: z.strictObject({
      cursor: z.string().min(1).max(64).optional().describe('nextCursor of the page before'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: FeatureSwitchPage,
    handler: ({ params, query, scope, services }) =>
      services.featureSwitches.list(scope, params.name, { cursor: query.cursor ?? null, limit: query.limit }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/features/:name/switches',
    summary: 'Pause or throttle a feature on every gateway within a second; replaces the switch in force',
    permission: 'features:switch',
    audit: 'feature.switched',
    status: 201,
    params: featureName,
    body: FeatureSwitchDraft,
    response: FeatureSwitchView,
    async handler({ params, body, actor, scope, services }) {
      const set = await services.featureSwitches.set(scope, params.name, body, actor);
      const { id, kind, reason, requestsPerSecond, shareRatio, expiresAt } = set;
      const action = kind === 'pause' ? 'feature.paused' : 'feature.throttled';
      const details = { switchId: id, reason, requestsPerSecond, shareRatio, expiresAt };
      return new RouteAnswer(set, {}, { action, subject: `feature/${params.name}`, details });
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/features/:name/switches',
    summary: 'Resume a feature: ends the switch in force',
    permission: 'features:switch',
    audit: 'feature.resumed',
    params: featureName,
    query: z.strictObject({ reason: z.string().trim().min(1).max(500).optional().describe('Why; the audit log keeps it') }),
    response: FeatureSwitchView,
    async handler({ params, query, actor, scope, services }) {
      const ended = await services.featureSwitches.end(scope, params.name, query.reason ?? null, actor);
      return new RouteAnswer(
        ended,
        {},
        { subject: `feature/${params.name}`, details: { switchId: ended.id, kind: ended.kind, reason: query.reason ?? null } },
      );
    },
  }),
];
