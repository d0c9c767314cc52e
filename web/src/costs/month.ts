const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

export function isMonth(text: string): boolean {
  return MONTH.test(text);
}

/** `October 2026` of `2026-10`. */
export function monthName(month: string): string {
  const [, year, number] = MONTH.exec(month) ?? [];
  if (year === undefined || number === undefined) return month;
  return new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    Date.UTC(Number(year), Number(number) - 1),
  );
}

/** Calendar months (UTC) that are over, the newest first. */
export function monthsOver(nowMs: number, count: number): string[] {
  const now = new Date(nowMs);
  return Array.from({ length: count }, (_, place) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1 - place)).toISOString().slice(0, 7),
  );
}
