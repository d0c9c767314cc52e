import type { ReactNode } from 'react';
import type { MetricRow } from '../api/schema.ts';
import { costPerRequest, costSumText, formatUsd } from '../format/money.ts';
import { formatCount, formatDuration, formatInteger, formatPercent, formatPercentInterval, splitUnit, UNKNOWN } from '../format/number.ts';

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly detail: ReactNode;
  readonly tip?: string;
  readonly isUnknown?: boolean;
  /** The last tile fills the row that seven leave open. */
  readonly isLast?: boolean;
}

function Tile({ label, value, unit, detail, tip, isUnknown = value === UNKNOWN, isLast = false }: TileProps): ReactNode {
  return (
    <div className={`-mt-px -ml-px min-w-0 border-t border-l px-3.5 py-2.5 ${isLast ? 'col-span-2 xl:col-span-1' : ''}`} data-tip={tip}>
      <dt className="label truncate">{label}</dt>
      <dd className="tabular mt-0.5">
        <span className={`text-xl font-semibold tracking-tight whitespace-nowrap ${isUnknown ? 'text-ink-3' : ''}`}>
          {value}
          {unit && <span className="ml-1 text-sm font-normal tracking-normal text-ink-3">{unit}</span>}
        </span>
        <span className="block truncate text-xs text-ink-3">{detail}</span>
      </dd>
    </div>
  );
}

const quantileDetail = (quantiles: MetricRow['durationMs'], empty: string): string =>
  quantiles === null ? empty : `P50 ${formatDuration(quantiles.p50)} · P99 ${formatDuration(quantiles.p99)}`;

/** The numbers of all calls in the range. */
export function Tiles({ row }: { row: MetricRow }): ReactNode {
  const finished = row.requests - row.aborted;
  const cost = costSumText(row);
  const perCall = costPerRequest(row);
  return (
    <dl className="panel grid grid-cols-2 overflow-hidden sm:grid-cols-4 xl:grid-cols-7">
      <Tile
        label="Requests"
        value={formatCount(row.requests)}
        detail={`${formatInteger(row.errors)} failed · ${formatInteger(row.aborted)} aborted`}
        tip={`${formatInteger(row.requests)} calls to /v1`}
      />
      <Tile
        label="Error rate"
        {...splitUnit(formatPercent(row.errorRate))}
        detail={
          row.errorRateInterval ? `${formatPercentInterval(row.errorRateInterval)} · n = ${formatCount(finished)}` : 'no finished call'
        }
        tip="Failed calls of those that were not aborted, with the 95 % Wilson interval and the number of calls."
      />
      <Tile
        label="Latency P95"
        {...splitUnit(formatDuration(row.durationMs?.p95 ?? null))}
        detail={quantileDetail(row.durationMs, 'no finished call')}
        tip="Time from the request to the last byte."
      />
      <Tile
        label="First token P95"
        {...splitUnit(formatDuration(row.ttftMs?.p95 ?? null))}
        detail={quantileDetail(row.ttftMs, 'no streamed call')}
        tip="Time from the request to the first content."
      />
      <Tile
        label="Output speed"
        value={row.outputTokensPerSecond === null ? UNKNOWN : formatCount(Math.round(row.outputTokensPerSecond * 10) / 10)}
        unit={row.outputTokensPerSecond === null ? '' : 'tokens/s'}
        detail="while generating"
        tip="Output tokens of successful calls over their generation time."
      />
      <Tile
        label="Tokens"
        value={formatCount(row.inputTokens + row.outputTokens)}
        detail={`${formatCount(row.inputTokens)} in · ${formatCount(row.outputTokens)} out`}
        tip={`${formatInteger(row.inputTokens)} input and ${formatInteger(row.outputTokens)} output tokens`}
      />
      <Tile
        label="Cost"
        isLast
        value={cost.text}
        isUnknown={cost.isUnpriced}
        detail={cost.note ?? (perCall === null ? 'no priced call' : `${formatUsd(perCall)} per call`)}
        tip={cost.explanation}
      />
    </dl>
  );
}

export function TilesSkeleton(): ReactNode {
  return (
    <div className="panel grid grid-cols-2 sm:grid-cols-4 xl:grid-cols-7">
      {Array.from({ length: 7 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={index} className="flex h-[85px] flex-col gap-2.5 px-3.5 py-3">
          <div className="skeleton h-3 w-16" />
          <div className="skeleton h-5 w-24" />
          <div className="skeleton h-3 w-28 max-w-full" />
        </div>
      ))}
    </div>
  );
}
