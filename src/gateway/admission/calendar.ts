export const CALENDAR_PERIODS = ['day', 'week', 'month'] as const;
export type CalendarPeriod = (typeof CALENDAR_PERIODS)[number];

/** Epoch milliseconds [start, end). */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** A run has no calendar: it lasts as long as it is used. */
export const ALWAYS: Period = Object.freeze({ startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY });

/**
 * The calendar day, ISO week (from Monday) or month that holds a moment, by the wall clock of a time zone. Days are 23 to 25 hours long where the
 * clock is changed.
 * @param timeZone IANA name, e.g. `Europe/Berlin`
 */
export function periodAt(epochMs: number, period: CalendarPeriod, timeZone: string): Period {
  const date = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone).toPlainDate();
  const first = period === 'day' ? date : period === 'week' ? date.subtract({ days: date.dayOfWeek - 1 }) : date.with({ day: 1 });
  const next = first.add(period === 'day' ? { days: 1 } : period === 'week' ? { weeks: 1 } : { months: 1 });
  return { startMs: first.toZonedDateTime(timeZone).epochMilliseconds, endMs: next.toZonedDateTime(timeZone).epochMilliseconds };
}

/** @returns true for a name that Temporal knows as a time zone */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError || thrown instanceof TypeError) return false;
    throw thrown;
  }
}
