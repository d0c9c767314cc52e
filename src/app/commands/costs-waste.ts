import { z } from 'zod';
import type { ContextWaste } from '../../costs/context/report.ts';
import type { CostWaste } from '../../costs/waste.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

type Line = Pick<CostWaste, 'costPicoUsd' | 'waste' | 'savings'>;

function cells(name: string, { costPicoUsd, waste, savings }: Line): string[] {
  const usd = (pico: string): string => Number(formatUsd(BigInt(pico))).toFixed(4);
  return [
    name,
    usd(costPicoUsd),
    ...waste.kinds.map(({ picoUsd }) => usd(picoUsd)),
    waste.ratio === null ? '–' : `${(waste.ratio * 100).toFixed(2)} %`,
    usd(savings.answerCache.picoUsd),
    usd(savings.promptCache.picoUsd),
    usd(savings.routing.picoUsd),
  ];
}

function estimateText({ ratio, interval, picoUsd, intervalPicoUsd, calls, windows, unmeasured }: ContextWaste['total']['unread']): string {
  if (ratio === null || interval === null || picoUsd === null || intervalPicoUsd === null) return `unmeasured: ${unmeasured}`;
  const percent = (value: number): string => (value * 100).toFixed(1);
  const [low, high] = intervalPicoUsd.map((pico) => formatCost(pico, 0));
  return `≈ ${formatCost(picoUsd, 0)} (${low} to ${high}), ${percent(ratio)} % of the input (${percent(interval[0])} to ${percent(interval[1])}), n = ${calls} calls in ${windows} stretches`;
}

function renderContext({ total, features }: ContextWaste): string {
  const lines = (name: 'unread' | 'resent'): string[] => [
    `  all features: ${estimateText(total[name])}`,
    ...features.filter((line) => line[name].ratio !== null).map((line) => `  ${line.feature}: ${estimateText(line[name])}`),
  ];
  return [
    'Context without a trace in the answer, an upper bound:',
    ...lines('unread'),
    'Beginnings sent again within five minutes, that a prompt cache would have served:',
    ...lines('resent'),
  ].join('\n');
}

export default defineCommand<CliContext>()({
  name: 'costs waste',
  summary: 'What was paid for nothing, and what caches and routes saved',
  example: 'plimsoll costs waste --last 30d',
  options: z.strictObject({ last: z.string().default('24h').describe('Period up to now: 24h, 7d …') }),
  async run({ options, output, context }) {
    const to = Date.now();
    const query = { from: to - parsePeriod(options.last), to };
    const view = await context.client.call<CostWaste>('GET', '/api/v1/costs/waste', { query });
    const numbers = ['cost, USD', ...view.waste.kinds.map(({ kind }) => kind), 'wasted', 'saved: answers', 'prompt cache', 'routes (est.)'];
    const columns = [{ title: 'feature' }, ...numbers.map((title) => ({ title, isNumber: true }))];
    const table = renderTable(columns, [...view.features.map((line) => cells(line.feature, line)), cells('total', view)]);
    const found = await context.client.call<ContextWaste>('GET', '/api/v1/costs/waste/context', { query });
    output.print(`${table}\n\n${renderContext(found)}`, { ...view, context: found });
    return 0;
  },
});
