import { defineRoute } from '../../kernel/routes.ts';
import type { Scope } from '../../kernel/scope.ts';
import { RetentionReport } from './report.ts';

export interface RetentionServices {
  retention(scope: Scope): Promise<RetentionReport>;
}

const route = defineRoute<RetentionServices>();

export const retentionRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/retention',
    summary: 'How long each class of data is kept, what is stored of it, and what goes next; deletes nothing',
    permission: 'retention:read',
    response: RetentionReport,
    handler: ({ scope, services }) => services.retention(scope),
  }),
];
