import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import { CostAnomalyList, CostAnomalyView, HANDLINGS } from './model.ts';
import type { AnomalyService } from './service.ts';

export interface AnomalyServices {
  readonly anomalies: AnomalyService;
}

const route = defineRoute<AnomalyServices>();

export const anomalyRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/anomalies',
    summary: 'List costs that were too high by what is usual, with ranked causes, newest first',
    permission: 'costs:read',
    query: z.strictObject({
      state: z.enum(['open', 'ended']).optional(),
      key: z.string().min(1).max(256).optional().describe('Name of the feature, team or model'),
      cursor: z.string().min(1).max(64).optional().describe('nextCursor of the page before'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: CostAnomalyList,
    handler: ({ scope, query, services }) =>
      services.anomalies.list(scope, {
        state: query.state ?? null,
        key: query.key ?? null,
        cursor: query.cursor ?? null,
        limit: query.limit,
      }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/costs/anomalies/:id/handling',
    summary: 'Acknowledge an anomaly, or say that it was expected and mute its series for a while',
    permission: 'costs:write',
    audit: 'cost_anomaly.handled',
    params: z.strictObject({ id: z.string().min(1).max(64) }),
    body: z.strictObject({
      kind: z.enum(HANDLINGS).describe('acknowledged: somebody looks after it; expected: it is right as it is'),
      reason: z.string().trim().min(1).max(500).describe('Why; the list and the audit log keep it'),
      muteForMs: z.int().min(3_600_000).optional().describe('Of expected: the series raises no new ones for so long, at most 60 days'),
    }),
    response: CostAnomalyView,
    async handler({ params, body, actor, scope, services }) {
      const handled = await services.anomalies.handle(scope, params.id, { ...body, muteForMs: body.muteForMs ?? null }, actor);
      return new RouteAnswer(handled, {}, { subject: `cost_anomaly/${params.id}`, details: { ...body } });
    },
  }),
];
