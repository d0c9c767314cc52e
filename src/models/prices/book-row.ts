import { parseDay } from '../../kernel/config/day.ts';
import type { BookRow } from './book-file.ts';

const DAY_MS = 86_400_000;

function timeOfDayMs(time: string): number {
  return Date.parse(`1970-01-01T${time}`);
}

function holdsOnDay({ validFrom, validTo }: BookRow, atMs: number): boolean {
  return (validFrom === undefined || atMs >= parseDay(validFrom)) && (validTo === undefined || atMs < parseDay(validTo));
}

function holdsAtHour({ hours }: BookRow, atMs: number): boolean {
  if (hours === undefined) return true;
  const from = timeOfDayMs(hours.from);
  const to = timeOfDayMs(hours.to);
  const time = ((atMs % DAY_MS) + DAY_MS) % DAY_MS;
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

/** The row that holds at a moment: one for the region before one for everywhere, one for the hour before one for the whole day; null = none. */
export function rowAt(rows: readonly BookRow[], atMs: number, region: string | null): BookRow | null {
  let best: BookRow | null = null;
  let bestRank = -1;
  for (const row of rows) {
    if (row.region !== undefined && row.region !== region) continue;
    if (!holdsOnDay(row, atMs) || !holdsAtHour(row, atMs)) continue;
    const rank = (row.region === undefined ? 0 : 2) + (row.hours === undefined ? 0 : 1);
    if (rank <= bestRank) continue;
    best = row;
    bestRank = rank;
  }
  return best;
}

function nextTimeOfDayMs(time: string, atMs: number): number {
  const onDay = Math.floor(atMs / DAY_MS) * DAY_MS + timeOfDayMs(time);
  return onDay > atMs ? onDay : onDay + DAY_MS;
}

/** The first moment after `atMs` at which another row may hold; null = none is known. */
export function nextChangeAfter(rows: readonly BookRow[], atMs: number): number | null {
  const moments = rows.flatMap(({ validFrom, validTo, hours }) => [
    ...(validFrom === undefined ? [] : [parseDay(validFrom)]),
    ...(validTo === undefined ? [] : [parseDay(validTo)]),
    ...(hours === undefined ? [] : [nextTimeOfDayMs(hours.from, atMs), nextTimeOfDayMs(hours.to, atMs)]),
  ]);
  return moments.filter((moment) => moment > atMs).reduce<number | null>((least, moment) => Math.min(least ?? moment, moment), null);
}
