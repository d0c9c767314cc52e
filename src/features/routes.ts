import { defineRoute } from '../kernel/routes.ts';
import { FeatureList } from './model.ts';
import type { FeatureService } from './service.ts';

export interface FeatureServices {
  readonly features: FeatureService;
}

const route = defineRoute<FeatureServices>();

export const featureRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/features',
    summary: 'List features with their owners, route, keys and warnings',
    permission: 'features:read',
    response: FeatureList,
    handler: async ({ scope, services }) => ({ features: await services.features.list(scope) }),
  }),
];
