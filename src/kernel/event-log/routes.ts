import { z } from 'zod';
import { defineRoute } from '../routes.ts';
import type { EventLog } from './event-log.ts';

export const EventView = z
  .object({
    id: z.string(),
    name: z.string().describe('What happened, e.g. feature.paused'),
    subject: z.string().describe('What it happened to, e.g. feature/customer-support'),
    severity: z.enum(['info', 'warning', 'critical']),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
    at: z.int().describe('Epoch ms'),
  })
  .meta({ id: 'Event' });

export interface EventLogServices {
  readonly eventLog: EventLog;
}

const route = defineRoute<EventLogServices>();
const word = z.string().min(1).max(200);

export const eventLogRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/events',
    summary:
      'List events, newest first: switches, budgets and limits, model retirements, changes of provider status, semantic caches that start or stop',
    permission: 'events:read',
    query: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z_.]{1,64}(,[a-z_.]{1,64}){0,15}$/, 'names of events, separated by commas')
        .optional()
        .describe('Only events of this name, e.g. feature.paused; several are separated by commas'),
      subject: word.optional().describe('Only events of this subject, e.g. feature/customer-support'),
      cursor: word.optional().describe('nextCursor of the page before'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.object({ events: z.array(EventView), nextCursor: z.string().nullable() }).meta({ id: 'EventPage' }),
    async handler({ query: { name, subject = null, cursor = null, limit }, scope, services }) {
      const page = await services.eventLog.list(scope, { names: name?.split(',') ?? null, subject, beforeId: cursor, limit: limit + 1 });
      const events = page.slice(0, limit).map(({ atMs, ...event }) => ({ ...event, at: atMs }));
      return { events, nextCursor: page.length > limit ? (events.at(-1)?.id ?? null) : null };
    },
  }),
];
