import { z } from 'zod';
import { COST_GROUPS } from '../../costs/cost-queries.ts';
import type { CostVariance } from '../../costs/variance/report.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { formatCount, formatTime, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

type Line = CostVariance['total'];

const EFFECTS = [
  ['volume', 'volume'],
  ['answerCache', 'answer cache'],
  ['mix', 'mix'],
  ['retries', 'retries'],
  ['tokensPerCall', 'tokens per call'],
  ['promptCache', 'prompt cache'],
  ['price', 'price'],
] as const;

function cells(name: string, { beforePicoUsd, afterPicoUsd, differencePicoUsd, effects }: Line): string[] {
  const usd = (pico: string): string => formatUsd(BigInt(pico));
  return [name, usd(beforePicoUsd), usd(afterPicoUsd), usd(differencePicoUsd), ...EFFECTS.map(([effect]) => usd(effects[effect]))];
}

function render({ before, after, groupBy, total, groups }: CostVariance): string {
  const columns = [
    { title: groupBy },
    ...['before, USD', 'after', 'difference', ...EFFECTS.map(([, title]) => title)].map((title) => ({ title, isNumber: true })),
  ];
  const rows = [...groups.map((line) => cells(line.key ?? '(none)', line)), cells('total', total)];
  const period = ({ from, to, calls, unpricedCalls }: CostVariance['before']): string =>
    `${formatTime(from)} to ${formatTime(to)}: ${formatCount(calls)} calls${unpricedCalls > 0 ? `, ${formatCount(unpricedCalls)} unpriced` : ''}`;
  return `before  ${period(before)}\nafter   ${period(after)}\n\n${renderTable(columns, rows)}`;
}

export default defineCommand<CliContext>()({
  name: 'costs variance',
  summary: 'What changed since an earlier period, split exactly into volume, caches, mix, retries, tokens per call and price',
  example: 'plimsoll costs variance --by model --against week',
  options: z.strictObject({
    by: z
      .enum(COST_GROUPS)
      .default('feature')
      .describe('feature, team, model, key, customer, user, route, operation, requestedModel or tag'),
    tag: z.string().optional().describe('Name of the tag, for --by tag'),
    last: z.string().optional().describe('Period up to now: 24h, 7d …; yesterday (UTC) when absent'),
    against: z.enum(['previous', 'week']).default('previous').describe('previous = right before; week = the same days a week earlier'),
  }),
  positionals: ['by'],
  async run({ options, output, context }) {
    const { by: groupBy, last, against, tag } = options;
    const to = Date.now();
    const range = last === undefined ? {} : { from: to - parsePeriod(last), to };
    const variance = await context.client.call<CostVariance>('GET', '/api/v1/costs/variance', {
      query: { groupBy, against, ...range, ...(tag === undefined ? {} : { tag }) },
    });
    output.print(render(variance), variance);
    return 0;
  },
});
