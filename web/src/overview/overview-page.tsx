import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { featuresQuery, loadLinesQuery, seriesQuery, summaryQuery } from '../api/queries.ts';
import type { Feature, MetricRow, MetricSummary } from '../api/schema.ts';
import { gaugesIn } from '../features/gauges.ts';
import { parseRangeSearch, type Range, rangeOf, searchOf } from '../range/range.ts';
import { RangePicker } from '../range/range-picker.tsx';
import { RefreshPicker, useRefreshMs } from '../range/refresh-picker.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { LoadLineGlyph, LoadLineHeader } from '../ui/load-line.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { FirstCall } from './first-call.tsx';
import { metricColumns } from './metric-columns.tsx';
import { SeriesCharts, SeriesChartsSkeleton } from './series-charts.tsx';
import { Tiles, TilesSkeleton } from './tiles.tsx';

const route = getRouteApi('/shell/');

export function OverviewPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseRangeSearch);
  const navigate = route.useNavigate();
  const range = useMemo(() => rangeOf(search), [search]);
  const setRange = (next: Range): void => void navigate({ search: searchOf(next) });
  const refetchInterval = useRefreshMs(range);
  const byFeature = useQuery({ ...summaryQuery(range, 'feature'), refetchInterval });
  const isEmpty = byFeature.data?.total.requests === 0;
  return (
    <>
      <PageHeader title="Overview">
        <RefreshPicker range={range} updatedAt={byFeature.dataUpdatedAt} />
        <RangePicker range={range} onChange={setRange} />
      </PageHeader>
      <QueryState query={byFeature} skeleton={<OverviewSkeleton />}>
        {(summary) => (
          <div className="flex flex-col gap-3">
            <Tiles row={summary.total} />
            {isEmpty ? <FirstCall /> : <FeatureTable range={range} summary={summary} refetchInterval={refetchInterval} />}
            {!isEmpty && (
              <>
                <Charts range={range} refetchInterval={refetchInterval} onZoom={(from, to) => setRange({ kind: 'custom', from, to })} />
                <ModelTable range={range} refetchInterval={refetchInterval} />
              </>
            )}
          </div>
        )}
      </QueryState>
    </>
  );
}

function OverviewSkeleton(): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      <TilesSkeleton />
      <SkeletonRows count={6} height={36} />
      <SeriesChartsSkeleton />
    </div>
  );
}

interface FeatureLine {
  readonly name: string | null;
  readonly feature: Feature | null;
  readonly metrics: MetricRow | null;
}

/** Configured features and those only seen in calls, most used first. */
function featureLines(features: readonly Feature[], summary: MetricSummary): FeatureLine[] {
  const metrics = new Map(summary.groups.map((group) => [group.key, group]));
  const configured = new Set<string | null>(features.map((feature) => feature.name));
  const lines: FeatureLine[] = features.map((feature) => ({ name: feature.name, feature, metrics: metrics.get(feature.name) ?? null }));
  for (const group of summary.groups) if (!configured.has(group.key)) lines.push({ name: group.key, feature: null, metrics: group });
  return lines.sort((a, b) => (b.metrics?.requests ?? 0) - (a.metrics?.requests ?? 0));
}

interface FeatureTableProps {
  readonly range: Range;
  readonly summary: MetricSummary;
  readonly refetchInterval: number | false;
}

function FeatureTable({ range, summary, refetchInterval }: FeatureTableProps): ReactNode {
  const loadLines = useQuery(loadLinesQuery(range));
  const features = useQuery({ ...featuresQuery, refetchInterval });
  const columns: Column<FeatureLine>[] = [
    {
      key: 'feature',
      header: 'Feature',
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: ({ name }) =>
        name === null ? (
          <span className="text-ink-3 italic">no feature</span>
        ) : (
          <Link to="/features/$name" params={{ name }} className="font-medium whitespace-nowrap hover:underline" data-row>
            {name}
          </Link>
        ),
    },
    { key: 'load-line', header: <LoadLineHeader />, cell: ({ name }) => <LoadLineGlyph gauges={gaugesIn(loadLines.data, name)} /> },
    ...metricColumns<FeatureLine>((line) => line.metrics),
  ];
  return (
    <Table
      caption="By feature"
      rows={featureLines(features.data ?? [], summary)}
      columns={columns}
      rowKey={(line) => line.name ?? ''}
      empty="No feature had a call in this range."
      minWidth={980}
    />
  );
}

interface ChartsProps {
  readonly range: Range;
  readonly refetchInterval: number | false;
  readonly onZoom: (from: number, to: number) => void;
}

function Charts({ range, refetchInterval, onZoom }: ChartsProps): ReactNode {
  const series = useQuery({ ...seriesQuery(range), refetchInterval });
  return (
    <QueryState query={series} skeleton={<SeriesChartsSkeleton />}>
      {(data) => <SeriesCharts series={data} onZoom={onZoom} />}
    </QueryState>
  );
}

function ModelTable({ range, refetchInterval }: { range: Range; refetchInterval: number | false }): ReactNode {
  const byModel = useQuery({ ...summaryQuery(range, 'model'), refetchInterval });
  const search = searchOf(range);
  return (
    <QueryState query={byModel} skeleton={<SkeletonRows count={5} />}>
      {(summary) => (
        <Table
          caption="By model"
          rows={summary.groups}
          rowKey={(row) => row.key ?? ''}
          empty="No model was called in this range."
          minWidth={900}
          columns={[
            {
              key: 'model',
              header: 'Model',
              className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
              cell: ({ key }) =>
                key === null ? (
                  <span className="text-ink-3 italic">no model answered</span>
                ) : (
                  <Link to="/traces" search={{ ...search, model: key }} className="font-medium whitespace-nowrap hover:underline" data-row>
                    {key}
                  </Link>
                ),
            },
            ...metricColumns<(typeof summary.groups)[number]>((row) => row),
          ]}
        />
      )}
    </QueryState>
  );
}
