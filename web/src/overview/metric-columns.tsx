import type { ReactNode } from 'react';
import type { MetricRow } from '../api/schema.ts';
import { formatCount, formatDuration, formatInteger, formatPercent, formatPercentInterval, UNKNOWN } from '../format/number.ts';
import { CostSum } from '../ui/cost.tsx';
import type { Column } from '../ui/table.tsx';

function Quantile({ value }: { value: number | undefined }): ReactNode {
  return value === undefined ? <Unknown /> : formatDuration(value);
}
function Unknown(): ReactNode {
  return <span className="text-ink-3">{UNKNOWN}</span>;
}

/** Number columns shared by the tables of features and models. `rowOf` gives null for a row without calls. */
export function metricColumns<Row>(rowOf: (row: Row) => MetricRow | null): Column<Row>[] {
  const cell = (render: (metrics: MetricRow) => ReactNode) => (row: Row) => {
    const metrics = rowOf(row);
    return metrics === null ? <Unknown /> : render(metrics);
  };
  return [
    { key: 'requests', header: 'Requests', isNumeric: true, cell: (row) => formatCount(rowOf(row)?.requests ?? 0) },
    {
      key: 'errors',
      header: 'Errors',
      isNumeric: true,
      tip: 'Failed calls of those that were not aborted',
      cell: cell((row) =>
        row.errorRate === null ? (
          <Unknown />
        ) : (
          <span
            data-tip={`${formatInteger(row.errors)} of ${formatInteger(row.requests - row.aborted)}; 95 % interval ${formatPercentInterval(row.errorRateInterval)}`}
          >
            {formatPercent(row.errorRate)}
          </span>
        ),
      ),
    },
    { key: 'p50', header: 'P50', isNumeric: true, tip: 'Median latency', cell: cell((row) => <Quantile value={row.durationMs?.p50} />) },
    {
      key: 'p95',
      header: 'P95',
      isNumeric: true,
      tip: 'Latency that 95 % of calls stay under',
      cell: cell((row) => <Quantile value={row.durationMs?.p95} />),
    },
    {
      key: 'p99',
      header: 'P99',
      isNumeric: true,
      tip: 'Latency that 99 % of calls stay under',
      cell: cell((row) => <Quantile value={row.durationMs?.p99} />),
    },
    {
      key: 'ttft',
      header: 'TTFT P95',
      isNumeric: true,
      tip: 'Time to first token',
      cell: cell((row) => <Quantile value={row.ttftMs?.p95} />),
    },
    { key: 'in', header: 'Tokens in', isNumeric: true, cell: cell((row) => formatCount(row.inputTokens)) },
    { key: 'out', header: 'Tokens out', isNumeric: true, cell: cell((row) => formatCount(row.outputTokens)) },
    { key: 'cost', header: 'Cost', isNumeric: true, cell: cell((row) => <CostSum sum={row} />) },
  ];
}
