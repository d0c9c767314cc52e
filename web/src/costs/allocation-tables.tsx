import type { ReactNode } from 'react';
import type { CostAllocation } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { type Column, Table } from '../ui/table.tsx';
import { Usd } from './tiles.tsx';

type Bearer = CostAllocation['teams'][number];
type Shared = CostAllocation['shared'][number];

const SPLIT_WORDS: Readonly<Record<Shared['split'], string>> = {
  even: 'the same for each team',
  spend: 'in proportion to own cost',
  requests: 'in proportion to own calls',
  fixed: 'fixed thousandths',
};

/** Who bears what, own and shared apart, and what was shared by which rule. */
export function AllocationTables({ allocation, team }: { allocation: CostAllocation; team?: string | undefined }): ReactNode {
  const rows = allocation.teams.filter((each) => team === undefined || each.team === team);
  return (
    <section className="grid gap-3 2xl:grid-cols-[3fr_2fr]" aria-label="Own and shared cost">
      <div className="flex min-w-0 flex-col gap-2">
        <h3 className="font-semibold">Who bears it</h3>
        <Table
          caption="Own and shared cost by team"
          rows={rows}
          columns={bearerColumns(allocation.shared)}
          rowKey={(row) => `team ${row.team}`}
          empty="No team has calls in this time."
          minWidth={420 + 110 * allocation.shared.length}
        />
      </div>
      <div className="flex min-w-0 flex-col gap-2">
        <h3 className="font-semibold">What is shared</h3>
        <Table
          caption="Shared costs and their rules"
          rows={allocation.shared}
          columns={SHARED_COLUMNS}
          rowKey={({ rule }) => rule}
          empty=""
          minWidth={560}
        />
      </div>
    </section>
  );
}

function bearerColumns(shared: readonly Shared[]): Column<Bearer>[] {
  return [
    {
      key: 'team',
      header: 'Team',
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: ({ team }) => team ?? <span className="text-ink-3">nobody</span>,
    },
    { key: 'own', header: 'Own', isNumeric: true, cell: (row) => <Usd picoUsd={row.ownPicoUsd} /> },
    ...shared.map(
      ({ rule, split }): Column<Bearer> => ({
        key: `rule ${rule}`,
        header: rule,
        tip: `Shared, ${SPLIT_WORDS[split]}`,
        isNumeric: true,
        cell: ({ shares }) => <Usd picoUsd={shares.find((share) => share.rule === rule)?.picoUsd ?? '0'} />,
      }),
    ),
    { key: 'shared', header: 'Shared', isNumeric: true, cell: (row) => <Usd picoUsd={row.sharedPicoUsd} /> },
    { key: 'total', header: 'Own and shared', isNumeric: true, cell: (row) => <Usd picoUsd={row.totalPicoUsd} /> },
  ];
}

const SHARED_COLUMNS: readonly Column<Shared>[] = [
  { key: 'rule', header: 'Shared cost', cell: ({ rule }) => rule },
  {
    key: 'source',
    header: 'Of',
    cell: ({ source, calls, unpricedCalls }) =>
      source === 'fee'
        ? 'a fee, on no call'
        : `${formatInteger(calls)} calls${unpricedCalls > 0 ? `, ${formatInteger(unpricedCalls)} unpriced` : ''}`,
  },
  { key: 'split', header: 'Split', cell: ({ split }) => SPLIT_WORDS[split] },
  {
    key: 'cost',
    header: 'Cost',
    isNumeric: true,
    cell: ({ picoUsd, borneByNobodyPicoUsd }) => (
      <span data-tip={borneByNobodyPicoUsd === '0' ? undefined : 'No team had anything to measure its share by: nobody bears it'}>
        <Usd picoUsd={picoUsd} />
        {borneByNobodyPicoUsd !== '0' && <span className="ml-1 text-xs text-warning">borne by nobody</span>}
      </span>
    ),
  },
];
