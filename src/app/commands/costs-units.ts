import { z } from 'zod';
import { COST_GROUPS } from '../../costs/cost-queries.ts';
import type { CostEconomics } from '../../costs/economics.ts';
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

function render({ groupBy, total, groups, unallocated }: CostEconomics): string {
  const numbers = ['calls', 'cost', 'per call, USD', 'users', 'per user, USD', 'sessions', 'per session, USD'];
  const columns = [{ title: groupBy }, ...numbers.map((title) => ({ title, isNumber: true }))];
  const shares = Object.entries(unallocated).map(
    ([name, { ratio }]) => `${name} ${ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`}`,
  );
  const table = renderTable(columns, [...groups.map((row) => cells(row.key ?? '(none)', row)), cells('total', total)]);
  return `${table}\nWithout: ${shares.join(', ')} of the cost`;
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
