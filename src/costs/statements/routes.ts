import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { defineRoute, FileAnswer, RouteAnswer } from '../../kernel/routes.ts';
import type { Actor, Scope } from '../../kernel/scope.ts';
import type { CostQueries } from '../cost-queries.ts';
import { allocate } from '../shared/allocate.ts';
import type { SharedRule } from '../shared/config.ts';
import {
  correctionsOf,
  issueStatement,
  periodOfMonth,
  Statement,
  StatementCorrections,
  StatementMonth,
  StatementTeam,
  saysTheSame,
  teamsOf,
} from './statement.ts';
import { statementCsv } from './statement-csv.ts';
import type { StatementStore } from './store.ts';

export interface StatementServices {
  readonly statements: StatementStore;
  readonly costs: CostQueries;
  /** `costs.shared` as it is now. */
  readonly sharedRules: () => readonly SharedRule[];
  /** What people call an actor. */
  readonly actorName: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

const route = defineRoute<StatementServices>();
const Summary = Statement.omit({ lines: true, changes: true, allocation: true }).extend({
  feesPicoUsd: z.string().describe('Shared fees that are on no call: not in the total, pico-dollars'),
  teams: z.array(StatementTeam).describe('They add up to total and fees; the largest first'),
});
const Month = z.strictObject({ month: StatementMonth });
const Version = z.strictObject({ version: z.coerce.number().int().min(1).optional().describe('The newest when left out') });

function summaryOf(statement: Statement): z.infer<typeof Summary> {
  const { lines: _lines, changes: _changes, allocation, ...summary } = statement;
  return { ...summary, feesPicoUsd: allocation?.feesPicoUsd ?? '0', teams: teamsOf(statement) };
}

/** @throws PlimsollError `not_found` */
async function find(services: StatementServices, scope: Scope, month: string, version: number | undefined): Promise<Statement> {
  const found = await services.statements.get(scope, month, version ?? null);
  if (found === null)
    throw new PlimsollError('not_found', `There is no statement${version === undefined ? '' : ` ${version}`} of ${month}.`, {
      details: { param: 'month' },
    });
  return found;
}

export const statementRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/statements',
    summary: 'List showback statements, the newest month and version first',
    permission: 'costs:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    response: z.object({ statements: z.array(Summary) }).meta({ id: 'CostStatementList' }),
    handler: async ({ scope, query, services }) => ({
      statements: (await services.statements.list(scope, query.limit)).map(summaryOf),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/statements/:month',
    summary: 'A showback statement as it was issued; the newest version unless one is named',
    permission: 'costs:read',
    params: Month,
    query: Version,
    response: Statement,
    handler: ({ scope, params, query, services }) => find(services, scope, params.month, query.version),
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/statements/:month/csv',
    summary: 'A showback statement as CSV for a spreadsheet: lines, what each team bears, and changes against the version before',
    permission: 'costs:read',
    params: Month,
    query: Version,
    fileTypes: ['text/csv'],
    response: z.string(),
    async handler({ scope, params, query, services }) {
      const statement = await find(services, scope, params.month, query.version);
      const name = `statement-${statement.month}-v${statement.version}.csv`;
      return new FileAnswer('text/csv; charset=utf-8', name, Readable.from([statementCsv(statement)]));
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/statements/:month/corrections',
    summary: 'What changed in the ledger since the newest statement of a month was issued (late calls, repricings), line by line',
    permission: 'costs:read',
    params: Month,
    response: StatementCorrections,
    async handler({ scope, params, services }) {
      const statement = await find(services, scope, params.month, undefined);
      return correctionsOf(statement, await services.costs.showback(scope, periodOfMonth(params.month)));
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
      const rules = services.sharedRules();
      const allocation = rules.length === 0 ? null : allocate(rules, await services.costs.teamUse(scope, period, rules), period);
      const issue = { atMs: nowMs, by: await services.actorName(scope, actor), reason: reason ?? null };
      const next = issueStatement(month, rows, previous, issue, allocation);
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
