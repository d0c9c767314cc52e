import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { defineRoute, RouteAnswer } from '../../kernel/routes.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import type { CostQueries } from '../cost-queries.ts';
import { issueStatement, periodOfMonth, Statement, StatementMonth, saysTheSame } from './statement.ts';
import type { StatementStore } from './store.ts';

export interface StatementServices {
  readonly statements: StatementStore;
  readonly costs: CostQueries;
  /** What people call an actor. */
  readonly actorName: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

const route = defineRoute<StatementServices>();
const Summary = Statement.omit({ lines: true, changes: true });

export const statementRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/statements',
    summary: 'List showback statements, the newest month and version first',
    permission: 'costs:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    response: z.object({ statements: z.array(Summary) }).meta({ id: 'CostStatementList' }),
    handler: async ({ scope, query, services }) => ({
      statements: (await services.statements.list(scope, query.limit)).map(({ lines: _lines, changes: _changes, ...summary }) => summary),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/statements/:month',
    summary: 'A showback statement as it was issued; the newest version unless one is named',
    permission: 'costs:read',
    params: z.strictObject({ month: StatementMonth }),
    query: z.strictObject({ version: z.coerce.number().int().min(1).optional() }),
    response: Statement,
    async handler({ scope, params, query, services }) {
      const found = await services.statements.get(scope, params.month, query.version ?? null);
      if (found === null)
        throw new PlimsollError(
          'not_found',
          `There is no statement${query.version === undefined ? '' : ` ${query.version}`} of ${params.month}.`,
          {
            details: { param: 'month' },
          },
        );
      return found;
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/costs/statements',
    summary: 'Issue the statement of a month that is over; again = a new version with the difference',
    permission: 'costs:write',
    audit: 'cost_statement.issued',
    status: 201,
    body: z.strictObject({
      month: StatementMonth,
      reason: z.string().trim().min(1).max(500).optional().describe('Why again; required for every version but the first'),
    }),
    response: Statement,
    async handler({ scope, body, actor, services }) {
      const { month, reason } = body;
      const nowMs = services.clock.nowMs();
      const period = periodOfMonth(month);
      if (period.to > nowMs)
        throw new PlimsollError('invalid_argument', `${month} is not over: a statement is issued when all of it is known.`, {
          details: { param: 'month' },
        });
      const previous = await services.statements.get(scope, month, null);
      if (previous !== null && reason === undefined)
        throw new PlimsollError(
          'invalid_argument',
          `${month} has a statement (version ${previous.version}): say in "reason" why it is issued again.`,
          {
            details: { param: 'reason' },
          },
        );
      const rows = await services.costs.showback(scope, period);
      const next = issueStatement(month, rows, previous, {
        atMs: nowMs,
        by: await services.actorName(scope, actor),
        reason: reason ?? null,
      });
      if (previous !== null && saysTheSame(previous, next))
        throw new PlimsollError('conflict', `Nothing has changed since version ${previous.version} of ${month}.`, {
          details: { param: 'month' },
        });
      await services.statements.append(scope, next);
      return new RouteAnswer(
        next,
        {},
        {
          subject: `cost_statement/${month}/${next.version}`,
          details: { totalPicoUsd: next.totalPicoUsd, reason: next.reason },
        },
      );
    },
  }),
];
