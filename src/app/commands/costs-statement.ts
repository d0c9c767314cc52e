import { z } from 'zod';
import { type Statement, type StatementCorrections, StatementMonth, teamsOf } from '../../costs/statements/statement.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCost, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

/** What each team bears, its own and its part of what is shared. */
function bearers(statement: Statement): string {
  const columns = [{ title: 'team' }, ...['own', 'shared', 'bears'].map((title) => ({ title, isNumber: true }))];
  const cells = (...picos: string[]): string[] => picos.map((pico) => formatCost(pico, 0));
  const rows = teamsOf(statement).map((line) => [
    line.team ?? '(nobody)',
    ...cells(line.ownPicoUsd, line.sharedPicoUsd, line.totalPicoUsd),
  ]);
  const fees = statement.allocation?.feesPicoUsd ?? '0';
  return `${renderTable(columns, rows)}${fees === '0' ? '' : `\nFees that are on no call: ${formatCost(fees, 0)}, in what teams bear and not in the total above.`}`;
}

function renderCorrections({ month, version, differencePicoUsd, lines }: StatementCorrections): string {
  if (lines.length === 0) return `The ledger says of ${month} what version ${version} says.`;
  const columns = [{ title: 'team' }, { title: 'feature' }, { title: 'customer' }, { title: 'since', isNumber: true }];
  const rows = lines.map(({ team, feature, customer, differencePicoUsd: pico }) => [
    team ?? '(none)',
    feature,
    customer ?? '(none)',
    formatCost(pico, 0),
  ]);
  return `${renderTable(columns, [...rows, ['total', '', '', formatCost(differencePicoUsd, 0)]])}\nSince version ${version} of ${month}; --issue --reason … writes them down.`;
}

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
  return [head, '', table, ...(statement.allocation === null ? [] : ['', bearers(statement)]), ...changed].join('\n');
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
    corrections: z.boolean().default(false).describe('What changed in the ledger since the newest version'),
  }),
  positionals: ['month'],
  async run({ options, output, context }) {
    const { month, version, issue, reason, corrections } = options;
    if (corrections) {
      const found = await context.client.call<StatementCorrections>('GET', `/api/v1/costs/statements/${month}/corrections`);
      output.print(renderCorrections(found), found);
      return 0;
    }
    const statement = issue
      ? await context.client.call<Statement>('POST', '/api/v1/costs/statements', {
          body: { month, ...(reason === undefined ? {} : { reason }) },
        })
      : await context.client.call<Statement>('GET', `/api/v1/costs/statements/${month}`, { query: { version } });
    output.print(render(statement), statement);
    return 0;
  },
});
