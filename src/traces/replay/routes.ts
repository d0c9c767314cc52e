import { z } from 'zod';
import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import { ReplayItem, ReplayReport, ReplayRequest, ReplayRun } from './model.ts';
import type { ReplayService } from './service.ts';

export interface ReplayServices {
  readonly replays: ReplayService;
}

const route = defineRoute<ReplayServices>();

const Id = z.strictObject({ id: z.string().min(1).max(64) });
const limit = z.coerce.number().int().min(1).max(200).default(50);

export const replayRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/replays',
    summary: 'Choose recorded calls to make again, byte for byte or at another model, and estimate what that costs',
    permission: 'replays:write',
    audit: 'replay.created',
    status: 202,
    body: ReplayRequest,
    response: ReplayReport,
    async handler({ body, actor, scope, services }) {
      const run = await services.replays.create(scope, body, actor.id);
      const { model, maxCostUsd } = body;
      return new RouteAnswer(run, {}, { subject: `replay/${run.id}`, details: { model, maxCostUsd } });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/replays',
    summary: 'List replays, newest first',
    permission: 'traces:read',
    query: z.strictObject({ before: z.string().max(64).optional().describe('Id of the last one of the page before'), limit }),
    response: z.object({ replays: z.array(ReplayRun), nextBefore: z.string().nullable() }).meta({ id: 'ReplayPage' }),
    async handler({ query, scope, services }) {
      const replays = await services.replays.list(scope, { beforeId: query.before ?? null, limit: query.limit });
      return { replays, nextBefore: replays.length < query.limit ? null : (replays.at(-1)?.id ?? null) };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/replays/:id',
    summary: 'How far a replay is, and its calls beside the recorded ones in sums and medians',
    permission: 'traces:read',
    params: Id,
    response: ReplayReport,
    handler: ({ params, scope, services }) => services.replays.get(scope, params.id),
  }),
  route({
    method: 'GET',
    path: '/api/v1/replays/:id/items',
    summary: 'Calls of a replay, each beside the recorded one; their texts are in the two traces',
    permission: 'traces:read',
    params: Id,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0).describe('Number of the last call of the page before'),
      limit,
    }),
    response: z.object({ items: z.array(ReplayItem), nextAfter: z.int().nullable() }).meta({ id: 'ReplayItemPage' }),
    async handler({ params, query, scope, services }) {
      const items = await services.replays.items(scope, params.id, { afterNumber: query.after, limit: query.limit });
      return { items, nextAfter: items.length < query.limit ? null : (items.at(-1)?.number ?? null) };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/replays/:id/start',
    summary: 'Make the chosen calls',
    permission: 'replays:write',
    audit: 'replay.started',
    params: Id,
    response: ReplayReport,
    async handler({ params, scope, services }) {
      const run = await services.replays.start(scope, params.id);
      return new RouteAnswer(run, {}, { subject: `replay/${run.id}`, details: { calls: run.selected } });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/replays/:id/cancel',
    summary: 'Begin no further call; those under way end',
    permission: 'replays:write',
    audit: 'replay.cancelled',
    params: Id,
    response: ReplayReport,
    async handler({ params, actor, scope, services }) {
      const run = await services.replays.cancel(scope, params.id, actor.id);
      return new RouteAnswer(run, {}, { subject: `replay/${run.id}`, details: {} });
    },
  }),
];
