import { z } from 'zod';
import { defineRoute } from '../../kernel/routes.ts';
import { WorkerPresence } from '../worker-presence.ts';
import { RouteReport, TargetReport } from './report.ts';
import { RouteView } from './route-view.ts';

export const RoutingState = z
  .object({
    workers: z.int().nonnegative().describe('Gateway workers that reported within the last 15 seconds; 0 = nothing is known'),
    gateways: z.array(WorkerPresence).describe('Those whose numbers are in here, and those that did not answer'),
    configured: z.array(RouteView).describe('Routes of the configuration in force'),
    routes: z.array(RouteReport).describe('What gateways counted of them, all workers added up; empty while none has reported'),
    targets: z.array(TargetReport).describe('Models that routes can reach; states are the worst that a worker sees'),
    byWorker: z
      .array(z.object({ worker: z.string(), targets: z.array(TargetReport) }))
      .describe('The same by worker: each judges health by its own calls'),
  })
  .meta({ id: 'RoutingState' });
export type RoutingState = z.infer<typeof RoutingState>;

export interface RoutingServices {
  readonly routing: () => RoutingState;
}

const route = defineRoute<RoutingServices>();

export const routingRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/routes',
    summary: 'List routes with their decisions, and targets with their health',
    permission: 'models:read',
    response: RoutingState,
    handler: ({ services }) => services.routing(),
  }),
];
