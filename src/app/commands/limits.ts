import { z } from 'zod';
import type { LimitList, LimitView } from '../../gateway/admission/limit-view.ts';
import { LIMIT_SCOPES } from '../../gateway/limits-config.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

function amountText(unit: LimitView['unit'], amount: string | null): string {
  if (amount === null) return '–';
  return unit === 'usd' ? `$${formatUsd(BigInt(amount))}` : formatCount(Number(amount));
}

function row({
  scope,
  name,
  feature,
  unit,
  period,
  capacity,
  used,
  reserved,
  remaining,
  usedRatio,
  resetAt,
  state,
  refused,
  isLowerBound,
}: LimitView): string[] {
  const member = scope === 'global' ? 'everybody' : (name ?? `each ${scope}`);
  const what = unit.replaceAll('_', ' ');
  return [
    feature === null ? member : `${member} in ${feature}`,
    period === null ? what : `${what} per ${period}`,
    amountText(unit, capacity),
    `${isLowerBound ? '≥ ' : ''}${amountText(unit, used)}`,
    amountText(unit, reserved),
    amountText(unit, remaining),
    usedRatio === null ? '–' : `${Math.round(usedRatio * 100)} %`,
    state,
    resetAt === null ? '–' : formatTime(resetAt),
    refused === null ? '–' : formatCount(refused),
  ];
}

export default defineCommand<CliContext>()({
  name: 'limits',
  summary: 'Limits and budgets with what is used, held and left, over all gateways, the most used first',
  example: 'plimsoll limits --scope team',
  options: z.strictObject({
    scope: z.enum(LIMIT_SCOPES).optional().describe('Only limits of this scope'),
    search: z.string().optional().describe('Part of the name of the member, the feature, an owner or the limit'),
    limit: z.coerce.number().int().min(1).max(2_000).default(50).describe('Most lines'),
  }),
  async run({ options, output, context }) {
    const { scope, search, limit } = options;
    const list = await context.client.call<LimitList>('GET', '/api/v1/limits', { query: { scope, q: search, limit } });
    const numbers = ['capacity', 'used', 'held', 'left', 'used of it'];
    const columns = [
      { title: 'whose' },
      { title: 'of what' },
      ...numbers.map((title) => ({ title, isNumber: true })),
      { title: 'state' },
      { title: 'empty again' },
      { title: 'refused', isNumber: true },
    ];
    const isFiltered = scope !== undefined || search !== undefined;
    const empty = isFiltered ? 'No limit matches.' : 'No limits are configured: see "limits" in plimsoll.yaml.';
    output.print(list.limits.length === 0 ? empty : renderTable(columns, list.limits.map(row)), list);
    if (list.total > list.limits.length) output.note(`${countOf(list.total - list.limits.length, 'line')} more: --limit ${list.total}`);
    for (const { worker, isAnswering, lastReportAt } of list.gateways) {
      if (isAnswering) continue;
      const since = lastReportAt === null ? '' : ` since ${formatTime(lastReportAt)}`;
      output.note(`▲ ${worker} has not said what it counted${since}: its use is missing above.`);
    }
    return 0;
  },
});
