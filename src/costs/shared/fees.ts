import type { CostPeriod } from '../cost-queries.ts';

/** Begin of the calendar month, UTC. */
function monthStart(atMs: number, months: number): number {
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}

/** What of a month's fee has been for the time up to a moment of it. */
function feeUpTo(monthlyPicoUsd: bigint, atMs: number, startMs: number, endMs: number): bigint {
  return (monthlyPicoUsd * BigInt(atMs - startMs)) / BigInt(endMs - startMs);
}

/** The part of a monthly fee that falls into a period, by time. A whole month has the whole fee, and periods that touch add up to that of both. */
export function feeOf(monthlyPicoUsd: bigint, { from, to }: CostPeriod): bigint {
  let sum = 0n;
  for (let at = from; at < to; ) {
    const [startMs, endMs] = [monthStart(at, 0), monthStart(at, 1)];
    const until = Math.min(to, endMs);
    sum += feeUpTo(monthlyPicoUsd, until, startMs, endMs) - feeUpTo(monthlyPicoUsd, at, startMs, endMs);
    at = until;
  }
  return sum;
}
