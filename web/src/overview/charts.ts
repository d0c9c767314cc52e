import type { MetricSeries } from '../api/schema.ts';
import { approximateUsd, formatUsdNumber } from '../format/money.ts';
import { formatCompact, formatCount, formatDuration, formatPercent, formatRoundDuration, UNKNOWN } from '../format/number.ts';
import { formatMoment, type TimeZone } from '../format/time.ts';
import type { Series } from '../ui/chart.ts';

export interface ChartSpec {
  readonly key: 'requests' | 'latency' | 'ttft' | 'tokens' | 'cost';
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  readonly summary: string;
  readonly format: (value: number | null) => string;
  readonly formatAxis: (value: number) => string;
}

const QUANTILES = [
  { key: 'p50', label: 'P50', token: 'quantile-50', width: 1.5 },
  { key: 'p95', label: 'P95', token: 'quantile-95', width: 2 },
  { key: 'p99', label: 'P99', token: 'quantile-99', width: 1.25, dash: [5, 3] },
] as const;

/** What the Overview draws of a series. A step without calls has gaps in latency and cost, zeros only in counts. */
export function chartsOf(series: MetricSeries, zone: TimeZone): readonly ChartSpec[] {
  const { points } = series;
  const requests = points.map((point) => point.requests);
  const errors = points.map((point) => point.errors);
  const cost = points.map((point) =>
    point.requests === 0 || point.unpricedRequests >= point.requests ? null : approximateUsd(point.costPicoUsd),
  );
  const total = requests.reduce((sum, count) => sum + count, 0);
  const failed = errors.reduce((sum, count) => sum + count, 0);
  const peak = (values: readonly (number | null)[]): { value: number; at: string } | null => {
    const best = values.reduce<number>(
      (top, value, index) => (value !== null && (top === -1 || value > (values[top] ?? 0)) ? index : top),
      -1,
    );
    const value = values[best];
    const point = points[best];
    return value == null || point === undefined ? null : { value, at: formatMoment(point.at, zone).slice(0, -3) };
  };
  const peakText = (values: readonly (number | null)[], format: (value: number | null) => string, what: string, empty: string): string => {
    const top = peak(values);
    return top === null || top.value === 0 ? empty : `${what} ${format(top.value)} at ${top.at}`;
  };
  const formatCost = (value: number | null): string => (value === null ? UNKNOWN : formatUsdNumber(value));
  const quantileChart = (key: 'latency' | 'ttft', title: string, field: 'durationMs' | 'ttftMs', empty: string): ChartSpec => ({
    key,
    title,
    unit: 'quantiles',
    series: QUANTILES.map(({ key: quantile, ...style }) => ({
      ...style,
      kind: 'line',
      values: points.map((point) => point[field]?.[quantile] ?? null),
    })),
    summary: peakText(
      points.map((point) => point[field]?.p95 ?? null),
      formatDuration,
      'Highest P95',
      empty,
    ),
    format: formatDuration,
    formatAxis: formatRoundDuration,
  });
  return [
    {
      key: 'requests',
      title: 'Requests and errors',
      unit: 'calls',
      series: [
        { label: 'Requests', kind: 'bars', token: 'chart-1', values: requests },
        { label: 'Errors', kind: 'bars', token: 'chart-critical', values: errors },
      ],
      summary:
        total === 0
          ? 'No calls in this range'
          : `${formatCount(total)} calls, ${formatCount(failed)} failed (${formatPercent(failed / total)} of all); ${peakText(requests, formatCount, 'most', '')}`,
      format: formatCount,
      formatAxis: formatCompact,
    },
    quantileChart('latency', 'Latency', 'durationMs', 'No finished calls in this range'),
    quantileChart('ttft', 'Time to first token', 'ttftMs', 'No streamed calls in this range'),
    {
      key: 'tokens',
      title: 'Tokens',
      unit: 'tokens',
      series: [
        { label: 'Input', kind: 'line', token: 'chart-1', values: points.map((point) => point.inputTokens) },
        { label: 'Output', kind: 'line', token: 'chart-2', values: points.map((point) => point.outputTokens), dash: [5, 3] },
      ],
      summary: peakText(
        points.map((point) => point.inputTokens),
        formatCount,
        'Most input',
        'No tokens in this range',
      ),
      format: formatCount,
      formatAxis: formatCompact,
    },
    {
      key: 'cost',
      title: 'Cost',
      unit: 'US dollars, priced calls',
      series: [{ label: 'Cost', kind: 'bars', token: 'chart-1', values: cost }],
      summary: peakText(cost, formatCost, 'Most', 'No priced calls in this range'),
      format: formatCost,
      formatAxis: formatUsdNumber,
    },
  ];
}
