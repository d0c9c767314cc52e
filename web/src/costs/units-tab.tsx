import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import type { CostEconomics, OutcomeEconomics } from '../api/schema.ts';
import { formatCount, formatInteger, formatPercent, formatPercentInterval } from '../format/number.ts';
import { type Range, rangeOf, resolveRange, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { AllocationTables } from './allocation-tables.tsx';
import { GroupPicker, type TabProps } from './controls.tsx';
import { economicsQuery, outcomesQuery } from './cost-queries.ts';
import { GROUP_WORDS } from './costs-search.ts';
import { Tiles, Usd } from './tiles.tsx';

type Row = CostEconomics['groups'][number];
type Outcome = OutcomeEconomics['outcomes'][number];

export function UnitsTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const range = useMemo(() => rangeOf(search), [search]);
  const { range: _range, from: _from, to: _to, ...rest } = search;
  const economics = useQuery({ ...economicsQuery(range, search), refetchInterval });
  const outcomes = useQuery({ ...outcomesQuery(range), refetchInterval });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <RangePicker range={range} onChange={(next: Range) => change({ ...rest, ...searchOf(next) })} />
        <FocusLinks range={range} />
        <span className="sm:ml-auto">
          <GroupPicker search={search} change={change} />
        </span>
      </div>
      <div className="flex flex-col gap-3">
        <QueryState query={economics} skeleton={<SkeletonRows count={8} />}>
          {(view) => <Units view={view} />}
        </QueryState>
        <QueryState query={outcomes} skeleton={<SkeletonRows count={2} />}>
          {(view) => <Outcomes outcomes={view.outcomes} />}
        </QueryState>
      </div>
    </>
  );
}

/** The charges of the range as a file for FinOps tools. */
function FocusLinks({ range }: { range: Range }): ReactNode {
  const { from, to } = resolveRange(range, Date.now());
  return (
    <span className="flex items-center gap-2">
      {(['csv', 'parquet'] as const).map((format) => (
        <a
          key={format}
          className="button"
          href={`/api/v1/costs/focus?from=${from}&to=${to}&format=${format}`}
          download
          data-tip="Charges by day in the FinOps Open Cost and Usage Specification. The command line also writes a row for each attempt, with its trace."
        >
          FOCUS {format === 'csv' ? 'CSV' : 'Parquet'}
        </a>
      ))}
    </span>
  );
}

function Units({ view }: { view: CostEconomics }): ReactNode {
  const { total, unallocated } = view;
  if (total.calls === 0) return <p className="panel px-3 py-6 text-center text-ink-3">No calls in this range.</p>;
  const without = Object.entries(unallocated).map(([name, { ratio }]) => `${name} ${formatPercent(ratio)}`);
  return (
    <>
      <Tiles
        tiles={[
          {
            name: 'Cost',
            value: <Usd picoUsd={total.costPicoUsd} />,
            detail: `${formatCount(total.calls)} calls${total.unpricedCalls > 0 ? `, ${formatInteger(total.unpricedCalls)} unpriced` : ''}`,
          },
          { name: 'Per request', value: <Usd picoUsd={total.perCallPicoUsd} />, detail: 'priced calls' },
          { name: 'Per user', value: <Usd picoUsd={total.perUserPicoUsd} />, detail: `${formatCount(total.users)} users named` },
          {
            name: 'Per conversation',
            value: <Usd picoUsd={total.perSessionPicoUsd} />,
            detail: `${formatCount(total.sessions)} sessions named`,
          },
        ]}
      />
      <p className="text-xs text-ink-2">
        <span className="font-medium">Cost that belongs to nobody:</span> without {without.join(', ')}.
      </p>
      <Table
        caption={`Unit costs by ${GROUP_WORDS[view.groupBy]}`}
        rows={view.groups}
        columns={columnsOf(view)}
        rowKey={({ key }) => `group ${key}`}
        empty="No calls."
        minWidth={900}
      />
      {view.allocation !== null && <AllocationTables allocation={view.allocation} />}
    </>
  );
}

