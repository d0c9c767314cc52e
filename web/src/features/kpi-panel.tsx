import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { outcomesQuery } from '../api/queries.ts';
import type { Feature, OutcomeRow } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatInteger, formatPercent, formatPercentInterval } from '../format/number.ts';
import type { Range } from '../range/range.ts';
import type { Gauge } from '../ui/gauge.ts';
import { QueryState } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { costMark, outcomeName, rateMark } from './kpi-text.ts';

interface KpiPanelProps {
  readonly name: string;
  /** Null = not in the configuration. */
  readonly feature: Feature | null;
  readonly range: Range;
  /** The quality gauge of the same range. */
  readonly quality: Gauge;
}

/** What a feature is for beside what it costs and how good it is. */
export function KpiPanel({ name, feature, range, quality }: KpiPanelProps): ReactNode {
  const outcomes = useQuery(outcomesQuery(range, name));
  return (
    <QueryState query={outcomes} skeleton={<div className="panel h-24" />}>
      {(rows) => {
        const main = rows.find(({ kpi }) => kpi) ?? null;
        const others = rows.filter((row) => row !== main && row.reported > 0);
        return (
          <section className="panel flex flex-col" aria-label="KPI, cost and quality">
            <dl className="grid grid-cols-1 sm:grid-cols-3">
              <Fact name={main === null ? 'KPI' : `KPI: ${outcomeName(main)}`}>
                {main === null ? <NoKpi hasFeature={feature !== null} /> : <Rate row={main} />}
              </Fact>
              <Fact name="Cost per successful outcome">
                {main === null ? <Unmeasured reason="needs a KPI" /> : <PerSuccess row={main} />}
              </Fact>
              <Fact name="Quality">
                {quality.kind === 'unmeasured' ? (
                  <Unmeasured reason={quality.reason} />
                ) : (
                  <>
                    <div className="tabular text-base font-medium">{quality.value}</div>
                    <div className="text-xs text-ink-3">{quality.what}, the worst of its lines</div>
                  </>
                )}
              </Fact>
            </dl>
            {others.length > 0 && (
              <p className="border-t px-4 py-2 text-xs text-ink-2">
                Other outcomes:{' '}
                {others.map((row) => `${outcomeName(row)} ${formatInteger(row.succeeded)} of ${formatInteger(row.reported)}`).join(' · ')}
              </p>
            )}
          </section>
        );
      }}
    </QueryState>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div className="-mt-px min-w-0 border-t px-4 py-3 sm:not-first:border-l">
      <dt className="label">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Unmeasured({ reason }: { reason: string }): ReactNode {
  return (
    <>
      <div className="text-base font-medium text-ink-2">unmeasured</div>
      <div className="text-xs text-ink-3">{reason}</div>
    </>
  );
}

function NoKpi({ hasFeature }: { hasFeature: boolean }): ReactNode {
  return (
    <Unmeasured reason={hasFeature ? 'name one in plimsoll.yaml: kpi: { outcome: resolved }' : 'the feature is not in the configuration'} />
  );
}

function Rate({ row }: { row: OutcomeRow }): ReactNode {
  if (row.successRatio === null) return <Unmeasured reason={`nobody reported ${row.outcome} in this range (POST /api/v1/outcomes)`} />;
  const mark = rateMark(row);
  return (
    <>
      <div className="tabular text-base font-medium">
        {formatPercent(row.successRatio)}{' '}
        <span className="text-xs font-normal text-ink-3">
          {formatPercentInterval(row.interval)}, {formatInteger(row.succeeded)} of {formatInteger(row.reported)}
        </span>
      </div>
      {mark !== null && row.targetRatio !== null && (
        <div className="text-xs">
          <StateMark {...mark} /> <span className="text-ink-3">target {formatPercent(row.targetRatio)}</span>
        </div>
      )}
    </>
  );
}

function PerSuccess({ row }: { row: OutcomeRow }): ReactNode {
  if (row.costPerSuccessPicoUsd === null) {
    const reason =
      row.unpricedCalls * 2 >= row.calls && row.calls > 0
        ? 'needs prices: most of its calls have none'
        : row.calls === 0
          ? 'no calls in this range'
          : 'no successful outcome in this range';
    return <Unmeasured reason={reason} />;
  }
  const mark = costMark(row);
  return (
    <>
      <div className="tabular text-base font-medium">
        {row.unpricedCalls > 0 && '≥ '}
        {formatUsd(row.costPerSuccessPicoUsd)}{' '}
        <span className="text-xs font-normal text-ink-3">
          {formatUsd(row.costPicoUsd)} over {formatInteger(row.succeeded)}
          {row.unpricedCalls > 0 && `, ${formatInteger(row.unpricedCalls)} calls unpriced`}
        </span>
      </div>
      <div className="text-xs text-ink-3">
        {mark !== null && <StateMark {...mark} />} {row.maxCostPicoUsd !== null && `at most ${formatUsd(row.maxCostPicoUsd)}`}
        {row.valued > 0 && ` · worth ${formatUsd(row.valuePicoUsd)} (${formatInteger(row.valued)} named a value)`}
      </div>
    </>
  );
}
