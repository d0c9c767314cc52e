import { PlimsollError } from '../kernel/errors.ts';
import { formatUsd, PICO_PER_USD } from '../kernel/money.ts';

/** Local time to the second, as `2026-11-21 09:30:00`. */
export function formatTime(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function formatMs(durationMs: number | null): string {
  if (durationMs === null) return '–';
  if (durationMs < 1) return `${durationMs.toFixed(2)} ms`;
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(2)} s`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Decimal units, three digits: `1.25 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1_000 ** power).toPrecision(3)} ${BYTE_UNITS[power]}`;
}

/** `1 model`, `2 models`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Dollars; below a cent with the digits that tell, and what is missing from the sum said beside it. */
export function formatCost(costPicoUsd: string, unpricedRequests: number): string {
  const pico = BigInt(costPicoUsd);
  const size = pico < 0n ? -pico : pico;
  const text =
    size !== 0n && size < PICO_PER_USD / 100n
      ? `$${significant(formatUsd(size))}`
      : `$${Number(formatUsd(size)).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `${pico < 0n ? '−' : ''}${text}${unpricedRequests > 0 ? ` + ${unpricedRequests} unpriced` : ''}`;
}

/** The decimal cut after three digits that are not leading zeros. */
function significant(decimal: string): string {
  return /^0\.0*\d{1,3}/.exec(decimal)?.[0] ?? decimal;
}

export function formatRate(ratio: number | null, interval: readonly [number, number] | null): string {
  if (ratio === null) return 'unmeasured';
  const percent = (value: number): string => `${(value * 100).toFixed(1)}`;
  return `${percent(ratio)} %${interval ? ` (${percent(interval[0])}–${percent(interval[1])})` : ''}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `30m`, `24h`, `7d` → milliseconds. @throws PlimsollError `invalid_argument` */
export function parsePeriod(text: string): number {
  const match = /^(\d{1,5})([smhdw])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new PlimsollError('invalid_argument', `"${text}" is not a period; write e.g. 30m, 24h or 7d`);
  return Number(match[1]) * unit;
}
