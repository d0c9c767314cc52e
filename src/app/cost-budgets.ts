import type { BudgetState } from '../costs/forecast/report.ts';
import { periodAt } from '../gateway/admission/calendar.ts';
import type { LimitView } from '../gateway/admission/limit-view.ts';

const CALENDAR = new Set(['day', 'week', 'month']);

/**
 * Money limits with a calendar period, as budgets. Of sessions, whose budget is the whole run, there is nothing to forecast.
 * @param keyIdOf id of the virtual key that a limit names; limits know keys by their name
 */
export function budgetsOf(limits: readonly LimitView[], keyIdOf: (name: string) => string | null, nowMs: number): BudgetState[] {
  return limits.flatMap((limit): BudgetState[] => {
    const { kind, unit, period, timeZone, scope, name, capacity, used } = limit;
    if (kind !== 'total' || unit !== 'usd' || timeZone === null || period === null || !CALENDAR.has(period)) return [];
    const calendar = period as BudgetState['period']; // one of CALENDAR
    return [
      {
        id: limit.id,
        scope,
        name,
        member: name === null ? null : scope === 'key' ? keyIdOf(name) : name,
        feature: limit.feature,
        period: calendar,
        timeZone,
        ...periodAt(nowMs, calendar, timeZone),
        capacityPicoUsd: BigInt(capacity),
        usedPicoUsd: used === null ? null : BigInt(used),
        onExceed: limit.onExceed,
        owner: limit.owner,
        costOwner: limit.costOwner,
      },
    ];
  });
}
