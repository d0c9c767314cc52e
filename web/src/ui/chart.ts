import uPlot from 'uplot';
import { axisLabels, type TimeZone } from '../format/time.ts';

export interface Series {
  readonly label: string;
  /** Null = no value in this step: a gap, never a zero. */
  readonly values: readonly (number | null)[];
  readonly kind: 'bars' | 'line';
  /** Name of a colour token. */
  readonly token: string;
  readonly dash?: readonly number[];
  readonly width?: number;
}

export interface ChartInput {
  readonly width: number;
  readonly height: number;
  readonly series: readonly Series[];
  readonly stepMs: number;
  readonly zone: TimeZone;
  readonly syncKey: string;
  readonly formatAxis: (value: number) => string;
  readonly onCursor: (index: number | null) => void;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** A canvas cannot read CSS variables: an element resolves them, `light-dark()` included. */
function colours(tokens: readonly string[]): Map<string, string> {
  const probe = document.createElement('span');
  document.body.append(probe);
  const found = new Map<string, string>();
  for (const token of tokens) {
    probe.style.color = `var(--${token})`;
    found.set(token, getComputedStyle(probe).color);
  }
  probe.remove();
  return found;
}

export function chartOptions(input: ChartInput): uPlot.Options {
  const palette = colours(['line', 'ink-3', 'surface', ...input.series.map((series) => series.token)]);
  const colour = (token: string): string => palette.get(token) ?? 'gray';
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis: uPlot.Axis = { stroke: colour('ink-3'), font, ticks: { show: false }, grid: { stroke: colour('line'), width: 1 }, gap: 6 };
  const bars = uPlot.paths.bars?.({ size: [0.82, 40], align: 1 });
  return {
    width: input.width,
    height: input.height,
    ms: 1,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: input.syncKey, setSeries: false },
      points: {
        size: 6,
        width: 1.5,
        stroke: (_chart, index) => colour(input.series[index - 1]?.token ?? 'ink-3'),
        fill: () => colour('surface'),
      },
      drag: { x: true, y: false, setScale: false },
      y: false,
    },
    scales: {
      // A point stands for the step that starts at it: the axis ends where the last step does.
      x: { time: true, range: (_chart, min, max) => [min, max + input.stepMs] },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 64,
        values: (_chart, marks, _axis, _space, step) => axisLabels(marks, step, input.zone),
      },
      {
        ...axis,
        size: (_chart, values) => Math.max(26, 14 + 6.2 * Math.max(0, ...(values ?? []).map((value) => value.length))),
        space: 30,
        values: (_chart, marks) => marks.map((mark) => (mark === 0 ? '0' : input.formatAxis(mark))),
      },
    ],
    series: [
      {},
      ...input.series.map(
        (series): uPlot.Series => ({
          label: series.label,
          stroke: colour(series.token),
          width: series.kind === 'bars' ? 0 : (series.width ?? 1.5),
          points: { show: series.kind === 'line' ? isolated(series.values) : false, size: 4, fill: colour(series.token) },
          spanGaps: false,
          ...(series.kind === 'bars' ? { fill: colour(series.token), ...(bars ? { paths: bars } : {}) } : {}),
          ...(series.dash ? { dash: [...series.dash] } : {}),
        }),
      ),
    ],
    tzDate: (stamp) => (input.zone === 'utc' ? uPlot.tzDate(new Date(stamp), 'Etc/UTC') : new Date(stamp)),
    hooks: {
      setCursor: [(chart) => input.onCursor(chart.cursor.idx ?? null)],
      setSelect: [
        (chart) => {
          if (chart.select.width < 6) return;
          const from = chart.posToVal(chart.select.left, 'x');
          const to = chart.posToVal(chart.select.left + chart.select.width, 'x');
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          input.onZoom(Math.floor(from / input.stepMs) * input.stepMs, Math.ceil(to / input.stepMs) * input.stepMs);
        },
      ],
    },
  };
}

/** A value between two gaps has no line to be part of: it is drawn as a point. */
function isolated(values: readonly (number | null)[]): uPlot.Series.Points.Show {
  const lone = new Set(
    values.flatMap((value, i) => (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : [])),
  );
  if (lone.size === 0) return false;
  return (_chart, _series, first, last) => {
    for (let i = first; i <= last; i += 1) if (lone.has(i)) return true;
    return false;
  };
}
