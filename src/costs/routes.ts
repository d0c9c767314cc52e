import { z } from 'zod';
import type { FeatureService } from '../features/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { defineRoute } from '../kernel/routes.ts';
import type { ScoreStore } from '../traces/scores/store.ts';
import { COST_GROUPS, type CostPeriod, type CostQueries } from './cost-queries.ts';
import { CostEconomics, costEconomics } from './economics.ts';
import { OutcomeEconomics, outcomeEconomics } from './outcomes.ts';
import { type FindPrice, readPrices } from './variance/prices.ts';
import { CostVariance, costVariance, type PeriodUse, VARIANCE_GROUPS } from './variance/report.ts';

export interface CostServices {
  readonly costs: CostQueries;
  readonly findPrice: FindPrice;
  readonly scores: ScoreStore;
  readonly features: FeatureService;
  readonly clock: Clock;
}

const route = defineRoute<CostServices>();

const DAY_MS = 86_400_000;
const epochMs = z.coerce.number().int().nonnegative();

/** Yesterday, UTC: the last day that is over. */
function yesterday(nowMs: number): CostPeriod {
  const to = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { from: to - DAY_MS, to };
}

/** @throws PlimsollError `invalid_argument` when only one end is given, or the range is empty */
function resolvePeriod(from: number | undefined, to: number | undefined, nowMs: number): CostPeriod {
  if (from === undefined && to === undefined) return yesterday(nowMs);
  const end = to ?? nowMs;
  if (from === undefined || from >= end)
    throw new PlimsollError('invalid_argument', `"from" (${from ?? 'missing'}) must be before "to" (${end}).`, {
      details: { param: 'from' },
    });
  return { from, to: end };
}

/** The same length of time before: right before, or the same days of the week before. */
function periodBefore({ from, to }: CostPeriod, against: 'previous' | 'week'): CostPeriod {
  const shift = against === 'previous' ? to - from : Math.ceil((to - from) / (7 * DAY_MS)) * 7 * DAY_MS;
  return { from: from - shift, to: to - shift };
}

const Range = z.strictObject({
  from: epochMs.optional().describe('Epoch ms, inclusive; yesterday (UTC) when absent'),
  to: epochMs.optional().describe('Epoch ms, exclusive; now when only `from` is given'),
});

export const costRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/variance',
    summary:
      'What changed: the difference to an earlier period, split exactly into volume, caches, mix, retries, tokens per call and price',
    permission: 'costs:read',
    query: Range.extend({
      against: z
        .enum(['previous', 'week'])
        .default('previous')
        .describe('previous = the period right before; week = the same days a week (or as many as the period has) earlier'),
      groupBy: z.enum(VARIANCE_GROUPS).default('feature'),
    }),
    response: CostVariance,
    async handler({ scope, query, services }) {
      const after = resolvePeriod(query.from, query.to, services.clock.nowMs());
      const before = periodBefore(after, query.against);
      const { prices, tiers } = await readPrices(scope, services.costs, services.findPrice, [before, after]);
      const useOf = async (period: CostPeriod): Promise<PeriodUse> => ({
        ...period,
        totals: await services.costs.totals(scope, period),
        used: await services.costs.usedAtPrices(scope, period, tiers),
      });
      return costVariance(await useOf(before), await useOf(after), prices, query.groupBy);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/economics',
    summary: 'Cost per call, per user and per session by group, and how much of the cost belongs to nobody',
    permission: 'costs:read',
    query: Range.extend({ groupBy: z.enum(COST_GROUPS).default('feature') }),
    response: CostEconomics,
    async handler({ scope, query, services }) {
      const period = resolvePeriod(query.from, query.to, services.clock.nowMs());
      return costEconomics(period, query.groupBy, await services.costs.economics(scope, period, query.groupBy));
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/outcomes',
    summary: 'Cost per successful outcome by feature, with the rate of success and what the outcomes were worth',
    permission: 'costs:read',
    query: Range.extend({ feature: z.string().min(1).max(128).optional().describe('Only of this feature') }),
    response: OutcomeEconomics,
    async handler({ scope, query, services }) {
      const period = resolvePeriod(query.from, query.to, services.clock.nowMs());
      const isAsked = (name: string | null) => query.feature === undefined || name === query.feature;
      const [features, totals, economics] = await Promise.all([
        services.features.list(scope),
        services.scores.outcomeTotals(scope, { ...period, feature: query.feature }),
        services.costs.economics(scope, period, 'feature'),
      ]);
      return outcomeEconomics(
        period,
        features.filter(({ name }) => isAsked(name)),
        totals,
        economics.groups,
      );
    },
  }),
];
