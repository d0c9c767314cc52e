import { z } from 'zod';
import type { BudgetList, BudgetView } from '../../costs/forecast/report.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

function percent(ratio: number | null): string {
  return ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`;
}

function cells(budget: BudgetView): string[] {
  const { forecast, usedUpAt } = budget;
  const usd = (pico: string): string => formatCost(pico, 0);
  return [
    `${budget.scope}${budget.name === null ? '' : ` ${budget.name}`}${budget.feature === null ? '' : ` (${budget.feature})`}`,
    budget.period,
    budget.usedPicoUsd === null ? '–' : usd(budget.usedPicoUsd),
    usd(budget.capacityPicoUsd),
    percent(budget.usedRatio),
    percent(budget.elapsedRatio),
    forecast === null ? 'unmeasured' : `${usd(forecast.expectedPicoUsd)} (${usd(forecast.lowPicoUsd)}–${usd(forecast.highPicoUsd)})`,
    usedUpAt?.expected == null ? '–' : formatTime(usedUpAt.expected),
    budget.state.replace('_', ' '),
  ];
}

function render({ budgets, total }: BudgetList): string {
  const table = renderTable(
    [
      { title: 'budget' },
      { title: 'per' },
      ...['used', 'of', 'used', 'elapsed', 'forecast (80 %)'].map((title) => ({ title, isNumber: true })),
      { title: 'used up' },
      { title: 'state' },
    ],
    budgets.map(cells),
  );
  const reasons = [...new Set(budgets.flatMap(({ unmeasured }) => unmeasured ?? []))];
  const remarks = [
    ...(total > budgets.length ? [`The ${budgets.length} most used of ${total}.`] : []),
    ...(reasons.length === 0 ? [] : [`Unmeasured: ${reasons.slice(0, 3).join('; ')}.`]),
  ];
  return [table, ...remarks].join('\n');
}

export default defineCommand<CliContext>()({
  name: 'costs budgets',
  summary: 'Budgets of the limits with burn, forecast to the end of the period, and when each is used up',
  example: 'plimsoll costs budgets --json',
  options: z.strictObject({ limit: z.coerce.number().int().min(1).max(300).default(50).describe('The most used so many') }),
  async run({ options, output, context }) {
    const list = await context.client.call<BudgetList>('GET', '/api/v1/costs/budgets', { query: options });
    output.print(list.total === 0 ? 'No budget is configured: add budgetUsd to a limit in plimsoll.yaml.' : render(list), list);
    return 0;
  },
});
