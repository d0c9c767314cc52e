import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { MetricGroupBy, type MetricRow, type MetricSummary } from '../../traces/model.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'costs',
  summary: 'Cost, tokens and requests by feature, model, team or user',
  example: 'plimsoll costs --by model --last 7d',
  options: z.strictObject({
    by: MetricGroupBy.default('feature').describe('feature, model, team or user'),
    last: z.string().default('24h').describe('Period up to now: 30m, 24h, 7d …'),
  }),
  positionals: ['by'],
  async run({ options, output, context }) {
    const to = Date.now();
    const summary = await context.client.call<MetricSummary>('GET', '/api/v1/metrics/summary', {
      query: { groupBy: options.by, from: to - parsePeriod(options.last), to },
    });
    const cells = (name: string, row: MetricRow): string[] => [
      name,
      formatCount(row.requests),
      formatCount(row.inputTokens),
      formatCount(row.outputTokens),
      formatCost(row.costPicoUsd, row.unpricedRequests),
    ];
    const columns = [
      { title: options.by },
      ...['requests', 'input tokens', 'output tokens', 'cost'].map((title) => ({ title, isNumber: true })),
    ];
    const rows = [...summary.groups.map((group) => cells(group.key ?? '(none)', group)), cells('total', summary.total)];
    output.print(summary.total.requests === 0 ? `No calls in the last ${options.last}.` : renderTable(columns, rows), summary);
    return 0;
  },
});
