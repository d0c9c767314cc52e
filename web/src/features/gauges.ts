import type { FeatureLoadLines, LoadLine } from '../api/schema.ts';
import { formatUsdNumber } from '../format/money.ts';
import { formatDuration, formatPercent, formatPercentInterval } from '../format/number.ts';
import { DIMENSIONS, type Dimension, type Gauge, type Gauges, type Standing } from '../ui/gauge.ts';

/** From this share of what a line allows on, it is close. */
const NEAR = 0.8;

export function lineValue({ unit }: Pick<LoadLine, 'unit'>, value: number): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 'share':
      return formatPercent(value);
    case 'stars':
      return `${value.toFixed(2)} of 5`;
    case 'usd':
      return formatUsdNumber(value);
    default:
      return unit satisfies never;
  }
}

export function lineText(line: LoadLine): string | null {
  if (line.line === null) return null;
  return `${line.sense === 'at_most' ? 'at most' : 'at least'} ${lineValue(line, line.line)}`;
}

/** Ends of the interval; null = too few for one. */
export function intervalText({ unit, interval }: LoadLine): string | null {
  if (interval === null) return null;
  const [low, high] = interval;
  switch (unit) {
    case 'share':
      return formatPercentInterval(interval);
    case 'stars':
      return `${low.toFixed(2)}–${high.toFixed(2)}`;
    case 'ms':
      return `${formatDuration(low)} – ${formatDuration(high)}`;
    case 'usd':
      return `${formatUsdNumber(Math.max(0, low))} – ${formatUsdNumber(high)}`;
    default:
      return unit satisfies never;
  }
}

/** Null = there is nothing to stand against. */
export function standingOf({ verdict, load }: LoadLine): Standing | null {
  if (verdict === 'no_line' || verdict === 'unmeasured') return null;
  return verdict === 'within' && (load ?? 0) >= NEAR ? 'near' : verdict;
}

const SEVERITY: readonly (Standing | null)[] = [null, 'within', 'unclear', 'near', 'beyond'];

/** The line of a dimension that is worst off: by its verdict, then by its load. Lines without a value come last. */
function worst(lines: readonly LoadLine[]): LoadLine | null {
  const rank = (line: LoadLine) => (line.value === null ? -1 : SEVERITY.indexOf(standingOf(line)));
  return [...lines].sort((left, right) => rank(right) - rank(left) || (right.load ?? 0) - (left.load ?? 0))[0] ?? null;
}

function gaugeOf(lines: readonly LoadLine[]): Gauge {
  const line = worst(lines);
  if (line === null || line.value === null) {
    const [first] = lines;
    return {
      kind: 'unmeasured',
      reason:
        lines.length > 1 && first?.dimension === 'quality'
          ? 'needs a judge, a schema or feedback'
          : (first?.reason ?? 'no calls in this range'),
    };
  }
  const value = lineValue(line, line.value);
  const standing = standingOf(line);
  const text = lineText(line);
  if (standing === null || text === null || line.load === null) return { kind: 'noLine', value, what: line.title };
  return { kind: 'line', value, what: line.title, line: text, standing, load: line.load };
}

/** The worst line of each dimension. */
export function gaugesOf(lines: readonly LoadLine[]): Gauges {
  const gauges = DIMENSIONS.map((dimension): [Dimension, Gauge] => [
    dimension,
    gaugeOf(lines.filter((line) => line.dimension === dimension)),
  ]);
  return Object.fromEntries(gauges) as Gauges; // a gauge for each of DIMENSIONS
}

/** Gauges of one feature of several; null = not read yet. */
export function gaugesIn(features: readonly FeatureLoadLines[] | undefined, name: string | null): Gauges | null {
  if (features === undefined) return null;
  return gaugesOf(features.find(({ feature }) => feature === name)?.lines ?? []);
}
