import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ContextWaste } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatCount, formatInteger, formatPercent, formatPercentInterval } from '../format/number.ts';
import type { Range } from '../range/range.ts';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { contextWasteQuery } from './cost-queries.ts';
import { Tiles, Usd } from './tiles.tsx';

type Line = ContextWaste['total'];
type Estimate = Line['unread'];

/** What input was paid for in vain, estimated from the texts of a sample of calls. */
export function ContextPanel({ range }: { range: Range }): ReactNode {
  const context = useQuery(contextWasteQuery(range));
  return (
    <section className="mt-4 flex flex-col gap-3" aria-labelledby="context">
      <h2 id="context" className="-mb-1 font-semibold">
        Input paid in vain <span className="font-normal text-ink-3">(estimates from recorded texts)</span>
      </h2>
      <QueryState query={context} skeleton={<SkeletonRows count={5} />}>
        {(view) => <Estimates view={view} />}
      </QueryState>
    </section>
  );
}

function Estimates({ view }: { view: ContextWaste }): ReactNode {
  const { total, sampledCalls, withoutTexts } = view;
  return (
    <>
      <Tiles
        tiles={[
          { name: 'Cost of input', value: <Usd picoUsd={total.inputPicoUsd} />, detail: 'exact' },
          { name: 'Context without a trace', value: <Amount estimate={total.unread} />, detail: <Detail estimate={total.unread} /> },
          { name: 'Sent again, not cached', value: <Amount estimate={total.resent} />, detail: <Detail estimate={total.resent} /> },
        ]}
      />
      <Table
        caption="Input paid in vain, by feature"
        rows={view.features}
        columns={COLUMNS}
        rowKey={({ feature }) => feature}
        empty="No priced calls in this range."
        minWidth={860}
      />
      <p className="max-w-prose text-xs text-ink-3">
        Measured on {formatInteger(sampledCalls)} calls of stretches of five minutes, drawn at random
        {withoutTexts > 0 && `; the texts of ${formatInteger(withoutTexts)} of them are not recorded whole`}. A passage or tool result
        counts as read when the answer shares words with it that are not in the question; an answer in other words counts it as unread, so
        this is an upper bound. Sent again is what a call of the same model had begun with in the five minutes before, at the price of
        cached input, less what writing the cache costs.
      </p>
    </>
  );
}

function Amount({ estimate }: { estimate: Estimate }): ReactNode {
  if (estimate.picoUsd === null) return <StateMark state="unmeasured" word={<span className="text-base font-medium">unmeasured</span>} />;
  return (
    <span>
      <span className="text-ink-3">≈ </span>
      <Usd picoUsd={estimate.picoUsd} />
    </span>
  );
}

function rangeText({ intervalPicoUsd }: Estimate): string {
  return intervalPicoUsd === null ? '' : `${formatUsd(intervalPicoUsd[0] ?? '0')} to ${formatUsd(intervalPicoUsd[1] ?? '0')}`;
}

function Detail({ estimate }: { estimate: Estimate }): ReactNode {
  if (estimate.unmeasured !== null) return <span data-tip={estimate.unmeasured}>{estimate.unmeasured}</span>;
  const text = `${rangeText(estimate)}, n = ${formatCount(estimate.calls)}`;
  return <span data-tip={`95 % interval, from ${formatInteger(estimate.windows)} stretches of five minutes: ${text}`}>{text}</span>;
}

function interval({ interval: found }: Estimate): readonly [number, number] | null {
  return found === null ? null : [found[0] ?? 0, found[1] ?? 0];
}

function estimateColumns(name: 'unread' | 'resent', header: string, tip: string): Column<ContextWaste['features'][number]>[] {
  return [
    {
      key: name,
      header,
      tip,
      isNumeric: true,
      cell: (row) =>
        row[name].picoUsd === null ? (
          <span className="text-ink-3" data-tip={row[name].unmeasured ?? undefined}>
            unmeasured
          </span>
        ) : (
          <span data-tip={`95 % interval ${rangeText(row[name])}`}>
            ≈ <Usd picoUsd={row[name].picoUsd} />
          </span>
        ),
    },
    {
      key: `${name} share`,
      header: 'of the input',
      tip: 'With its 95 % interval and the calls it was measured on',
      isNumeric: true,
      cell: (row) =>
        row[name].ratio === null ? (
          <span className="text-xs text-ink-3">n = {formatInteger(row[name].calls)}</span>
        ) : (
          <>
            {formatPercent(row[name].ratio)}{' '}
            <span className="text-xs text-ink-3">
              {formatPercentInterval(interval(row[name]))}, n = {formatInteger(row[name].calls)}
            </span>
          </>
        ),
    },
  ];
}

const COLUMNS: readonly Column<ContextWaste['features'][number]>[] = [
  { key: 'feature', header: 'feature', className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover', cell: ({ feature }) => feature },
  { key: 'input', header: 'Cost of input', isNumeric: true, cell: (row) => <Usd picoUsd={row.inputPicoUsd} /> },
  ...estimateColumns('unread', 'Without a trace', 'Passages and tool results that the answer shows no trace of: an upper bound'),
  ...estimateColumns('resent', 'Sent again', 'What a prompt cache would have saved, less what writing it costs'),
];
