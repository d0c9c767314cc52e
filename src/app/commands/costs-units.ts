import { z } from 'zod';
import { COST_GROUPS } from '../../costs/cost-queries.ts';
import type { CostEconomics } from '../../costs/economics.ts';
import type { CostAllocation } from '../../costs/shared/allocate.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

type Row = CostEconomics['total'];

function cells(name: string, row: Row): string[] {
  const usd = (pico: string | null): string => (pico === null ? '–' : formatUsd(BigInt(pico)));
  return [
    name,
    formatCount(row.calls),
    formatCost(row.costPicoUsd, row.unpricedCalls),
    usd(row.perCallPicoUsd),
    formatCount(row.users),
    usd(row.perUserPicoUsd),
    formatCount(row.sessions),
    usd(row.perSessionPicoUsd),
  ];
}

/** What is a team's own and what it bears of shared costs, apart. */
function allocationTable({ teams, shared, totalPicoUsd }: CostAllocation): string {
  const columns = [{ title: 'team' }, ...['own', 'shared', 'total'].map((title) => ({ title: `${title}, USD`, isNumber: true }))];
  const rows = teams.map(({ team, ownPicoUsd, sharedPicoUsd, totalPicoUsd: sum, unpricedCalls }) => [
    team ?? '(nobody)',
    formatCost(ownPicoUsd, unpricedCalls),
    formatCost(sharedPicoUsd, 0),
    formatCost(sum, 0),
  ]);
  const rules = shared.map(
    ({ rule, split, picoUsd, borneByNobodyPicoUsd }) =>
      `${rule} ${formatCost(picoUsd, 0)} by ${split}${borneByNobodyPicoUsd === '0' ? '' : ' (borne by nobody: no team to measure by)'}`,
  );
  return `${renderTable(columns, [...rows, ['total', '', '', formatCost(totalPicoUsd, 0)]])}\nShared: ${rules.join(', ')}.`;
}

function render({ groupBy, total, groups, unallocated, allocation }: CostEconomics): string {
  const numbers = ['calls', 'cost', 'per call, USD', 'users', 'per user, USD', 'sessions', 'per session, USD'];
  const columns = [{ title: groupBy }, ...numbers.map((title) => ({ title, isNumber: true }))];
  const shares = Object.entries(unallocated).map(
    ([name, { ratio }]) => `${name} ${ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`}`,
  );
  const table = renderTable(columns, [...groups.map((row) => cells(row.key ?? '(none)', row)), cells('total', total)]);
  const text = `${table}\nWithout: ${shares.join(', ')} of the cost`;
  return allocation === null ? text : `${text}\n\n${allocationTable(allocation)}`;
}

export default defineCommand<CliContext>()({
  name: 'costs units',
  summary: 'Cost per call, user and session, and the share of cost that belongs to nobody',
  example: 'plimsoll costs units --by team --last 30d',
  options: z.strictObject({
    by: z
      .enum(COST_GROUPS)
      .default('feature')
      .describe('feature, team, model, key, customer, user, route, operation, requestedModel or tag'),
    tag: z.string().optional().describe('Name of the tag, for --by tag'),
    last: z.string().default('24h').describe('Period up to now: 24h, 7d …'),
  }),
  positionals: ['by'],
  async run({ options, output, context }) {
    const to = Date.now();
    const { by: groupBy, tag, last } = options;
    const query = { groupBy, from: to - parsePeriod(last), to, ...(tag === undefined ? {} : { tag }) };
    const economics = await context.client.call<CostEconomics>('GET', '/api/v1/costs/economics', { query });
    output.print(economics.total.calls === 0 ? `No calls in the last ${options.last}.` : render(economics), economics);
    return 0;
  },
});
