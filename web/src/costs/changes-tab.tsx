import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import type { CostVariance } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatCount, formatPercent } from '../format/number.ts';
import { formatMoment } from '../format/time.ts';
import { type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { usePreferences } from '../shell/preferences.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ComparisonPicker, GroupPicker, type TabProps } from './controls.tsx';
import { varianceQuery } from './cost-queries.ts';
import { GROUP_WORDS } from './costs-search.ts';
import { Tiles, Usd } from './tiles.tsx';
import { EFFECTS, type Step, waterfallOf } from './waterfall.ts';

/** What changed between two ranges: yesterday against the same day last week, unless the reader chooses others. */
export function ChangesTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const isYesterday = search.range === undefined && search.from === undefined;
  const range = useMemo(() => (isYesterday ? null : rangeOf(search)), [isYesterday, search]);
  const { range: _range, from: _from, to: _to, ...rest } = search;
  const variance = useQuery({ ...varianceQuery(range, search), refetchInterval });
  const setRange = (next: Range): void => change({ ...rest, ...searchOf(next), ...(next.kind === 'preset' ? { range: next.preset } : {}) });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <button
          type="button"
          className={`button ${isYesterday ? 'border-accent font-semibold text-accent' : ''}`}
          aria-pressed={isYesterday}
          onClick={() => change(rest)}
        >
          Yesterday
        </button>
        <RangePicker
          range={range ?? { kind: 'custom', from: variance.data?.after.from ?? 0, to: variance.data?.after.to ?? 1 }}
          onChange={setRange}
        />
        <ComparisonPicker search={search} change={change} />
        <span className="sm:ml-auto">
          <GroupPicker search={search} change={change} />
        </span>
      </div>
      <QueryState query={variance} skeleton={<SkeletonRows count={10} />}>
        {(view) => <Changes view={view} />}
      </QueryState>
    </>
  );
}

function PeriodText({ period }: { period: CostVariance['before'] }): ReactNode {
  const { zone } = usePreferences();
  return (
    <>
      {formatMoment(period.from, zone).slice(0, -3)} – {formatMoment(period.to, zone).slice(0, -3)}
    </>
  );
}

function callsText({ calls, cachedCalls, unpricedCalls }: CostVariance['before']): string {
  const parts = [`${formatCount(calls)} calls`];
  if (cachedCalls > 0) parts.push(`${formatCount(cachedCalls)} from the cache`);
  if (unpricedCalls > 0) parts.push(`${formatCount(unpricedCalls)} unpriced`);
  return parts.join(', ');
}

function Changes({ view }: { view: CostVariance }): ReactNode {
  const { before, after, total } = view;
  if (before.calls === 0 && after.calls === 0)
    return <p className="panel px-3 py-6 text-center text-ink-3">No calls in either range. Choose ranges in which there was traffic.</p>;
  const was = BigInt(total.beforePicoUsd);
  const share = was === 0n ? null : Number((BigInt(total.differencePicoUsd) * 100_000n) / was) / 100_000;
  const isUp = BigInt(total.differencePicoUsd) > 0n;
  return (
    <div className="flex flex-col gap-3">
      <Tiles
        tiles={[
          { name: 'Before', value: <Usd picoUsd={total.beforePicoUsd} />, detail: callsText(before) },
          { name: 'After', value: <Usd picoUsd={total.afterPicoUsd} />, detail: callsText(after) },
          {
            name: 'Difference',
            value: <Usd picoUsd={total.differencePicoUsd} sign />,
            detail: share === null ? 'nothing was spent before' : `${isUp ? '+' : share < 0 ? '−' : ''}${formatPercent(Math.abs(share))}`,
          },
        ]}
      />
      <WaterfallPanel view={view} />
      <GroupTable view={view} />
      <p className="text-xs text-ink-3">
        Before: <PeriodText period={before} />. After: <PeriodText period={after} />. One cause after the other, each the money that it
        moves; rounded step by step, so that every line and the total add up to the last pico-dollar. Unpriced calls are in no sum.
      </p>
    </div>
  );
}

