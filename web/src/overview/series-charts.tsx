import { type ReactNode, useMemo } from 'react';
import type { MetricSeries } from '../api/schema.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { TimeSeries } from '../ui/time-series.tsx';
import { chartsOf } from './charts.ts';

interface SeriesChartsProps {
  readonly series: MetricSeries;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** As tall as the charts. */
export function SeriesChartsSkeleton(): ReactNode {
  return (
    <div className="grid gap-3 lg:grid-cols-6">
      {['requests', 'latency', 'ttft', 'tokens', 'cost'].map((key) => (
        <div key={key} className={`panel h-[251px] p-3 ${columnsOf(key)}`}>
          <div className="skeleton h-3 w-32" />
        </div>
      ))}
    </div>
  );
}

const columnsOf = (key: string): string => (key === 'requests' || key === 'latency' ? 'lg:col-span-3' : 'lg:col-span-3 xl:col-span-2');

export function SeriesCharts({ series, onZoom }: SeriesChartsProps): ReactNode {
  const { zone } = usePreferences();
  const at = useMemo(() => series.points.map((point) => point.at), [series]);
  const charts = useMemo(() => chartsOf(series, zone), [series, zone]);
  return (
    <div className="grid gap-3 lg:grid-cols-6">
      {charts.map(({ key, ...chart }) => (
        <div key={key} className={`min-w-0 ${columnsOf(key)}`}>
          <TimeSeries {...chart} at={at} stepMs={series.stepMs} onZoom={onZoom} />
        </div>
      ))}
    </div>
  );
}
