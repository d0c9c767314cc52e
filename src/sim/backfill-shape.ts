const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

/** Local time of the imaginary company. */
const TIME_ZONE = 'Europe/Berlin';
/** A Saturday or Sunday has this much of a weekday's traffic. */
export const WEEKEND_RATIO = 0.35;
/** Growth of the traffic from one day to the next. */
const DAILY_GROWTH = 1.012;

/** Share of a day's traffic in each local hour; peak from 10 to 16. */
const HOUR_WEIGHTS = [8, 5, 4, 4, 5, 10, 26, 55, 82, 94, 100, 100, 96, 98, 100, 98, 88, 70, 50, 40, 34, 28, 20, 13];
const WEIGHT_SUM = HOUR_WEIGHTS.reduce((sum, weight) => sum + weight, 0);

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Expected calls in the hour that starts at `hourMs`.
 * @param callsPerDay mean over a week at `anchorMs` (count)
 * @param anchorMs end of the history, epoch milliseconds; the growth is counted back from here
 */
export function expectedCalls(hourMs: number, anchorMs: number, callsPerDay: number): number {
  const local = Temporal.Instant.fromEpochMilliseconds(hourMs).toZonedDateTimeISO(TIME_ZONE);
  const dayFactor = (local.dayOfWeek >= 6 ? WEEKEND_RATIO : 1) * (7 / (5 + 2 * WEEKEND_RATIO));
  const growth = DAILY_GROWTH ** ((hourMs - anchorMs) / DAY_MS);
  return callsPerDay * growth * dayFactor * ((HOUR_WEIGHTS[local.hour] ?? 0) / WEIGHT_SUM);
}

/** Start of a local hour, so many calendar days before the day of `anchorMs`. */
function localTime(anchorMs: number, daysBefore: number, hour: number, minute: number): number {
  const day = Temporal.Instant.fromEpochMilliseconds(anchorMs).toZonedDateTimeISO(TIME_ZONE).toPlainDate().subtract({ days: daysBefore });
  return day.toZonedDateTime({ timeZone: TIME_ZONE, plainTime: Temporal.PlainTime.from({ hour, minute }) }).epochMilliseconds;
}

/** The planted incident: nine days ago, 14:10 to 14:50 local time. */
export function incidentWindow(anchorMs: number): Window {
  const fromMs = localTime(anchorMs, 9, 14, 10);
  return { fromMs, toMs: fromMs + 40 * MINUTE_MS };
}

/** The planted cost anomaly: three days ago, 7:00 to 20:00 local time. */
export function anomalyWindow(anchorMs: number): Window {
  return { fromMs: localTime(anchorMs, 3, 7, 0), toMs: localTime(anchorMs, 3, 20, 0) };
}

export function isWithin(window: Window, atMs: number): boolean {
  return atMs >= window.fromMs && atMs < window.toMs;
}

/** Calls a day that are made hour by hour; more are made in shorter slices, so that a slice of them always fits into memory. */
const CALLS_PER_DAY_BY_HOUR = 50_000;

/** Length of the slices of time in which calls are made, milliseconds: an hour, or a whole part of it. */
export function sliceLengthMs(callsPerDay: number): number {
  const wished = Math.ceil(callsPerDay / CALLS_PER_DAY_BY_HOUR);
  const slices = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60].find((count) => count >= wished) ?? 60;
  return HOUR_MS / slices;
}

/** The start of each slice from `fromMs` to before `toMs`. */
export function* slicesBetween(fromMs: number, toMs: number, lengthMs: number): Generator<number> {
  for (let sliceMs = Math.floor(fromMs / lengthMs) * lengthMs; sliceMs < toMs; sliceMs += lengthMs) yield sliceMs;
}

/** Calls that a backfill will make, about (count). */
export function expectedTotal(endMs: number, days: number, callsPerDay: number): number {
  const anchorMs = Math.floor(endMs / DAY_MS) * DAY_MS;
  let total = 0;
  for (const hourMs of slicesBetween(endMs - days * DAY_MS, endMs, HOUR_MS)) total += expectedCalls(hourMs, anchorMs, callsPerDay);
  return Math.round(total);
}
