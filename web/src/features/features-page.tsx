import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { featuresQuery, loadLinesQuery, summaryQuery } from '../api/queries.ts';
import type { Feature, MetricRow } from '../api/schema.ts';
import { formatCount, formatDuration, formatPercent, UNKNOWN } from '../format/number.ts';
import type { Range } from '../range/range.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { CostSum } from '../ui/cost.tsx';
import type { Gauges } from '../ui/gauge.ts';
import { LoadLineGlyph, LoadLineHeader } from '../ui/load-line.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { gaugesIn } from './gauges.ts';
import { SwitchBanner, SwitchButtons, type Switches, SwitchMark, useSwitches } from './switches.tsx';

export const DAY: Range = { kind: 'preset', preset: '24h' };

interface FeatureLine {
  readonly feature: Feature;
  /** Null = no call in the last 24 hours, or not known yet. */
  readonly metrics: MetricRow | null;
  /** True once the numbers are known: then a feature without a row had no call. */
  readonly isRead: boolean;
  /** Null = not known yet. */
  readonly gauges: Gauges | null;
}

const none = <span className="text-ink-3">{UNKNOWN}</span>;

const COLUMNS: readonly Column<FeatureLine>[] = [
  {
    key: 'name',
    header: 'Feature',
    className: 'sticky left-0 z-2 bg-surface group-hover:bg-hover',
    cell: ({ feature }) => (
      <Link to="/features/$name" params={{ name: feature.name }} className="stretched font-medium whitespace-nowrap" data-row>
        {feature.name}
      </Link>
    ),
  },
  { key: 'state', header: 'State', cell: ({ feature }) => <SwitchMark feature={feature} /> },
  { key: 'load-line', header: <LoadLineHeader />, cell: ({ gauges }) => <LoadLineGlyph gauges={gauges} /> },
  {
    key: 'requests',
    header: 'Requests, 24 h',
    isNumeric: true,
    cell: ({ metrics, isRead }) => (isRead ? formatCount(metrics?.requests ?? 0) : none),
  },
  {
    key: 'errors',
    header: 'Errors',
    isNumeric: true,
    cell: ({ metrics }) => (metrics?.errorRate == null ? none : formatPercent(metrics.errorRate)),
  },
  {
    key: 'p95',
    header: 'P95',
    isNumeric: true,
    cell: ({ metrics }) => (metrics?.durationMs ? formatDuration(metrics.durationMs.p95) : none),
  },
  { key: 'cost', header: 'Cost', isNumeric: true, cell: ({ metrics }) => (metrics ? <CostSum sum={metrics} /> : none) },
  {
    key: 'owner',
    header: 'Owner',
    cell: ({ feature }) =>
      feature.owner === null ? <StateMark state="warning" word="no owner" /> : <span className="whitespace-nowrap">{feature.owner}</span>,
  },
  {
    key: 'route',
    header: 'Route',
    cell: ({ feature }) => (
      <span className="block max-w-36 truncate text-ink-2" data-tip={routeText(feature)}>
        {routeText(feature)}
      </span>
    ),
  },
  {
    key: 'warnings',
    header: 'Contract',
    cell: ({ feature }) =>
      feature.warnings.length === 0 ? (
        <StateMark state="ok" word="OK" />
      ) : (
        <span data-tip={feature.warnings.join(' · ')} className="relative z-1">
          <StateMark state="warning" word={`${feature.warnings.length} ${feature.warnings.length === 1 ? 'warning' : 'warnings'}`} />
        </span>
      ),
  },
];

function columnsOf(ask: Switches['ask']): readonly Column<FeatureLine>[] {
  const actions: Column<FeatureLine> = {
    key: 'actions',
    header: <span className="sr-only">Actions</span>,
    isNumeric: true,
    cell: ({ feature }) => <SwitchButtons feature={feature} ask={ask} isSmall />,
  };
  return [...COLUMNS, actions];
}

export function routeText(feature: Feature): string {
  return feature.targets.length === 0 ? feature.route : `${feature.route}: ${feature.targets.join(' → ')}`;
}

export function FeaturesPage(): ReactNode {
  const features = useQuery(featuresQuery);
  const summary = useQuery({ ...summaryQuery(DAY, 'feature'), refetchInterval: 30_000 });
  const loadLines = useQuery(loadLinesQuery(DAY));
  const switches = useSwitches();
  const metrics = new Map((summary.data?.groups ?? []).map((group) => [group.key, group]));
  return (
    <>
      <PageHeader title="Features" />
      {switches.view}
      <QueryState query={features} skeleton={<SkeletonRows count={7} height={36} />}>
        {(list) =>
          list.length === 0 ? (
            <NoFeatures />
          ) : (
            <div className="flex flex-col gap-3">
              {list.map((feature) => feature.switch && <SwitchBanner key={feature.name} active={feature.switch} isNamed />)}
              <Table
                caption="Features"
                rows={list.map((feature) => ({
                  feature,
                  metrics: metrics.get(feature.name) ?? null,
                  isRead: summary.isSuccess,
                  gauges: gaugesIn(loadLines.data, feature.name),
                }))}
                columns={columnsOf(switches.ask)}
                rowKey={(line) => line.feature.name}
                empty=""
                minWidth={1160}
              />
            </div>
          )
        }
      </QueryState>
    </>
  );
}

function NoFeatures(): ReactNode {
  const example = 'features:\n  customer-support:\n    owner: support-team\n    costOwner: finance@example.com\n    route: default';
  return (
    <section className="panel flex flex-col items-start gap-3 p-6">
      <h2 className="text-base font-semibold">No feature is configured</h2>
      <p className="max-w-prose text-ink-2">
        A feature is the unit that has an owner, a route and a budget. Add one to plimsoll.yaml; it is loaded without a restart.
      </p>
      <pre className="rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{example}</pre>
    </section>
  );
}
