import { z } from 'zod';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** `2026-12-01` (midnight UTC) or a full ISO 8601 moment with its zone → epoch ms; NaN for anything else. */
export function parseDay(text: string): number {
  if (DAY.test(text)) {
    const ms = Date.parse(`${text}T00:00:00Z`);
    // Date.parse takes 2026-02-30 for March; the text must come back as it was.
    return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? Number.NaN : ms;
  }
  return /T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** A date or moment in plimsoll.yaml, as epoch ms. */
export const dayText = (description: string) =>
  z
    .string()
    .refine((text) => !Number.isNaN(parseDay(text)), 'not a date; write e.g. 2026-12-01, or 2026-12-01T18:00:00Z')
    .describe(description);
