import { z } from 'zod';
import { type Statement, StatementMonth } from '../../costs/statements/statement.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCost, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

function render(statement: Statement): string {
  const { month, version, issuedAt, issuedBy, reason, totalPicoUsd, unpricedCalls, differencePicoUsd, lines, changes } = statement;
  const table = renderTable(
    [{ title: 'team' }, { title: 'feature' }, { title: 'customer' }, { title: 'calls', isNumber: true }, { title: 'cost', isNumber: true }],
    [
      ...lines.map((line) => [
        line.team ?? '(none)',
        line.feature,
        line.customer ?? '(none)',
        formatCount(line.calls),
        formatCost(line.picoUsd, line.unpricedCalls),
      ]),
      ['total', '', '', formatCount(statement.calls), formatCost(totalPicoUsd, unpricedCalls)],
    ],
  );
  const head = `${month}, version ${version}, issued ${formatTime(issuedAt)} by ${issuedBy}${reason === null ? '' : `: ${reason}`}`;
  const changed =
    differencePicoUsd === null
      ? []
      : [`${formatCost(differencePicoUsd, 0)} against version ${version - 1}, in ${countOf(changes.length, 'line')}.`];
  return [head, '', table, ...changed].join('\n');
}

export default defineCommand<CliContext>()({
  name: 'costs statement',
  summary: 'Show or issue the showback statement of a month: frozen, with versions',
  example: 'plimsoll costs statement 2026-10 --issue',
  options: z.strictObject({
    month: StatementMonth,
    version: z.coerce.number().int().min(1).optional().describe('The newest when left out'),
    issue: z.boolean().default(false).describe('Issue it; again = a new version with the difference'),
    reason: z.string().optional().describe('Why it is issued again'),
  }),
  positionals: ['month'],
  async run({ options, output, context }) {
    const { month, version, issue, reason } = options;
    const statement = issue
      ? await context.client.call<Statement>('POST', '/api/v1/costs/statements', {
          body: { month, ...(reason === undefined ? {} : { reason }) },
        })
      : await context.client.call<Statement>('GET', `/api/v1/costs/statements/${month}`, { query: { version } });
    output.print(render(statement), statement);
    return 0;
  },
});
