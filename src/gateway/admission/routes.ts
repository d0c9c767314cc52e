import { z } from 'zod';
import { defineRoute } from '../../kernel/routes.ts';
import { LIMIT_SCOPES } from '../limits-config.ts';
import type { WorkerPresence } from '../worker-presence.ts';
import type { LimitRule } from './limit-rule.ts';
import type { LimitsReport } from './limit-state.ts';
import { LimitList, limitViews, matchesQuery } from './limit-view.ts';

export interface LimitServices {
  readonly limits: () => {
    readonly rules: readonly LimitRule[];
    /** Of the workers that answered. */
    readonly reports: readonly LimitsReport[];
    readonly gateways: readonly WorkerPresence[];
  };
}

const route = defineRoute<LimitServices>();

export const limitRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/limits',
    summary: 'List limits with what is used, reserved and left, over all gateways, the most used first',
    permission: 'limits:read',
    query: z.strictObject({
      scope: z.enum(LIMIT_SCOPES).optional(),
      q: z.string().min(1).max(256).optional().describe('Part of the name of the member, the feature, an owner or the limit'),
      limit: z.coerce.number().int().min(1).max(2_000).default(200),
    }),
    response: LimitList,
    handler({ query, services }) {
      const { rules, reports, gateways } = services.limits();
      const views = limitViews(rules, reports).filter((view) => matchesQuery(view, query));
      return { gateways: [...gateways], configured: rules.length, total: views.length, limits: views.slice(0, query.limit) };
    },
  }),
];
