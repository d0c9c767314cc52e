import { z } from 'zod';
import type { CostWaste } from '../../costs/waste.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { parsePeriod } from '../format.ts';
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
    output.print(renderTable(columns, [...view.features.map((line) => cells(line.feature, line)), cells('total', view)]), view);
    return 0;
  },
});
