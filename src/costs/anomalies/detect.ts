import { HOUR_MS, hourBaseline, MAX_WEEKS, MIN_WEEKS, scoreCost, WEEK_HOURS } from './baseline.ts';
import { CREEP_HISTORY_DAYS, findCreep } from './creep.ts';

const DAY_HOURS = 24;
export const DAY_MS = DAY_HOURS * HOUR_MS;
/** What must lie before an hour for it to be judged: two weeks to compare with, and the day that is judged. */
export const NEEDED_MS: number = (MIN_WEEKS * WEEK_HOURS + DAY_HOURS) * HOUR_MS;
/** History that `detect` uses, days. */
export const HISTORY_DAYS: number = Math.max(CREEP_HISTORY_DAYS, MAX_WEEKS * 7) + 1;

/** Remarkable when it happens twice in three hours, or so much at once. */
const SCORE = 4;
const SCORE_AT_ONCE = 6;
/** Hours that are also judged together, and what they must reach. */
const LONGER_WINDOWS = [6, 24] as const;
const SCORE_OF_WINDOW = 5;
const LONGEST_WINDOW = 24;
/** A spike that a fifth of an hour's cost would not make is no news, however regular the hours are. */
const LEAST_SPIKE_RATIO = 0.25;
const LEAST_CREEP_RATIO = 0.15;

/** Hourly cost of one feature, team or model; hours that are not listed cost nothing. */
export interface CostSeries {
  /** Epoch ms of the first hour; whole hours. */
  readonly fromMs: number;
  /** US dollars; NaN = not to be used. */
  readonly hours: readonly number[];
}

export const DETECTORS = ['spike', 'creep'] as const;
export type Detector = (typeof DETECTORS)[number];

export interface Finding {
  readonly detector: Detector;
  /** Epoch ms, [from, to): what was judged too dear. */
  readonly fromMs: number;
  readonly toMs: number;
  /** US dollars in that time. */
  readonly observedUsd: number;
  readonly expectedUsd: number;
  /** Deviations: of the highest hour, or the evidence collected by the cumulative sum. */
  readonly score: number;
}

/**
 * What is anomalous at the end of a series: its last hour, and its last whole day (UTC).
 * @param series ends with the hour to be judged
 * @param minimumUsd excess from which on a spike (an hour) or a creep (a day) matters
 * @returns null when less than two weeks of it lie before
 */
export function detect({ fromMs, hours }: CostSeries, minimumUsd: number): Finding[] | null {
  const first = hours.findIndex((cost) => cost > 0);
  const last = hours.length - 1;
  if (first < 0 || (last - first) * HOUR_MS < NEEDED_MS) return null;
  const spike = findSpike({ fromMs: fromMs + first * HOUR_MS, hours: hours.slice(first) }, minimumUsd);
  // A day is judged in its last hour.
  const isDayEnd = (fromMs + hours.length * HOUR_MS) % DAY_MS === 0;
  const creep = isDayEnd ? findSlowRise({ fromMs, hours }, first, minimumUsd) : null;
  return [spike, creep].filter((finding) => finding !== null);
}

interface Judged {
  /** Place of the first hour; the window ends with the series or an hour or two before. */
  readonly from: number;
  readonly cost: number;
  readonly mean: number;
  readonly score: number;
}

/** The last hours of a series, looked at alone and together: few dear calls show in a day, many in an hour. */
function findSpike({ fromMs, hours }: CostSeries, minimumUsd: number): Finding | null {
  const known = hours.length - LONGEST_WINDOW;
  const baseline = hourBaseline(hours.slice(0, known));
  if (baseline === null) return null;
  const judge = (from: number, to: number): Judged => {
    const cost = hours.slice(from, to).reduce((sum, value) => sum + value, 0);
    const usual = baseline(from - known, to - known);
    const excess = cost - usual.mean;
    const isLarge = excess >= minimumUsd && excess >= LEAST_SPIKE_RATIO * usual.mean;
    return { from, cost, mean: usual.mean, score: isLarge ? scoreCost(cost, usual) : Number.NEGATIVE_INFINITY };
  };
  const end = hours.length;
  const single = [3, 2, 1].map((back) => judge(end - back, end - back + 1)).filter(({ score }) => score >= SCORE);
  const now = single.at(-1);
  const isNow = now?.from === end - 1 && (single.length > 1 || now.score >= SCORE_AT_ONCE);
  const found = isNow ? single : LONGER_WINDOWS.map((length) => judge(end - length, end)).filter(({ score }) => score >= SCORE_OF_WINDOW);
  const parts = isNow ? found : found.slice(0, 1);
  const [earliest] = parts;
  if (earliest === undefined) return null;
  return {
    detector: 'spike',
    fromMs: fromMs + earliest.from * HOUR_MS,
    toMs: fromMs + end * HOUR_MS,
    observedUsd: parts.reduce((sum, { cost }) => sum + cost, 0),
    expectedUsd: parts.reduce((sum, { mean }) => sum + mean, 0),
    score: Math.max(...parts.map(({ score }) => score)),
  };
}

function findSlowRise({ fromMs, hours }: CostSeries, first: number, minimumUsd: number): Finding | null {
  const endMs = fromMs + hours.length * HOUR_MS;
  // Only days that the series has whole.
  const startDay = Math.ceil((fromMs + first * HOUR_MS) / DAY_MS);
  const days = Array.from({ length: Math.max(0, endMs / DAY_MS - startDay) }, (_, day) => {
    const start = ((startDay + day) * DAY_MS - fromMs) / HOUR_MS;
    return hours.slice(start, start + DAY_HOURS).reduce((sum, cost) => sum + cost, 0);
  });
  const creep = findCreep(days);
  if (creep === null) return null;
  const { firstDay, evidence, observed, expected } = creep;
  const excess = observed - expected;
  if (excess < minimumUsd * (days.length - firstDay) || excess < LEAST_CREEP_RATIO * expected) return null;
  return {
    detector: 'creep',
    fromMs: (startDay + firstDay) * DAY_MS,
    toMs: endMs,
    observedUsd: observed,
    expectedUsd: expected,
    score: evidence,
  };
}
