import { risingCusum } from '../../stats/cusum.ts';
import { median, robustDeviation } from '../../stats/robust.ts';

const WEEK = 7;
const MAX_WEEKS = 4;
const MIN_WEEKS = 2;
/** Days over which evidence is collected. */
export const CREEP_DAYS = 21;
/** Days that a rise is looked for over, and before them those that they are compared with. */
export const CREEP_HISTORY_DAYS = CREEP_DAYS + MAX_WEEKS * WEEK;
/** Half a deviation a day is nobody's trouble; a single bad day is a spike and no creep. */
const ALLOWANCE = 0.5;
const MOST_A_DAY = 2.5;
/** Evidence at which it is said, deviations. */
const ALARM = 6;
/** With few weeks the deviation itself is not well known. */
const FEW_WEEKS_FACTOR = 1.3;

export interface Creep {
  /** Place of the first day of the rise in `days`. */
  readonly firstDay: number;
  /** Evidence, deviations. */
  readonly evidence: number;
  /** Cost since then, and what the same weekdays cost before, US dollars. */
  readonly observed: number;
  readonly expected: number;
}

/** The same weekday in the weeks before. A mean of two, a median of more: one bad week does not move it. */
function usualDay(days: readonly number[], day: number): { readonly cost: number; readonly weeks: number } | null {
  const before: number[] = [];
  for (let week = 1; week <= MAX_WEEKS && day - week * WEEK >= 0; week++) {
    const cost = days[day - week * WEEK] ?? Number.NaN;
    if (!Number.isNaN(cost)) before.push(cost);
  }
  return before.length < MIN_WEEKS ? null : { cost: median(before), weeks: before.length };
}

/**
 * A slow rise that no single day shows: a cumulative sum over days, each against the same weekday of the weeks before.
 * @param days cost of whole days, US dollars, oldest first; NaN = not to be used
 * @returns null when there is none, or when less than two weeks lie before every day
 */
export function findCreep(days: readonly number[]): Creep | null {
  const first = Math.max(0, days.length - CREEP_DAYS);
  const residuals = days.flatMap((cost, day) => {
    const usual = Number.isNaN(cost) ? null : usualDay(days, day);
    return usual === null ? [] : [{ day, cost, usual, residual: (cost - usual.cost) / Math.sqrt(1 + Math.PI / 2 / usual.weeks) }];
  });
  const recent = residuals.filter(({ day }) => day >= first);
  // From week to week: free of weekdays, and a slow rise is hardly in it.
  const steps = days.slice(WEEK).flatMap((cost, day) => {
    const step = cost - (days[day] ?? Number.NaN);
    return Number.isNaN(step) ? [] : [step];
  });
  if (recent.length === 0 || steps.length < WEEK) return null;
  const isShort = steps.length < 3 * WEEK;
  const deviation = (robustDeviation(steps) / Math.SQRT2) * (isShort ? FEW_WEEKS_FACTOR : 1);
  const smallest = 0.02 * median(recent.map(({ usual }) => usual.cost));
  const scale = Math.max(deviation, smallest);
  if (!(scale > 0)) return null;
  const scores = recent.map(({ residual }) => Math.max(-MOST_A_DAY, Math.min(MOST_A_DAY, residual / scale)));
  const last = risingCusum(scores, ALLOWANCE).at(-1);
  if (last === undefined || last.since === null || last.sum < ALARM) return null;
  const rise = recent.slice(last.since);
  return {
    firstDay: rise[0]?.day ?? first,
    evidence: last.sum,
    observed: rise.reduce((sum, { cost }) => sum + cost, 0),
    expected: rise.reduce((sum, { usual }) => sum + usual.cost, 0),
  };
}
