import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { formatRoundDuration } from '../format/number.ts';
import { formatMoment } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { chartOptions, type Series } from './chart.ts';
import { useMediaQuery } from './media-query.ts';

interface TimeSeriesProps {
  readonly title: string;
  readonly unit: string;
  /** Start of each step, epoch ms. */
  readonly at: readonly number[];
  readonly stepMs: number;
  readonly series: readonly Series[];
  /** One sentence that says what the picture shows. */
  readonly summary: string;
  readonly format: (value: number | null) => string;
  readonly formatAxis: (value: number) => string;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly height?: number;
}

const SYNC_KEY = 'time';

/** Every time chart of the dashboard: own legend, synced cursor, drag to zoom, a summary, and the same data as a table. */
export function TimeSeries(props: TimeSeriesProps): ReactNode {
  const { title, unit, at, stepMs, series, summary, format, height = 168 } = props;
  const titleId = useId();
  const summaryId = useId();
  const [isTable, setIsTable] = useState(false);
  const [index, setIndex] = useState<number | null>(null);
  const { zone } = usePreferences();
  const shownAt = index === null ? undefined : at[index];
  return (
    <figure className="panel flex min-w-0 flex-col p-3 pb-2" aria-labelledby={titleId} aria-describedby={summaryId}>
      <figcaption className="flex items-baseline gap-2">
        <h3 id={titleId} className="font-semibold">
          {title}
        </h3>
        <span className="text-xs text-ink-3">
          {unit}
          {stepMs > 0 && ` · ${formatRoundDuration(stepMs)} steps`}
        </span>
        <button
          type="button"
          className="button button-quiet button-small -my-1 ml-auto"
          aria-pressed={isTable}
          onClick={() => setIsTable(!isTable)}
        >
          {isTable ? 'Chart' : 'Table'}
          <span className="sr-only"> of {title}</span>
        </button>
      </figcaption>
      <p id={summaryId} className="truncate text-xs text-ink-2" data-tip={summary}>
        {summary}
      </p>
      <Legend series={series} index={index} format={format} moment={shownAt === undefined ? null : formatMoment(shownAt, zone)} />
      {isTable ? <SeriesTable {...props} height={height} /> : <Canvas {...props} height={height} onIndex={setIndex} />}
    </figure>
  );
}

interface LegendProps {
  readonly series: readonly Series[];
  readonly index: number | null;
  readonly format: (value: number | null) => string;
  readonly moment: string | null;
}

/** Stroke samples with the values under the cursor, in places of a fixed width. */
function Legend({ series, index, format, moment }: LegendProps): ReactNode {
  return (
    <div className="mt-1 flex h-5 items-center gap-3 overflow-hidden text-xs whitespace-nowrap text-ink-2">
      {series.map((each) => (
        <span key={each.label} className="inline-flex items-center gap-1.5">
          <svg viewBox="0 0 16 8" className="h-2 w-4" aria-hidden="true">
            {each.kind === 'bars' ? (
              <path d="M2 8V3h3v5ZM7 8V0h3v8ZM12 8V4h3v4Z" fill={`var(--${each.token})`} />
            ) : (
              <path
                d="M0 4h16"
                stroke={`var(--${each.token})`}
                strokeWidth={each.width ?? 1.5}
                {...(each.dash ? { strokeDasharray: '4 2.5' } : {})}
              />
            )}
          </svg>
          {each.label}
          {index !== null && <span className="tabular text-ink">{format(each.values[index] ?? null)}</span>}
        </span>
      ))}
      {moment !== null && <span className="tabular ml-auto hidden text-ink-3 min-[480px]:inline">{moment}</span>}
    </div>
  );
}

function Canvas(props: TimeSeriesProps & { height: number; onIndex: (index: number | null) => void }): ReactNode {
  const { title, summary, at, stepMs, series, height, formatAxis } = props;
  const placeRef = useRef<HTMLDivElement>(null);
  const chartRef = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [width, setWidth] = useState(0);
  const { zone, theme } = usePreferences();
  const isSystemDark = useMediaQuery('(prefers-color-scheme: dark)');
  const shape = series.map((each) => `${each.label}:${each.token}:${each.kind}`).join('|');

  useLayoutEffect(() => {
    const place = placeRef.current;
    if (!place) return;
    setWidth(place.clientWidth);
    const observer = new ResizeObserver(() => setWidth(place.clientWidth));
    observer.observe(place);
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and shape stand for what the options are made of; data has its own effect
  useEffect(() => {
    const place = placeRef.current;
    if (!place || width === 0) return;
    const current = latest.current;
    const options = chartOptions({
      width,
      height,
      series: current.series,
      stepMs,
      zone,
      syncKey: SYNC_KEY,
      formatAxis,
      onCursor: (index) => latest.current.onIndex(index),
      onZoom: (from, to) => latest.current.onZoom(from, to),
    });
    const chart = new uPlot(options, toData(current), place);
    chartRef.current = chart;
    return () => {
      chartRef.current = null;
      chart.destroy();
    };
  }, [width, height, stepMs, zone, theme, isSystemDark, shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `at` and `series` are the data
  useEffect(() => {
    chartRef.current?.setData(toData(latest.current));
  }, [at, series]);

  return <div ref={placeRef} role="img" aria-label={`${title}. ${summary}`} style={{ height }} className="overflow-hidden" />;
}

function toData({ at, series }: Pick<TimeSeriesProps, 'at' | 'series'>): uPlot.AlignedData {
  return [[...at], ...series.map((each) => [...each.values])];
}

function SeriesTable({ title, at, series, format, height }: TimeSeriesProps & { height: number }): ReactNode {
  const { zone } = usePreferences();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="overflow-auto" style={{ height }} tabIndex={0} aria-label={`${title} as table`}>
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-surface">
          <tr>
            <th scope="col" className="border-b py-1 pr-3 text-left text-ink-3">
              Step starts
            </th>
            {series.map((each) => (
              <th key={each.label} scope="col" className="border-b py-1 pl-3 text-right text-ink-3">
                {each.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="tabular">
          {at.map((moment, row) => (
            <tr key={moment} className="hover:bg-hover">
              <th scope="row" className="py-0.5 pr-3 text-left font-normal whitespace-nowrap text-ink-2">
                {formatMoment(moment, zone)}
              </th>
              {series.map((each) => (
                <td key={each.label} className="py-0.5 pl-3 text-right">
                  {format(each.values[row] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
