import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { CostBudget, CostBudgetList, CostForecast } from '../api/schema.ts';
import { approximateUsd, formatUsd, formatUsdNumber } from '../format/money.ts';
import { formatInteger, formatPercent, UNKNOWN } from '../format/number.ts';
import { formatDay, formatMinute, type TimeZone } from '../format/time.ts';
import { Meter } from '../ui/meter.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type State, StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeSeries } from '../ui/time-series.tsx';
import { TimeText } from '../ui/time-text.tsx';
import type { TabProps } from './controls.tsx';
import { budgetsQuery, forecastQuery } from './cost-queries.ts';
import { Tiles, Usd } from './tiles.tsx';

const DAY_MS = 86_400_000;

const STATES: Readonly<Record<CostBudget['state'], readonly [State, string]>> = {
  exceeded: ['critical', 'used up'],
  over: ['critical', 'will be used up'],
  at_risk: ['warning', 'may be used up'],
  within: ['ok', 'within'],
  unmeasured: ['unmeasured', 'unmeasured'],
};

export function BudgetsTab({ refetchInterval }: TabProps): ReactNode {
  const forecast = useQuery({ ...forecastQuery('feature'), refetchInterval });
  const budgets = useQuery({ ...budgetsQuery, refetchInterval });
  return (
    <div className="flex flex-col gap-3">
      <QueryState query={forecast} skeleton={<SkeletonRows count={6} />}>
        {(view) => <Month view={view} />}
      </QueryState>
      <h2 className="-mb-1 font-semibold">Budgets</h2>
      <QueryState query={budgets} skeleton={<SkeletonRows count={4} />}>
        {(list) => <Budgets list={list} />}
      </QueryState>
    </div>
  );
}

function intervalText(forecast: NonNullable<CostForecast['total']['forecast']>): string {
  const { lowPicoUsd, highPicoUsd, coverage, samples } = forecast;
  return `${formatUsd(lowPicoUsd)}–${formatUsd(highPicoUsd)} (${coverage * 100} %, ${samples} past forecasts)`;
}

function Month({ view }: { view: CostForecast }): ReactNode {
  const { total, days, from, to } = view;
  const { forecast } = total;
  const month = new Date(from).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
  const daysOfMonth = Math.round((to - from) / DAY_MS);
  const all = Array.from({ length: daysOfMonth }, (_, day) => from + day * DAY_MS);
  const left = daysOfMonth - days.length + 1;
  const perDay =
    forecast === null ? null : (approximateUsd(forecast.expectedPicoUsd) - approximateUsd(total.spentPicoUsd)) / Math.max(1, left);
  const summary =
    forecast === null
      ? `${formatUsd(total.spentPicoUsd)} so far; no forecast: ${total.unmeasured}`
      : `${formatUsd(total.spentPicoUsd)} so far, ${formatUsd(forecast.expectedPicoUsd)} expected by the end of ${month}`;
  return (
    <>
      <Tiles
        tiles={[
          { name: `${month} so far (UTC)`, value: <Usd picoUsd={total.spentPicoUsd} />, detail: `${days.length} of ${daysOfMonth} days` },
          {
            name: 'Forecast for the month',
            value:
              forecast === null ? <span className="text-base text-ink-3">unmeasured</span> : <Usd picoUsd={forecast.expectedPicoUsd} />,
            detail: forecast === null ? total.unmeasured : intervalText(forecast),
          },
          { name: 'Month before', value: <Usd picoUsd={total.lastMonthPicoUsd} />, detail: 'as far as the last 56 days reach' },
        ]}
      />
      <TimeSeries
        title="Cost per day"
        unit="US dollars, UTC days"
        at={all}
        stepMs={DAY_MS}
        height={130}
        series={[
          {
            label: 'spent',
            kind: 'bars',
            token: 'chart-1',
            values: all.map((_, day) => (days[day] === undefined ? null : approximateUsd(days[day].spentPicoUsd))),
          },
          {
            label: 'mean of the days to come',
            kind: 'line',
            token: 'ink-3',
            dash: [4, 3],
            values: all.map((_, day) => (day >= days.length - 1 ? perDay : null)),
          },
        ]}
        summary={summary}
        format={(value) => (value === null ? UNKNOWN : formatUsdNumber(value))}
        formatAxis={formatUsdNumber}
        onZoom={() => undefined}
      />
      <Table
        caption="Forecast by feature"
        rows={view.groups}
        columns={MONTH_COLUMNS}
        rowKey={({ key }) => `feature ${key}`}
        empty="Nothing was spent in the last 56 days."
        minWidth={640}
      />
    </>
  );
}

const MONTH_COLUMNS: readonly Column<CostForecast['groups'][number]>[] = [
  {
    key: 'key',
    header: 'feature',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ key }) => key ?? <span className="text-ink-3">(none)</span>,
  },
  { key: 'spent', header: 'So far', isNumeric: true, cell: (row) => <Usd picoUsd={row.spentPicoUsd} /> },
  {
    key: 'forecast',
    header: 'Month',
    isNumeric: true,
    cell: ({ forecast, unmeasured }) =>
      forecast === null ? (
        <span className="text-ink-3" data-tip={unmeasured ?? undefined}>
          needs two weeks
        </span>
      ) : (
        <Usd picoUsd={forecast.expectedPicoUsd} />
      ),
  },
  {
    key: 'interval',
    header: '80 % interval',
    isNumeric: true,
    cell: ({ forecast }) => (forecast === null ? UNKNOWN : `${formatUsd(forecast.lowPicoUsd)}–${formatUsd(forecast.highPicoUsd)}`),
  },
  { key: 'last', header: 'Month before', isNumeric: true, cell: (row) => <Usd picoUsd={row.lastMonthPicoUsd} /> },
];

