import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import { RepricingRun } from './run.ts';
import type { RepricingService } from './service.ts';

export interface RepricingServices {
  readonly repricing: RepricingService;
}

const route = defineRoute<RepricingServices>();

const epochMs = z.int().nonnegative();

export const repricingRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/costs/repricings',
    summary:
      'Recompute the cost of recorded calls under the prices in force, in ledger, traces and rollups; tokens and everything else stay',
    permission: 'costs:write',
    audit: 'costs.repriced',
    status: 202,
    body: z.strictObject({
      from: epochMs.describe('Calls that started then or later, epoch ms'),
      to: epochMs.optional().describe('Calls that started before, epoch ms; now when absent'),
      feature: z.string().min(1).max(512).optional().describe('Only calls of this feature'),
      isDryRun: z.boolean().default(false).describe('Only report what would change'),
    }),
    response: RepricingRun,
    async handler({ body, actor, scope, services }) {
      const { from, to, feature, isDryRun } = body;
      const run = await services.repricing.start(scope, { from, to, feature, isDryRun }, actor.id);
      const action = isDryRun ? 'costs.repricing_planned' : 'costs.repriced';
      const details = { from: run.from, to: run.to, feature: run.feature };
      return new RouteAnswer(run, {}, { subject: `repricing/${run.id}`, action, details });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/repricings/:id',
    summary: 'How far a repricing is, and what it changed: before, after and difference by model',
    permission: 'costs:read',
    params: z.strictObject({ id: z.string().min(1).max(64) }),
    response: RepricingRun,
    handler: ({ params, scope, services }) => services.repricing.get(scope, params.id),
  }),
];
