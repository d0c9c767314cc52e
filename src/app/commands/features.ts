import { z } from 'zod';
import type { FeatureView } from '../../features/model.ts';
import { describeThrottle } from '../../features/switch.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { MetricSummary } from '../../traces/model.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatMs, formatRate, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

interface FeatureList {
  features: FeatureView[];
}

export default defineCommand<CliContext>()({
  name: 'features',
  summary: 'List features with owner, route and the last 24 hours',
  example: 'plimsoll features',
  options: z.strictObject({}),
  async run({ output, context }) {
    const [list, summary] = await Promise.all([
      context.client.call<FeatureList>('GET', '/api/v1/features'),
      context.client.call<MetricSummary>('GET', '/api/v1/metrics/summary', { query: { groupBy: 'feature' } }),
    ]);
    const numbers = new Map(summary.groups.map((group) => [group.key, group]));
    const rows = list.features.map((feature) => {
      const row = numbers.get(feature.name);
      return [
        feature.name,
        feature.owner ?? '–',
        `${feature.route} → ${feature.targets.join(', ')}`,
        `${row?.requests ?? 0}`,
        formatRate(row?.errorRate ?? null, row?.errorRateInterval ?? null),
        formatMs(row?.durationMs?.p95 ?? null),
        row ? formatCost(row.costPicoUsd, row.unpricedRequests) : '–',
      ];
    });
    const columns = [
      { title: 'feature' },
      { title: 'owner' },
      { title: 'route' },
      { title: 'calls 24 h', isNumber: true },
      { title: 'errors (95 % interval)', isNumber: true },
      { title: 'P95', isNumber: true },
      { title: 'cost', isNumber: true },
    ];
    output.print(renderTable(columns, rows), {
      features: list.features.map((feature) => ({ ...feature, last24h: numbers.get(feature.name) ?? null })),
    });
    for (const { name, switch: active } of list.features) {
      if (active === null) continue;
      const what = active.kind === 'pause' ? 'paused' : `throttled to ${describeThrottle(active)}`;
      const end = active.expiresAt === null ? 'until it is resumed' : `until ${formatTime(active.expiresAt)}`;
      output.note(`■ ${name}: ${what} by ${active.setBy} since ${formatTime(active.setAt)} ${end}: ${active.reason}`);
    }
    for (const feature of list.features) for (const warning of feature.warnings) output.note(`▲ ${feature.name}: ${warning}`);
    return 0;
  },
});
