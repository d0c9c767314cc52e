import { type ReactNode, useMemo } from 'react';
import type { MetricSeries } from '../api/schema.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { TimeSeries } from '../ui/time-series.tsx';
import { chartsOf } from './charts.ts';

interface SeriesChartsProps {
  readonly series: MetricSeries;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

export function SeriesCharts({ series, onZoom }: SeriesChartsProps): ReactNode {
  const { zone } = usePreferences();
  const at = useMemo(() => series.points.map((point) => point.at), [series]);
  const charts = useMemo(() => chartsOf(series, zone), [series, zone]);
  return (
    <div className="grid gap-3 lg:grid-cols-6">
      {charts.map(({ key, ...chart }) => (
        <div key={key} className={`min-w-0 ${key === 'requests' || key === 'latency' ? 'lg:col-span-3' : 'lg:col-span-3 xl:col-span-2'}`}>
          <TimeSeries {...chart} at={at} stepMs={series.stepMs} onZoom={onZoom} />
        </div>
      ))}
    </div>
  );
}
