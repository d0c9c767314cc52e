import { median, quantile } from '../../stats/robust.ts';

export const HOUR_MS = 3_600_000;
export const WEEK_HOURS = 168;
/** Of the history, what is compared with. Older weeks say less of what is usual now. */
export const MAX_WEEKS = 4;
export const MIN_WEEKS = 2;
/** Hours that usually cost nothing still cost this share of a mean hour, or every first call of a night would be an anomaly. */
const LEAST_SHARE = 0.05;
/** Hours left out of the measure of noise, so that spikes of before do not hide the next one, and what that makes of the variance of normal noise. */
const TRIM = 0.01;
const TRIM_FACTOR = 1.15;

/** Cost that is usual at an hour, and how far it usually strays. US dollars. */
export interface HourBaseline {
  readonly mean: number;
  readonly variance: number;
}

/** Noise grows with the level: variance = a(mean) · mean, a linear. From calls that come by chance a is constant, from days that differ it rises. */
interface Noise {
  readonly atNothing: number;
  readonly slope: number;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function noiseOf(points: readonly { readonly mean: number; readonly value: number }[]): Noise {
  const all = points.map(({ mean, value }) => ({ mean, spread: (value - mean) ** 2 / mean }));
  const most = quantile(
    all.map(({ spread }) => spread),
    1 - TRIM,
  );
  const kept = all.filter(({ spread }) => spread <= most).sort((a, b) => a.mean - b.mean);
  const half = Math.floor(kept.length / 2);
  const [low, high] = [kept.slice(0, half), kept.slice(half)].map((part) => ({
    mean: meanOf(part.map(({ mean }) => mean)),
    spread: meanOf(part.map(({ spread }) => spread)) * TRIM_FACTOR,
  }));
  if (low === undefined || high === undefined) return { atNothing: 0, slope: 0 };
  const slope = high.mean > low.mean ? (high.spread - low.spread) / (high.mean - low.mean) : 0;
  if (slope <= 0) return { atNothing: (low.spread + high.spread) / 2, slope: 0 };
  return { atNothing: Math.max(0, low.spread - slope * low.mean), slope };
}

/** From this share of hours without cost on, an hour alone says too little: its neighbours are taken in. */
const SPARSE_RATIO = 0.01;
const SPARSE_REACH = 4;

interface Slot {
  readonly mean: number;
  /** How much the estimate adds to the variance, and what it took from its own values gives back. */
  readonly factor: number;
}

/** Many calls: the median over the same hour of the week and its neighbours. Few: the median over weeks of the mean around the hour. */
function slotOf(recent: readonly number[], slot: number, isSparse: boolean): { readonly centre: number; readonly count: number } | null {
  const reach = isSparse ? SPARSE_REACH : 1;
  const weeks: number[][] = [];
  for (let start = 0; start < recent.length; start += WEEK_HOURS) {
    const values: number[] = [];
    for (let shift = -reach; shift <= reach; shift++) {
      const value = recent[(start + slot + shift + recent.length) % recent.length] ?? Number.NaN;
      if (!Number.isNaN(value)) values.push(value);
    }
    if (values.length > 0) weeks.push(values);
  }
  const values = weeks.flat();
  if (values.length < 2) return null;
  return { centre: median(isSparse ? weeks.map(meanOf) : values), count: values.length };
}

export type BaselineOf = (
  /** Hours to come, 0 = the next one: [from, to). */
  from: number,
  to: number,
) => HourBaseline;

/**
 * What hours cost by the last weeks, and noise measured on how far hours strayed from it.
 * @param history hourly cost, US dollars, oldest first, the last one right before the hours to come; NaN = not to be used. At least two weeks
 * @returns null when the history is too short, or all of it is 0
 */
export function hourBaseline(history: readonly number[]): BaselineOf | null {
  const weeks = Math.min(MAX_WEEKS, Math.floor(history.length / WEEK_HOURS));
  if (weeks < MIN_WEEKS) return null;
  const recent = history.slice(history.length - weeks * WEEK_HOURS);
  const usable = recent.filter((value) => !Number.isNaN(value));
  const overall = usable.length === 0 ? 0 : meanOf(usable);
  if (overall <= 0) return null;
  const isSparse = usable.filter((value) => value === 0).length > SPARSE_RATIO * usable.length;
  const slots = Array.from({ length: WEEK_HOURS }, (_, slot): Slot => {
    const found = slotOf(recent, slot, isSparse);
    if (found === null) return { mean: overall, factor: 2 };
    const { centre, count } = found;
    // A median needs π/2 times the values of a mean.
    return { mean: Math.max(centre, LEAST_SHARE * overall), factor: (1 + Math.PI / 2 / count) * (count / (count - 1)) };
  });
  const noise = noiseOf(
    recent.flatMap((value, place) => {
      const mean = slots[place % WEEK_HOURS]?.mean ?? overall;
      return Number.isNaN(value) ? [] : [{ mean, value }];
    }),
  );
  return (from, to) => {
    let mean = 0;
    let weighted = 0;
    for (let hour = from; hour < to; hour++) {
      const slot = slots[hour % WEEK_HOURS] ?? { mean: overall, factor: 2 };
      mean += slot.mean;
      weighted += slot.mean * slot.factor;
    }
    // Chance differs from hour to hour; what grows with the level (a busy day) is shared by the hours.
    return { mean, variance: (noise.atNothing * mean + noise.slope * mean ** 2) * (weighted / mean) };
  };
}

/**
 * How remarkable a cost is, as deviations of a normal variable: 4 is passed by 1 of 30 000. Sums of skewed costs of calls follow a gamma distribution
 * closely, also few of them.
 * @see Wilson & Hilferty 1931, PNAS 17:684 (cube root of a gamma variable)
 */
export function scoreCost(value: number, { mean, variance }: HourBaseline): number {
  if (variance <= 0) return value > mean ? Number.POSITIVE_INFINITY : 0;
  const shape = mean ** 2 / variance;
  return (Math.cbrt(Math.max(0, value) / mean) - (1 - 1 / (9 * shape))) * 3 * Math.sqrt(shape);
}
