import { z } from 'zod';
import { defineRoute } from '../../kernel/routes.ts';
import { SqlConsoleView, SqlRequest, SqlResult } from './model.ts';
import type { SqlConsole } from './service.ts';

export interface SqlServices {
  readonly sql: SqlConsole;
}

const route = defineRoute<SqlServices>();

export const sqlRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/sql',
    summary: 'Run one read-only statement over the tables of the SQL console',
    permission: 'sql:read',
    isSelfAudited: true,
    body: SqlRequest,
    response: SqlResult,
    handler: ({ body, actor, scope, services }) => services.sql.run(scope, body, actor),
  }),
  route({
    method: 'GET',
    path: '/api/v1/sql',
    summary: 'The SQL console: whether it is on, its limits, its tables and what their columns mean',
    permission: 'sql:read',
    response: SqlConsoleView,
    handler: ({ services }) => services.sql.view(),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/sql/:runId',
    summary: 'Cancel a query that goes on',
    permission: 'sql:read',
    isSelfAudited: true,
    status: 204,
    params: z.strictObject({ runId: z.string().min(1).max(64) }),
    response: z.null(),
    handler({ params, services }) {
      services.sql.cancel(params.runId);
      return null;
    },
  }),
];
