import type { ReactNode } from 'react';
import type { TargetRow } from '../api/schema.ts';
import { formatCount, formatDuration, formatInteger, formatPercent, formatPercentInterval, UNKNOWN } from '../format/number.ts';
import type { Column } from './table.tsx';

function Unmeasured(): ReactNode {
  return <span className="text-ink-3">unmeasured</span>;
}

/** Null = no attempt in the range: its count is a known zero, the rest is unmeasured. Undefined = not read yet. */
type MaybeRow = TargetRow | null | undefined;

function NotRead(): ReactNode {
  return <span className="text-ink-3">{UNKNOWN}</span>;
}

export function Attempts({ row }: { row: MaybeRow }): ReactNode {
  return row === undefined ? <NotRead /> : formatCount(row?.attempts ?? 0);
}

/** Share of failed attempts with its interval and what they failed of; unmeasured without a finished attempt. */
export function ErrorRate({ row }: { row: MaybeRow }): ReactNode {
  if (row === undefined) return <NotRead />;
  if (row === null || row.errorRate === null) return <Unmeasured />;
  const types = Object.entries(row.errorTypes)
    .sort(([, a], [, b]) => b - a)
    .map(([type, count]) => `${type} ${formatInteger(count)}`);
  const tip = `${formatInteger(row.errors)} of ${formatInteger(row.attempts - row.aborted)} attempts; 95 % interval ${formatPercentInterval(row.errorRateInterval)}`;
  return (
    <span data-tip={[tip, ...types].join('; ')} className="whitespace-nowrap">
      {formatPercent(row.errorRate)}
      <span className="ml-1.5 text-xs text-ink-3">{formatPercentInterval(row.errorRateInterval)}</span>
    </span>
  );
}

/** A quantile with the number of samples behind it on hover. */
export function Quantile({ row, of, at }: { row: MaybeRow; of: 'answer' | 'ttft'; at: 'p50' | 'p95' }): ReactNode {
  if (row === undefined) return <NotRead />;
  const ms = (of === 'answer' ? row?.durationMs : row?.ttftMs)?.[at];
  if (row === null || ms === undefined) return <Unmeasured />;
  const samples = of === 'answer' ? row.answered : row.ttftSamples;
  return (
    <span data-tip={`${of === 'answer' ? 'Answers' : 'First contents'}: n = ${formatInteger(samples)}, relative error at most 1 %`}>
      {formatDuration(ms)}
    </span>
  );
}

/** Numbers of attempts, shared by tables of targets. */
export function attemptColumns<Row>(rowOf: (row: Row) => MaybeRow): Column<Row>[] {
  return [
    {
      key: 'attempts',
      header: 'Attempts',
      isNumeric: true,
      tip: 'Tries at this target in the range; a call with a fallback is two',
      cell: (row) => <Attempts row={rowOf(row)} />,
    },
    { key: 'errors', header: 'Errors, 95 % interval', isNumeric: true, cell: (row) => <ErrorRate row={rowOf(row)} /> },
    {
      key: 'p50',
      header: 'P50',
      isNumeric: true,
      tip: 'Median time to the whole answer',
      cell: (row) => <Quantile row={rowOf(row)} of="answer" at="p50" />,
    },
    {
      key: 'p95',
      header: 'P95',
      isNumeric: true,
      tip: 'Time to the whole answer that 95 % stay under',
      cell: (row) => <Quantile row={rowOf(row)} of="answer" at="p95" />,
    },
    {
      key: 'n',
      header: 'n',
      isNumeric: true,
      tip: 'Answers behind P50 and P95',
      cell: (row) => {
        const of = rowOf(row);
        return <span className="text-ink-3">{of === undefined ? UNKNOWN : formatCount(of?.answered ?? 0)}</span>;
      },
    },
    {
      key: 'ttft',
      header: 'TTFT P95',
      isNumeric: true,
      tip: 'Time to the first content that 95 % stay under',
      cell: (row) => <Quantile row={rowOf(row)} of="ttft" at="p95" />,
    },
  ];
}