function WaterfallPanel({ view }: { view: CostVariance }): ReactNode {
  const { steps, cutAt } = waterfallOf(view.total);
  return (
    <section className="panel p-3" aria-label="From before to after">
      <h2 className="mb-1 font-semibold">From before to after</h2>
      <table className="w-full table-fixed">
        <caption className="sr-only">Each cause and the money that it moves</caption>
        <colgroup>
          <col className="w-28 sm:w-36" />
          <col className="w-24" />
          <col />
        </colgroup>
        <tbody>
          {steps.map((step) => (
            <WaterfallRow key={step.name} step={step} />
          ))}
        </tbody>
      </table>
      {cutAt !== null && <p className="mt-1 text-xs text-ink-3">The axis begins at {formatUsd(cutAt)}, not at $0.</p>}
    </section>
  );
}

function WaterfallRow({ step }: { step: Step }): ReactNode {
  const { name, tip, picoUsd, isTotal, from, to } = step;
  const isMore = BigInt(picoUsd) > 0n;
  const colour = isTotal ? 'bg-chart-1' : isMore ? 'bg-chart-critical' : 'bg-chart-2';
  const [left, width] = [Math.min(from, to) * 100, Math.abs(to - from) * 100];
  return (
    <tr className={isTotal ? 'font-semibold' : ''}>
      <th scope="row" className="h-6 truncate text-left font-[inherit]" data-tip={tip ?? undefined}>
        {name}
      </th>
      <td className="tabular pr-3 text-right">
        <Usd picoUsd={picoUsd} sign={!isTotal} />
      </td>
      <td aria-hidden="true">
        <span className="relative block h-3.5">
          {(isTotal || picoUsd !== '0') && (
            <span className={`absolute inset-y-0 rounded-[2px] ${colour}`} style={{ left: `${left}%`, width: `${width}%`, minWidth: 2 }} />
          )}
        </span>
      </td>
    </tr>
  );
}

type GroupLine = CostVariance['groups'][number] & { readonly isTotal?: boolean };

function GroupTable({ view }: { view: CostVariance }): ReactNode {
  const rows: GroupLine[] = [...view.groups.slice(0, 200), { key: null, isTotal: true, ...view.total }];
  const columns: Column<GroupLine>[] = [
    {
      key: 'key',
      header: GROUP_WORDS[view.groupBy],
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: ({ key, isTotal }) => (
        <span className={`block max-w-56 truncate ${isTotal ? 'font-semibold' : ''}`} data-tip={key ?? undefined}>
          {isTotal ? 'Total' : (key ?? <span className="text-ink-3">(none)</span>)}
        </span>
      ),
    },
    { key: 'before', header: 'Before', isNumeric: true, cell: (row) => <Usd picoUsd={row.beforePicoUsd} /> },
    { key: 'after', header: 'After', isNumeric: true, cell: (row) => <Usd picoUsd={row.afterPicoUsd} /> },
    {
      key: 'difference',
      header: 'Difference',
      isNumeric: true,
      cell: (row) => (
        <span className="font-semibold">
          <Usd picoUsd={row.differencePicoUsd} sign />
        </span>
      ),
    },
    ...EFFECTS.map(
      ([effect, name, tip]): Column<GroupLine> => ({
        key: effect,
        header: name,
        tip,
        isNumeric: true,
        cell: (row) => <Usd picoUsd={row.effects[effect]} sign />,
      }),
    ),
  ];
  return (
    <>
      <Table
        caption={`What changed by ${GROUP_WORDS[view.groupBy]}`}
        rows={rows}
        columns={columns}
        rowKey={({ key, isTotal }) => `${isTotal ? 'total' : 'group'} ${key}`}
        empty=""
        minWidth={1080}
      />
      {view.groups.length > 200 && (
        <p className="text-xs text-ink-3">The 200 largest changes of {formatCount(view.groups.length)}; the total is of all.</p>
      )}
    </>
  );
}
