import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { defineRoute } from '../../kernel/routes.ts';
import type { Scope } from '../../kernel/scope.ts';
import { type CostQueries, HOURLY_DIMENSIONS, isMemberDimension, type MemberHours } from '../cost-queries.ts';
import { MonthForecast, monthForecast } from './month.ts';
import { BudgetList, type BudgetState, budgetView, byPressure, HISTORY_MS, HOUR_MS, historyOf } from './report.ts';

export interface ForecastServices {
  readonly costs: CostQueries;
  /** Budgets of the limits in force, a line for each member that has used any. */
  readonly budgets: (scope: Scope) => Promise<readonly BudgetState[]>;
  readonly clock: Clock;
}

const route = defineRoute<ForecastServices>();

/** Budgets whose history is read; the most used. */
const MAX_FORECASTS = 300;

function usedShare({ usedPicoUsd, capacityPicoUsd }: BudgetState): number {
  return usedPicoUsd === null ? -1 : Number((usedPicoUsd * 10_000n) / capacityPicoUsd);
}

/** One read for all members of a kind; the key is the budget's id and member. */
async function readHistories(
  scope: Scope,
  costs: CostQueries,
  budgets: readonly BudgetState[],
  nowMs: number,
): Promise<(budget: BudgetState) => MemberHours[]> {
  const found = new Map<string, MemberHours[]>();
  const kindOf = ({ scope: dimension, feature }: BudgetState): string => JSON.stringify([dimension, feature]);
  for (const [kind, own] of Map.groupBy(budgets, kindOf)) {
    const dimension = own[0]?.scope ?? '';
    if (!isMemberDimension(dimension)) continue;
    const members = [...new Set(own.flatMap(({ member }) => member ?? []))];
    const period = { from: Math.floor((nowMs - HISTORY_MS) / HOUR_MS) * HOUR_MS, to: nowMs };
    const rows = await costs.memberHours(scope, period, { dimension, members, feature: own[0]?.feature ?? null });
    for (const row of rows) {
      const id = `${kind} ${row.key}`;
      const list = found.get(id) ?? [];
      found.set(id, list);
      list.push(row);
    }
  }
  return (budget) => found.get(`${kindOf(budget)} ${budget.member ?? ''}`) ?? [];
}

export const forecastRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/budgets',
    summary: 'Budgets of the limits: burn, forecast to the end of the period with its interval, and when each is used up',
    permission: 'costs:read',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_FORECASTS).default(100) }),
    response: BudgetList,
    async handler({ scope, query, services }) {
      const nowMs = services.clock.nowMs();
      const all = await services.budgets(scope);
      const chosen = all.toSorted((a, b) => usedShare(b) - usedShare(a)).slice(0, query.limit);
      const hoursOf = await readHistories(scope, services.costs, chosen, nowMs);
      const views = chosen.map((budget) => budgetView(budget, historyOf(hoursOf(budget), nowMs), nowMs));
      return { at: nowMs, budgets: views.sort(byPressure), total: all.length };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/forecast',
    summary: 'What this month (UTC) will cost, with an interval, in all and by feature, team or model',
    permission: 'costs:read',
    query: z.strictObject({ groupBy: z.enum(HOURLY_DIMENSIONS).default('feature') }),
    response: MonthForecast,
    async handler({ scope, query, services }) {
      const nowMs = services.clock.nowMs();
      const period = { from: nowMs - HISTORY_MS, to: Math.ceil((nowMs + 1) / HOUR_MS) * HOUR_MS };
      return monthForecast(await services.costs.hourly(scope, period, query.groupBy), query.groupBy, nowMs);
    },
  }),
];
