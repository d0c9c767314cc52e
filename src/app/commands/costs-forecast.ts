import { z } from 'zod';
import { HOURLY_DIMENSIONS } from '../../costs/cost-queries.ts';
import type { MonthForecast } from '../../costs/forecast/month.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCost } from '../format.ts';
import { renderTable } from '../terminal.ts';

type Line = MonthForecast['total'];

function cells(name: string, { spentPicoUsd, lastMonthPicoUsd, forecast, unmeasured }: Line): string[] {
  const usd = (pico: string | undefined | null): string => (pico == null ? '–' : formatCost(pico, 0));
  return [
    name,
    usd(spentPicoUsd),
    usd(forecast?.expectedPicoUsd),
    forecast === null ? (unmeasured ?? '–') : `${usd(forecast.lowPicoUsd)}–${usd(forecast.highPicoUsd)}`,
    usd(lastMonthPicoUsd),
  ];
}

export default defineCommand<CliContext>()({
  name: 'costs forecast',
  summary: 'What this month will cost, with an interval, by feature, team or model',
  example: 'plimsoll costs forecast --by model',
  options: z.strictObject({ by: z.enum(HOURLY_DIMENSIONS).default('feature').describe('feature, team or model') }),
  positionals: ['by'],
  async run({ options, output, context }) {
    const forecast = await context.client.call<MonthForecast>('GET', '/api/v1/costs/forecast', { query: { groupBy: options.by } });
    const columns = [
      { title: options.by },
      ...['so far', 'month', '80 % interval', 'last month'].map((title) => ({ title, isNumber: true })),
    ];
    const rows = [...forecast.groups.map((line) => cells(line.key ?? '(none)', line)), cells('total', forecast.total)];
    output.print(renderTable(columns, rows), forecast);
    return 0;
  },
});