function columnsOf({ groupBy, total }: CostEconomics): Column<Row>[] {
  const share = (row: Row): number | null =>
    total.costPicoUsd === '0' ? null : Number((BigInt(row.costPicoUsd) * 100_000n) / BigInt(total.costPicoUsd)) / 100_000;
  return [
    {
      key: 'key',
      header: GROUP_WORDS[groupBy],
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: ({ key }) => (
        <span className="block max-w-64 truncate" data-tip={key ?? undefined}>
          {key ?? <span className="text-ink-3">(none)</span>}
        </span>
      ),
    },
    { key: 'calls', header: 'Calls', isNumeric: true, cell: (row) => formatInteger(row.calls) },
    { key: 'cost', header: 'Cost', isNumeric: true, cell: (row) => <Usd picoUsd={row.costPicoUsd} /> },
    { key: 'share', header: 'Share', isNumeric: true, cell: (row) => formatPercent(share(row)) },
    {
      key: 'unpriced',
      header: 'Unpriced',
      isNumeric: true,
      tip: 'Calls whose cost is not known: in no sum',
      cell: (row) => formatInteger(row.unpricedCalls),
    },
    { key: 'call', header: 'Per request', isNumeric: true, cell: (row) => <Usd picoUsd={row.perCallPicoUsd} /> },
    { key: 'users', header: 'Users', isNumeric: true, cell: (row) => formatInteger(row.users) },
    {
      key: 'user',
      header: 'Per user',
      isNumeric: true,
      tip: 'Cost of the calls that name a user',
      cell: (row) => <Usd picoUsd={row.perUserPicoUsd} />,
    },
    { key: 'sessions', header: 'Sessions', isNumeric: true, cell: (row) => formatInteger(row.sessions) },
    {
      key: 'session',
      header: 'Per conversation',
      isNumeric: true,
      tip: 'Cost of the calls that name a session',
      cell: (row) => <Usd picoUsd={row.perSessionPicoUsd} />,
    },
  ];
}

const OUTCOME_COLUMNS: readonly Column<Outcome>[] = [
  { key: 'feature', header: 'feature', cell: ({ feature }) => feature ?? <span className="text-ink-3">(unknown trace)</span> },
  { key: 'outcome', header: 'outcome', cell: ({ name, outcome, kpi }) => `${name ?? outcome}${kpi ? ' (KPI)' : ''}` },
  { key: 'reported', header: 'Reported', isNumeric: true, cell: (row) => formatInteger(row.reported) },
  {
    key: 'success',
    header: 'Success',
    isNumeric: true,
    tip: 'With its 95 % Wilson interval',
    cell: (row) =>
      row.successRatio === null ? 'unmeasured' : `${formatPercent(row.successRatio)} (${formatPercentInterval(row.interval)})`,
  },
  { key: 'cost', header: 'Cost of the feature', isNumeric: true, cell: (row) => <Usd picoUsd={row.costPicoUsd} /> },
  {
    key: 'per',
    header: 'Per successful outcome',
    isNumeric: true,
    tip: 'All that the feature cost, over the successes: calls that led to nothing are paid by those that led to something',
    cell: (row) => <Usd picoUsd={row.costPerSuccessPicoUsd} />,
  },
];

function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }): ReactNode {
  const isReported = outcomes.some(({ reported }) => reported > 0);
  return (
    <section className="flex flex-col gap-2" aria-labelledby="outcomes">
      <h2 id="outcomes" className="font-semibold">
        Per successful outcome
      </h2>
      {isReported ? (
        <Table
          caption="Cost per successful outcome"
          rows={outcomes}
          columns={OUTCOME_COLUMNS}
          rowKey={(row) => `${row.feature} ${row.outcome}`}
          empty=""
          minWidth={760}
        />
      ) : (
        <p className="panel flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 py-3">
          <StateMark state="unmeasured" word="unmeasured: no outcomes reported" />
          <span className="text-ink-2">
            Tell what calls led to with <code className="font-mono text-xs">POST /api/v1/outcomes</code>; then this shows what a success
            costs.
          </span>
        </p>
      )}
    </section>
  );
}
