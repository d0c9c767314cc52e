import { formatUsd, type PicoUsd, picoUsdFromDecimal } from '../kernel/money.ts';
import type { LoadLines } from '../slo/model.ts';
import { escapeLabel, writeHeader } from '../traces/prometheus/histogram.ts';
import type { Config } from './config.ts';

/** Days of a calendar period, times ten: months of 30.4 days. */
const TENTHS_OF_DAYS = { day: 10n, week: 70n, month: 304n } as const;

/** What a feature's tightest budget allows per day; without one it has no row. */
export function dailyBudgets({ features, limits }: Pick<Config, 'features' | 'limits'>): ReadonlyMap<string, PicoUsd> {
  const tightest = new Map<string, PicoUsd>();
  for (const { scope, name, feature, budgetUsd, per } of limits) {
    if (budgetUsd === undefined || per === 'run') continue;
    const isOfFeature = scope === 'feature' || (scope === 'global' && feature !== undefined);
    if (!isOfFeature) continue;
    const perDay = (picoUsdFromDecimal(`${budgetUsd}`) * 10n) / TENTHS_OF_DAYS[per ?? 'month'];
    const only = scope === 'feature' ? name : feature;
    for (const each of only === undefined ? Object.keys(features) : [only]) {
      const known = tightest.get(each);
      if (known === undefined || perDay < known) tightest.set(each, perDay);
    }
  }
  return tightest;
}

/** Load lines and daily budgets as gauges. What is unmeasured has no sample: an absent series, never a zero. */
export function loadLineMetrics(read: LoadLines | null, budgets: ReadonlyMap<string, PicoUsd>): string {
  const lines: string[] = [];
  const family = (name: string, help: string, of: (line: LoadLines['features'][number]['lines'][number]) => number | null): void => {
    writeHeader(lines, name, 'gauge', help);
    for (const { feature, lines: all } of read?.features ?? [])
      for (const line of all) {
        const value = line.value === null ? null : of(line);
        if (value !== null) lines.push(`${name}{feature="${escapeLabel(feature)}",line="${line.id}",unit="${line.unit}"} ${value}`);
      }
  };
  family('plimsoll_load_line_value', 'Service level indicator over the last 24 hours; absent while unmeasured', ({ value }) => value);
  family('plimsoll_load_line_limit', 'Where the load line is drawn', ({ line }) => line);
  family('plimsoll_load_line_load', 'Share of what the line allows that is used; 1 = at the line', ({ load }) => load);
  family('plimsoll_load_line_samples', 'What the value is of: calls, answers or judgements', ({ count }) => count);
  family('plimsoll_load_line_beyond', '1 when the 95 % interval lies beyond the line', ({ verdict }) => (verdict === 'beyond' ? 1 : 0));
  writeHeader(
    lines,
    'plimsoll_feature_budget_usd_per_day',
    'gauge',
    'What the tightest budget of the feature allows per day (a month has 30.4 days)',
  );
  for (const [feature, perDay] of budgets)
    lines.push(`plimsoll_feature_budget_usd_per_day{feature="${escapeLabel(feature)}"} ${formatUsd(perDay)}`);
  return `${lines.join('\n')}\n`;
}
