import { z } from 'zod';
import type { FeatureService } from '../features/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { defineRoute } from '../kernel/routes.ts';
import type { ScoreStore } from '../traces/scores/store.ts';
import { ContextWaste, contextWaste } from './context/report.ts';
import { COST_GROUPS, type CostPeriod, type CostQueries } from './cost-queries.ts';
import { CostEconomics, costEconomics } from './economics.ts';
import { OutcomeEconomics, outcomeEconomics } from './outcomes.ts';
import { breakdownOf, epochMs, PeriodQuery, periodBefore, resolvePeriod, TagName } from './period.ts';
import { allocate } from './shared/allocate.ts';
import type { SharedRule } from './shared/config.ts';
import { type FindPrice, readPrices } from './variance/prices.ts';
import { CostVariance, costVariance, type PeriodUse } from './variance/report.ts';
import { CostWaste, costWaste } from './waste.ts';

export interface CostServices {
  readonly costs: CostQueries;
  readonly findPrice: FindPrice;
  readonly scores: ScoreStore;
  readonly features: FeatureService;
  /** `costs.shared` as it is now. */
  readonly sharedRules: () => readonly SharedRule[];
  readonly clock: Clock;
}

const route = defineRoute<CostServices>();

export const costRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/variance',
    summary:
      'What changed: the difference to an earlier period, split exactly into volume, caches, mix, retries, tokens per call and price',
    permission: 'costs:read',
    query: PeriodQuery.extend({
      against: z
        .enum(['previous', 'week'])
        .default('previous')
        .describe('previous = the period right before; week = the same days a week (or as many as the period has) earlier'),
      beforeFrom: epochMs.optional().describe('With beforeTo: the period to compare with, epoch ms; `against` is not looked at then'),
      beforeTo: epochMs.optional(),
      groupBy: z.enum(COST_GROUPS).default('feature'),
      tag: TagName,
    }),
    response: CostVariance,
    async handler({ scope, query, services }) {
      const nowMs = services.clock.nowMs();
      const after = resolvePeriod(query.from, query.to, nowMs);
      const isFree = query.beforeFrom !== undefined || query.beforeTo !== undefined;
      const before = isFree ? resolvePeriod(query.beforeFrom, query.beforeTo, nowMs) : periodBefore(after, query.against);
      const breakdown = breakdownOf(query.groupBy, query.tag);
      const { prices, tiers } = await readPrices(scope, services.costs, services.findPrice, [before, after]);
      const useOf = async (period: CostPeriod): Promise<PeriodUse> => {
        const [used, totals] = await Promise.all([
          services.costs.usedAtPrices(scope, period, tiers, {}, breakdown),
          services.costs.totals(scope, period),
        ]);
        return { ...period, totals, used };
      };
      const [was, is] = await Promise.all([useOf(before), useOf(after)]);
      return costVariance(was, is, prices, query.groupBy);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/economics',
    summary: 'Cost per call, per user and per session by group, and how much of the cost belongs to nobody',
    permission: 'costs:read',
    query: PeriodQuery.extend({ groupBy: z.enum(COST_GROUPS).default('feature'), tag: TagName }),
    response: CostEconomics,
    async handler({ scope, query, services }) {
      const period = resolvePeriod(query.from, query.to, services.clock.nowMs());
      breakdownOf(query.groupBy, query.tag);
      const rules = query.groupBy === 'team' ? services.sharedRules() : [];
      const allocation = rules.length === 0 ? null : allocate(rules, await services.costs.teamUse(scope, period, rules), period);
      const sums = await services.costs.economics(scope, period, query.groupBy, query.tag ?? null);
      return costEconomics(period, query.groupBy, sums, allocation);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/waste',
    summary: 'What was paid for nothing (errors, retries, given up), and what caches and routes saved',
    permission: 'costs:read',
    query: PeriodQuery,
    response: CostWaste,
    async handler({ scope, query, services }) {
      const { costs, findPrice, clock } = services;
      const period = resolvePeriod(query.from, query.to, clock.nowMs());
      const { prices, tiers } = await readPrices(scope, costs, findPrice, [period]);
      const [used, waste, savings] = await Promise.all([
        costs.usedAtPrices(scope, period, tiers),
        costs.waste(scope, period),
        costs.savings(scope, period),
      ]);
      return costWaste(period, used, waste, savings, prices);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/waste/context',
    summary:
      'Estimates from a sample of recorded calls: context that left no trace in the answer, and beginnings that a prompt cache would have served',
    permission: 'costs:read',
    query: PeriodQuery,
    response: ContextWaste,
    async handler({ scope, query, services }) {
      const { costs, findPrice, clock } = services;
      const period = resolvePeriod(query.from, query.to, clock.nowMs());
      const { prices, tiers } = await readPrices(scope, costs, findPrice, [period]);
      const used = await costs.usedAtPrices(scope, period, tiers);
      return contextWaste(period, await costs.contextSample(scope, period), used, prices);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/costs/outcomes',
    summary: 'Cost per successful outcome by feature, with the rate of success and what the outcomes were worth',
    permission: 'costs:read',
    query: PeriodQuery.extend({ feature: z.string().min(1).max(128).optional().describe('Only of this feature') }),
    response: OutcomeEconomics,
    async handler({ scope, query, services }) {
      const period = resolvePeriod(query.from, query.to, services.clock.nowMs());
      const isAsked = (name: string | null) => query.feature === undefined || name === query.feature;
      const [features, totals, economics] = await Promise.all([
        services.features.list(scope),
        services.scores.outcomeTotals(scope, { ...period, feature: query.feature }),
        services.costs.economics(scope, period, 'feature', null),
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
