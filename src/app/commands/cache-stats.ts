import { z } from 'zod';
import type { CacheFeatureView, CacheView } from '../../gateway/cache/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, formatRate, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

const NUMBERS = ['entries', 'bytes', 'calls', 'hit rate (95 % interval)', 'near', 'semantic', 'saved', 'saved tokens'];

function row(view: CacheFeatureView): string[] {
  const held = (value: number | null): string => (value === null ? '–' : formatCount(value));
  return [
    view.feature,
    view.semantic === null ? view.mode : `semantic (${view.semantic.state})`,
    held(view.entries),
    held(view.bytes),
    formatCount(view.calls),
    formatRate(view.hitRatio, view.hitInterval),
    formatCount(view.nearHits),
    formatCount(view.semanticHits),
    formatCost(view.savedPicoUsd, 0),
    formatCount(view.savedInputTokens + view.savedOutputTokens),
  ];
}

export default defineCommand<CliContext>()({
  name: 'cache stats',
  summary: 'What the answer cache holds, serves and saves, by feature',
  example: 'plimsoll cache stats --last 7d',
  options: z.strictObject({ last: z.string().default('24h').describe('Period up to now: 30m, 24h, 7d …') }),
  async run({ options, output, context }) {
    const to = Date.now();
    const view = await context.client.call<CacheView>('GET', '/api/v1/cache', { query: { from: to - parsePeriod(options.last), to } });
    const shown = view.features.filter((feature) => feature.mode !== 'off' || feature.calls > 0);
    const columns = [{ title: 'feature' }, { title: 'cache' }, ...NUMBERS.map((title) => ({ title, isNumber: true }))];
    output.print(
      shown.length === 0
        ? 'No feature has a cache; set features.<name>.cache.mode in plimsoll.yaml.'
        : `${renderTable(columns, shown.map(row))}\n\n${view.driver}, at most ${formatCount(view.maxBytes)} bytes${view.driver === 'memory' ? ' per gateway worker' : ''}`,
      view,
    );
    for (const { feature, semantic } of shown) {
      if (semantic === null) continue;
      const rate = formatRate(semantic.falseHitRatio, semantic.falseHitInterval);
      output.note(
        `${semantic.state === 'live' ? '●' : '▲'} ${feature}: false hits ${rate} of ${semantic.samples} compared; ${semantic.reason}`,
      );
    }
    return 0;
  },
});
