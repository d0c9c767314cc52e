import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { defineRoute, type Route } from '../kernel/routes.ts';
import type { TraceServices } from './routes.ts';
import { FieldValues, SessionDetail, SessionPage, SessionQuery, UserDetail, UserPage, UserQuery, ValueQuery } from './sessions.ts';

const WEEK_MS = 7 * 86_400_000;

/** @throws PlimsollError `invalid_argument` when the range is empty */
function resolved<Query extends { readonly from?: number | undefined; readonly to?: number | undefined }>(
  query: Query,
  nowMs: number,
): Query & { readonly from: number; readonly to: number } {
  const to = query.to ?? nowMs;
  const from = query.from ?? to - WEEK_MS;
  if (from >= to)
    throw new PlimsollError('invalid_argument', `"from" (${from}) must be before "to" (${to}).`, { details: { param: 'from', from, to } });
  return { ...query, from, to };
}

const route = defineRoute<TraceServices>();
const name = z.string().min(1).max(512);

export const sessionRoutes: readonly Route<TraceServices>[] = [
  route({
    method: 'GET',
    path: '/api/v1/traces/values',
    summary: 'What a filter of the trace list can be set to, the most frequent values first',
    permission: 'traces:read',
    query: ValueQuery,
    response: FieldValues,
    handler: ({ scope, query, services }) => services.sessionStore.values(scope, resolved(query, services.clock.nowMs())),
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/sessions',
    summary: 'Conversations with their requests, errors, users and cost',
    permission: 'traces:read',
    query: SessionQuery,
    response: SessionPage,
    handler: ({ scope, query, services }) => services.sessionStore.sessions(scope, resolved(query, services.clock.nowMs())),
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/sessions/:session',
    summary: 'One conversation, request by request in the order of time',
    permission: 'traces:read',
    params: z.strictObject({ session: name }),
    query: z.strictObject({ after: z.string().max(64).optional().describe('nextAfter of the page before') }),
    response: SessionDetail,
    async handler({ scope, params, query, services }) {
      const detail = await services.sessionStore.session(scope, params.session, query.after ?? null);
      if (!detail)
        throw new PlimsollError(
          'not_found',
          `There is no session ${JSON.stringify(params.session)}. A request that has just ended takes up to 2 s to appear.`,
          {
            details: { session: params.session },
          },
        );
      return detail;
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/users',
    summary: 'Users with their requests, errors, sessions and cost',
    permission: 'traces:read',
    query: UserQuery,
    response: UserPage,
    handler: ({ scope, query, services }) => services.sessionStore.users(scope, resolved(query, services.clock.nowMs())),
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/users/:user',
    summary: 'One user, day by day',
    permission: 'traces:read',
    params: z.strictObject({ user: name }),
    query: z.strictObject({ from: UserQuery.shape.from, to: UserQuery.shape.to }),
    response: UserDetail,
    async handler({ scope, params, query, services }) {
      const range = resolved(query, services.clock.nowMs());
      const detail = await services.sessionStore.user(scope, params.user, range);
      if (!detail)
        throw new PlimsollError('not_found', `No request of user ${JSON.stringify(params.user)} in the range.`, {
          details: { user: params.user, ...range },
        });
      return detail;
    },
  }),
];