const dayAndMinute = (atMs: number, zone: TimeZone): string => `${formatDay(atMs, zone)} ${formatMinute(atMs, zone)}`;

const BUDGET_COLUMNS: readonly Column<CostBudget>[] = [
  {
    key: 'who',
    header: 'For',
    className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
    cell: ({ scope, name, feature, id, costOwner }) => (
      <span className="block max-w-56 truncate" data-tip={id}>
        <span className="text-ink-3">{scope}</span> <span className="font-medium">{name ?? (scope === 'global' ? '' : 'each')}</span>
        {feature !== null && <span className="text-ink-3"> in {feature}</span>}
        {costOwner !== null && <span className="block truncate text-xs text-ink-3">{costOwner}</span>}
      </span>
    ),
  },
  { key: 'state', header: 'State', cell: ({ state }) => <StateMark state={STATES[state][0]} word={STATES[state][1]} /> },
  {
    key: 'capacity',
    header: 'Budget',
    isNumeric: true,
    cell: ({ capacityPicoUsd, period }) => (
      <span>
        <Usd picoUsd={capacityPicoUsd} /> <span className="text-ink-3">/ {period}</span>
      </span>
    ),
  },
  {
    key: 'used',
    header: 'Used',
    className: 'w-52',
    cell: ({ usedRatio, elapsedRatio, state }) =>
      usedRatio === null ? (
        <span className="text-ink-3">{UNKNOWN}</span>
      ) : (
        <span className="flex items-center gap-2.5">
          <Meter
            label={`${formatPercent(usedRatio)} used, ${formatPercent(elapsedRatio)} of the time gone`}
            usedRatio={usedRatio}
            reservedRatio={0}
            marks={[elapsedRatio]}
            state={state === 'exceeded' ? 'exceeded' : state === 'over' || state === 'at_risk' ? 'near' : 'within'}
          />
          <span className="tabular w-14 shrink-0 text-right">{formatPercent(usedRatio)}</span>
        </span>
      ),
  },
  { key: 'amount', header: 'Spent', isNumeric: true, cell: ({ usedPicoUsd }) => <Usd picoUsd={usedPicoUsd} /> },
  {
    key: 'burn',
    header: 'Burn',
    isNumeric: true,
    tip: 'Share used ÷ share of the time gone: 1 = used up exactly at the end',
    cell: ({ burn }) => (burn === null ? UNKNOWN : burn.toFixed(2)),
  },
  {
    key: 'forecast',
    header: 'At the end',
    isNumeric: true,
    cell: ({ forecast, unmeasured }) =>
      forecast === null ? (
        <span className="text-ink-3" data-tip={unmeasured ?? undefined}>
          {unmeasured?.startsWith('needs two weeks') ? 'needs two weeks' : 'unmeasured'}
        </span>
      ) : (
        <span data-tip={`${formatUsd(forecast.lowPicoUsd)}–${formatUsd(forecast.highPicoUsd)}, ${forecast.samples} past forecasts`}>
          <Usd picoUsd={forecast.expectedPicoUsd} />
          <span className="block text-2xs text-ink-3">
            {formatUsd(forecast.lowPicoUsd)}–{formatUsd(forecast.highPicoUsd)}
          </span>
        </span>
      ),
  },
  {
    key: 'usedUp',
    header: 'Used up',
    tip: 'By the forecast; in brackets the earliest, by the high end of its interval',
    cell: ({ usedUpAt }) => {
      if (usedUpAt === null) return <span className="text-ink-3">{UNKNOWN}</span>;
      if (usedUpAt.expected !== null) return <TimeText at={usedUpAt.expected} format={dayAndMinute} />;
      if (usedUpAt.earliest === null) return <span className="text-ink-3">not in this period</span>;
      return (
        <span className="text-ink-3">
          not before <TimeText at={usedUpAt.earliest} format={dayAndMinute} />
        </span>
      );
    },
  },
  { key: 'end', header: 'Period ends', cell: ({ to }) => <TimeText at={to} format={dayAndMinute} /> },
];

function Budgets({ list }: { list: CostBudgetList }): ReactNode {
  if (list.total === 0) {
    const example =
      'limits:\n  - { scope: feature, name: customer-support, budgetUsd: 900, per: month, onExceed: alert }\n  - { scope: team, budgetUsd: 50, per: day }';
    return (
      <section className="panel flex flex-col items-start gap-3 p-6">
        <h3 className="text-base font-semibold">No budget is configured</h3>
        <p className="max-w-prose text-ink-2">A budget is a limit with budgetUsd in plimsoll.yaml; the file is loaded without a restart.</p>
        <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
      </section>
    );
  }
  return (
    <>
      <Table
        caption="Budgets"
        rows={list.budgets}
        columns={BUDGET_COLUMNS}
        rowKey={({ id, name }) => `${id}\n${name}`}
        empty=""
        minWidth={1120}
      />
      <p className="text-xs text-ink-3">
        {list.budgets.length < list.total ? `The ${formatInteger(list.budgets.length)} most used of ${formatInteger(list.total)}. ` : ''}
        Used is what the gateways have counted. The tick in the bar is the time that has gone. Intervals are made of the errors of past
        forecasts.
      </p>
    </>
  );
}
