import { Cron } from 'croner';
import { PlimsollError } from '../errors.ts';

/**
 * The next time of a cron text on the wall clock of a time zone.
 *
 * Daylight saving follows Vixie cron. A text with one fixed time of day (`30 2 * * *`) runs once on every day: a time that is skipped
 * runs right after the gap, a time that comes twice runs at the first. A text with steps or lists (every half hour) follows real time.
 * @param cron five fields (minute hour day month weekday), or six with seconds first
 * @param timeZone IANA name, e.g. `Europe/Berlin`
 * @param afterMs epoch ms; the answer is later than this
 * @returns epoch ms; null when the text names no time that ever comes
 * @throws PlimsollError `invalid_argument` for a text or a zone that is not one
 */
export function nextCronMs(cron: string, timeZone: string, afterMs: number): number | null {
  try {
    return new Cron(cron, { timezone: timeZone, paused: true, mode: '5-or-6-parts' }).nextRun(new Date(afterMs))?.getTime() ?? null;
  } catch (cause) {
    throw new PlimsollError(
      'invalid_argument',
      `"${cron}" in time zone "${timeZone}" is no schedule: ${cause instanceof Error ? cause.message : cause}`,
      {
        details: { cron, timeZone },
        cause,
      },
    );
  }
}
