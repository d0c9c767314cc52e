import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { featuresQuery, loadLinesQuery, seriesQuery, summaryQuery } from '../api/queries.ts';
import type { Feature, MetricRow } from '../api/schema.ts';
import { SeriesCharts, SeriesChartsSkeleton } from '../overview/series-charts.tsx';
import { Tiles, TilesSkeleton } from '../overview/tiles.tsx';
import { parseRangeSearch, type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { useTitle } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { LoadLinePanel } from '../ui/load-line.tsx';
import { QueryState } from '../ui/query-state.tsx';
import { StateShape } from '../ui/state-mark.tsx';
import { gaugesOf } from './gauges.ts';
import { KpiPanel } from './kpi-panel.tsx';
import { LineTable } from './line-table.tsx';
import { SwitchBanner, SwitchButtons, useSwitches } from './switches.tsx';

const route = getRouteApi('/shell/features/$name');

export function FeaturePage(): ReactNode {
  const { name } = route.useParams();
  const search = useParsedSearch(route.useSearch(), parseRangeSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setRange = (next: Range): void => void navigate({ search: searchOf(next) });
  const refetchInterval = useRefreshMs(range);
  const features = useQuery(featuresQuery);
  const summary = useQuery({ ...summaryQuery(range, 'feature'), refetchInterval });
  const series = useQuery({ ...seriesQuery(range, { feature: name }), refetchInterval });
  const loadLines = useQuery(loadLinesQuery(range, name));
  useTitle(name);
  const switches = useSwitches();
  const feature = features.data?.find((each) => each.name === name);
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="mr-auto min-w-0">
          <nav aria-label="Breadcrumb" className="text-xs text-ink-3">
            <Link to="/features" className="hover:underline">
              Features
            </Link>
          </nav>
          <h1 className="truncate text-lg font-semibold tracking-tight">{name}</h1>
        </div>
        {feature && <SwitchButtons feature={feature} ask={switches.ask} />}
        <Link to="/traces" search={{ ...searchOf(range), feature: name }} className="button">
          Traces
        </Link>
        <RefreshPicker range={range} updatedAt={summary.dataUpdatedAt} />
        <RangePicker range={range} onChange={setRange} />
      </header>
      {switches.view}
      {feature?.switch && <SwitchBanner active={feature.switch} />}
      {feature && <Contract feature={feature} />}
      {features.isSuccess && !feature && (
        <p className="rounded-md bg-warning-soft px-3.5 py-2">This feature is not in the configuration; its calls carry the name.</p>
      )}
      <QueryState query={loadLines} skeleton={<div className="panel h-20" />}>
        {(found) => {
          const lines = found.find((each) => each.feature === name)?.lines ?? [];
          const gauges = gaugesOf(lines);
          return (
            <>
              <LoadLinePanel gauges={gauges} />
              <KpiPanel name={name} feature={feature ?? null} range={range} quality={gauges.quality} />
              {lines.length > 0 && <LineTable lines={lines} />}
            </>
          );
        }}
      </QueryState>
      <QueryState query={summary} skeleton={<TilesSkeleton />}>
        {(data) => {
          const metrics = data.groups.find((group) => group.key === name) ?? null;
          return <Tiles row={metrics ?? NO_CALLS} />;
        }}
      </QueryState>
      <QueryState query={series} skeleton={<SeriesChartsSkeleton />}>
        {(data) => <SeriesCharts series={data} onZoom={(from, to) => setRange({ kind: 'custom', from, to })} />}
      </QueryState>
    </div>
  );
}

/** A feature without a group had no call: its counts are known zeros, the rest is not known. */
const NO_CALLS: MetricRow = {
  requests: 0,
  errors: 0,
  aborted: 0,
  errorRate: null,
  errorRateInterval: null,
  inputTokens: 0,
  outputTokens: 0,
  costPicoUsd: '0',
  unpricedRequests: 0,
  estimatedCostRequests: 0,
  durationMs: null,
  ttftMs: null,
  outputTokensPerSecond: null,
};

function Contract({ feature }: { feature: Feature }): ReactNode {
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Owner', feature.owner ?? <Missing key="owner">no owner</Missing>],
    ['Cost owner', feature.costOwner ?? <Missing key="cost-owner">no cost owner</Missing>],
    ['Route', feature.route],
    ['Targets', feature.targets.join(' → ')],
    ['Texts recorded', feature.payloads],
    ['Keys', String(feature.keyCount)],
  ];
  return (
    <>
      <dl className="panel flex flex-wrap gap-x-8 gap-y-2 px-4 py-2.5">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="label">{name}</dt>
            <dd className="font-medium break-words">{value}</dd>
          </div>
        ))}
      </dl>
      {feature.warnings.length > 0 && (
        <ul className="flex flex-col gap-1 rounded-md bg-warning-soft px-3.5 py-2">
          {feature.warnings.map((warning) => (
            <li key={warning} className="flex items-baseline gap-2">
              <StateShape state="warning" label="Warning" />
              {warning}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Missing({ children }: { children: ReactNode }): ReactNode {
  return <span className="font-normal text-ink-3 italic">{children}</span>;
}
