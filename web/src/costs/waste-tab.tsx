import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import type { CostWaste } from '../api/schema.ts';
import { formatCount, formatInteger, formatPercent } from '../format/number.ts';
import { rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ContextPanel } from './context-panel.tsx';
import type { TabProps } from './controls.tsx';
import { wasteQuery } from './cost-queries.ts';
import { Tiles, Usd } from './tiles.tsx';

type FeatureLine = CostWaste['features'][number];
type Kind = CostWaste['waste']['kinds'][number]['kind'];

const KINDS: Readonly<Record<Kind, readonly [string, string]>> = {
  errors: ['Failed calls', 'All that calls cost which ended in an error'],
  aborted: ['Given up', 'All that calls cost whose client went away, or that were cut off'],
  retries: ['Failed attempts', 'Attempts that failed in calls that went well in the end'],
  hedges: ['Lost hedges', 'Second attempts that were slower, in calls that went well'],
};

export function WasteTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const range = useMemo(() => rangeOf(search), [search]);
  const { range: _range, from: _from, to: _to, ...rest } = search;
  const waste = useQuery({ ...wasteQuery(range), refetchInterval });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <RangePicker range={range} onChange={(next) => change({ ...rest, ...searchOf(next) })} />
      </div>
      <QueryState query={waste} skeleton={<SkeletonRows count={8} />}>
        {(view) => <Waste view={view} />}
      </QueryState>
      <ContextPanel range={range} />
    </>
  );
}

function Waste({ view }: { view: CostWaste }): ReactNode {
  const { waste, savings } = view;
  if (view.features.length === 0) return <p className="panel px-3 py-6 text-center text-ink-3">No priced calls in this range.</p>;
  return (
    <div className="flex flex-col gap-3">
      <h2 className="-mb-1 font-semibold">Paid for nothing</h2>
      <Tiles
        tiles={[
          { name: 'Wasted', value: <Usd picoUsd={waste.picoUsd} />, detail: `${formatPercent(waste.ratio)} of the cost` },
          ...waste.kinds.map(({ kind, picoUsd, calls, attempts }) => ({
            name: KINDS[kind][0],
            value: <Usd picoUsd={picoUsd} />,
            detail: `${formatCount(calls)} calls, ${formatCount(attempts)} paid attempts`,
          })),
        ]}
      />
      <h2 className="-mb-1 font-semibold">Saved</h2>
      <Tiles
        tiles={[
          {
            name: 'By the answer cache',
            value: <Usd picoUsd={savings.answerCache.picoUsd} />,
            detail: `${formatCount(savings.answerCache.calls)} answers given again${savings.answerCache.unpricedCalls > 0 ? `, ${formatInteger(savings.answerCache.unpricedCalls)} unpriced` : ''}`,
          },
          {
            name: 'By prompt caches',
            value: <Usd picoUsd={savings.promptCache.picoUsd} />,
            detail:
              savings.promptCache.unknownTokens > 0
                ? `without ${formatCount(savings.promptCache.unknownTokens)} tokens of unknown price`
                : 'against the same input, none of it cached',
          },
          {
            name: 'By routes (estimate)',
            value: <Usd picoUsd={savings.routing.picoUsd} />,
            detail: savings.routing.calls === 0 ? 'no route chose by cost' : `${formatCount(savings.routing.calls)} decisions`,
          },
        ]}
      />
      <Table
        caption="Waste and savings by feature"
        rows={view.features}
        columns={COLUMNS}
        rowKey={({ feature }) => feature}
        empty=""
        minWidth={980}
      />
      <p className="text-xs text-ink-3">
        A call that a provider refused (429) costs nothing and is not in it. Savings compare with what did not happen: of caches exactly, by
        the price of each call; of routes by their own estimate when they chose.
      </p>
    </div>
  );
}

const COLUMNS: readonly Column<FeatureLine>[] = [
  { key: 'feature', header: 'feature', className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover', cell: ({ feature }) => feature },
  { key: 'cost', header: 'Cost', isNumeric: true, cell: (row) => <Usd picoUsd={row.costPicoUsd} /> },
  { key: 'waste', header: 'Wasted', isNumeric: true, cell: (row) => <Usd picoUsd={row.waste.picoUsd} /> },
  { key: 'ratio', header: 'Share', isNumeric: true, cell: (row) => formatPercent(row.waste.ratio) },
  ...(['errors', 'aborted', 'retries', 'hedges'] as const).map(
    (kind): Column<FeatureLine> => ({
      key: kind,
      header: KINDS[kind][0],
      tip: KINDS[kind][1],
      isNumeric: true,
      cell: (row) => <Usd picoUsd={row.waste.kinds.find((each) => each.kind === kind)?.picoUsd ?? null} />,
    }),
  ),
  {
    key: 'answers',
    header: 'Answer cache',
    tip: 'Saved',
    isNumeric: true,
    cell: (row) => <Usd picoUsd={row.savings.answerCache.picoUsd} />,
  },
  {
    key: 'prompts',
    header: 'Prompt caches',
    tip: 'Saved',
    isNumeric: true,
    cell: (row) => <Usd picoUsd={row.savings.promptCache.picoUsd} />,
  },
  {
    key: 'routes',
    header: 'Routes',
    tip: 'Saved, by estimate',
    isNumeric: true,
    cell: (row) => <Usd picoUsd={row.savings.routing.picoUsd} />,
  },
];
