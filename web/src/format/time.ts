export type TimeZone = 'local' | 'utc';

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: TimeZone, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}:${name}`;
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) });
    formatters.set(key, found);
  }
  return found;
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
const MINUTE = { hour: '2-digit', minute: '2-digit' } as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/** `14:05:31` */
export const formatClock = (ms: number, zone: TimeZone): string => formatter(zone, 'clock', CLOCK).format(ms);
/** `14:05` */
export const formatMinute = (ms: number, zone: TimeZone): string => formatter(zone, 'minute', MINUTE).format(ms);
/** `21 Nov` */
export const formatDay = (ms: number, zone: TimeZone): string => formatter(zone, 'day', DAY).format(ms);
/** `21 Nov 14:05:31` */
export const formatMoment = (ms: number, zone: TimeZone): string => `${formatDay(ms, zone)} ${formatClock(ms, zone)}`;
/** `21 Nov 2026` */
export const formatDate = (ms: number, zone: TimeZone): string => formatter(zone, 'date', { ...DAY, year: 'numeric' }).format(ms);

/** Full ISO 8601 with the offset of the zone shown, e.g. `2026-11-21T15:05:31.482+01:00`. */
export function formatIso(ms: number, zone: TimeZone): string {
  if (zone === 'utc') return new Date(ms).toISOString();
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const size = Math.abs(offsetMinutes);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** How long ago, in one unit: `12 s ago`, `3 h ago`. */
export function formatAgo(ms: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Name of the zone that times are shown in. */
export function zoneName(zone: TimeZone): string {
  return zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Labels of time axis marks: the day at midnight and on daily steps, seconds only when marks are closer than a minute. */
export function axisLabels(marksMs: readonly number[], stepMs: number, zone: TimeZone): string[] {
  return marksMs.map((ms) => {
    if (stepMs >= 86_400_000) return formatDay(ms, zone);
    const minute = formatMinute(ms, zone);
    if (minute === '00:00') return formatDay(ms, zone);
    return stepMs < 60_000 ? formatClock(ms, zone) : minute;
  });
}

/** Value of a `datetime-local` input for a moment, in the zone shown. */
export function toInputValue(ms: number, zone: TimeZone): string {
  return formatIso(ms, zone).slice(0, 16);
}

/** The moment that a `datetime-local` input means in the zone shown; null when it is not one. */
export function fromInputValue(value: string, zone: TimeZone): number | null {
  const ms = Date.parse(zone === 'utc' ? `${value}Z` : value);
  return Number.isNaN(ms) ? null : ms;
}
