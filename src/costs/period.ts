import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import type { CostBreakdown, CostGroup, CostPeriod } from './cost-queries.ts';

export const DAY_MS = 86_400_000;
export const epochMs = z.coerce.number().int().nonnegative();

/** A range of calls, in a query. */
export const PeriodQuery = z.strictObject({
  from: epochMs.optional().describe('Epoch ms, inclusive; yesterday (UTC) when absent'),
  to: epochMs.optional().describe('Epoch ms, exclusive; now when only `from` is given'),
});

export const TagName = z.string().min(1).max(128).optional().describe('Name of the tag, for groupBy=tag');

/** Yesterday, UTC: the last day that is over. */
function yesterday(nowMs: number): CostPeriod {
  const to = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { from: to - DAY_MS, to };
}

/** @throws PlimsollError `invalid_argument` when only one end is given, or the range is empty */
export function resolvePeriod(from: number | undefined, to: number | undefined, nowMs: number): CostPeriod {
  if (from === undefined && to === undefined) return yesterday(nowMs);
  const end = to ?? nowMs;
  if (from === undefined || from >= end)
    throw new PlimsollError('invalid_argument', `"from" (${from ?? 'missing'}) must be before "to" (${end}).`, {
      details: { param: 'from' },
    });
  return { from, to: end };
}

/** The same length of time before: right before, or the same days of the week before. */
export function periodBefore({ from, to }: CostPeriod, against: 'previous' | 'week'): CostPeriod {
  const shift = against === 'previous' ? to - from : Math.ceil((to - from) / (7 * DAY_MS)) * 7 * DAY_MS;
  return { from: from - shift, to: to - shift };
}

/** The breakdown that a grouping needs; null = what every read has. @throws PlimsollError `invalid_argument` for the group `tag` without a name */
export function breakdownOf(groupBy: CostGroup, tag: string | undefined): CostBreakdown | null {
  switch (groupBy) {
    case 'feature':
    case 'team':
    case 'model':
    case 'key':
      return null;
    case 'tag':
      if (tag === undefined)
        throw new PlimsollError('invalid_argument', 'groupBy=tag needs "tag", the name of the tag.', { details: { param: 'tag' } });
      return { by: 'tag', tag };
    case 'customer':
    case 'user':
    case 'route':
    case 'operation':
    case 'requestedModel':
      return { by: groupBy };
    default:
      return groupBy satisfies never;
  }
}
