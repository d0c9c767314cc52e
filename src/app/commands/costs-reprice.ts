import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { RepricingRun } from '../../costs/repricing/run.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { dayText, parseDay } from '../../kernel/config/day.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCount } from '../format.ts';
import { renderTable } from '../terminal.ts';

const POLL_MS = 500;

type Line = RepricingRun['report']['total'];

function cells(name: string, line: Line): string[] {
  const unpriced = line.unpricedBefore === 0 && line.unpricedAfter === 0 ? '' : `${line.unpricedBefore} → ${line.unpricedAfter}`;
  const usd = (pico: string): string => formatUsd(BigInt(pico));
  return [
    name,
    formatCount(line.calls),
    formatCount(line.changedCalls),
    usd(line.beforePicoUsd),
    usd(line.afterPicoUsd),
    usd(line.differencePicoUsd),
    unpriced,
  ];
}

function render({ report, isDryRun }: RepricingRun): string {
  const { total, models, kept } = report;
  const numbers = ['calls', 'changed', 'before, USD', 'after, USD', 'difference, USD', 'unpriced'];
  const columns = [{ title: 'model' }, ...numbers.map((title) => ({ title, isNumber: true }))];
  const rows = [...models.map((line) => cells(`${line.provider ?? '–'}/${line.model ?? '–'}`, line)), cells('total', total)];
  const remarks = [
    isDryRun ? 'Nothing was changed (--dry-run).' : `${countOf(total.changedCalls, 'call')} corrected in ledger, traces and rollups.`,
    ...(kept.notConfigured > 0 ? [`${countOf(kept.notConfigured, 'call')} kept: a provider is no longer configured.`] : []),
    ...(kept.wouldLosePrice > 0 ? [`${countOf(kept.wouldLosePrice, 'call')} kept: the model has no price now.`] : []),
  ];
  return `${renderTable(columns, rows)}\n${remarks.join('\n')}`;
}

export default defineCommand<CliContext>()({
  name: 'costs reprice',
  summary: 'Recompute the cost of recorded calls under the prices in force, with a before and after report',
  example: 'plimsoll costs reprice --from 2026-11-01 --feature customer-support --dry-run',
  options: z.strictObject({
    from: dayText('First day or moment, UTC'),
    to: dayText('End').optional().describe('End, exclusive; now when absent'),
    feature: z.string().optional().describe('Only calls of this feature'),
    dryRun: z.boolean().default(false).describe('Only report what would change'),
  }),
  async run({ options, output, context, signal }) {
    const { from, to, feature, dryRun: isDryRun } = options;
    const body = {
      from: parseDay(from),
      ...(to === undefined ? {} : { to: parseDay(to) }),
      ...(feature === undefined ? {} : { feature }),
      isDryRun,
    };
    let run = await context.client.call<RepricingRun>('POST', '/api/v1/costs/repricings', { body });
    while (run.state !== 'done') {
      output.progress(`${countOf(run.report.total.calls, 'call')} looked at, ${formatCount(run.report.total.changedCalls)} changed`);
      // Interrupted here, the run goes on in control.
      await sleep(POLL_MS, undefined, { signal });
      run = await context.client.call<RepricingRun>('GET', `/api/v1/costs/repricings/${run.id}`);
    }
    output.progress('');
    output.print(render(run), run);
    return 0;
  },
});
