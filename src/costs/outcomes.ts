import { z } from 'zod';
import type { FeatureView } from '../features/model.ts';
import { wilsonInterval } from '../stats/intervals.ts';
import type { OutcomeTotals } from '../traces/scores/store.ts';
import type { CostPeriod, EconomicsRow } from './cost-queries.ts';
import { ratio, round } from './variance/ratio.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const OutcomeEconomicsRow = z
  .object({
    feature: z.string().nullable().describe('Null = reported for a trace that is not known here'),
    outcome: z.string(),
    kpi: z.boolean().describe('The feature names it as its KPI'),
    name: z.string().nullable().describe('What people call it'),
    targetRatio: z.number().nullable(),
    maxCostPicoUsd: z.string().nullable(),
    reported: z.int().describe('Outcomes reported in the period, successful or not'),
    succeeded: z.int(),
    successRatio: z.number().nullable().describe('succeeded / reported; null = none was reported'),
    interval: z.tuple([z.number(), z.number()]).nullable().describe('95 % Wilson interval of it'),
    valuePicoUsd: pico('What the successful ones were worth, as reported'),
    valued: z.int().describe('Successful ones that named a value'),
    calls: z.int().describe('Calls of the feature in the period'),
    unpricedCalls: z.int().describe('Of them in no cost: what they cost is not known'),
    costPicoUsd: pico('Cost of all calls of the feature in the period, whether they led to an outcome or not'),
    costPerSuccessPicoUsd: z
      .string()
      .nullable()
      .describe(
        'That cost per successful outcome, pico-dollars to the nearest one; a lower bound when unpricedCalls is not 0; null = no success, or most calls have no price',
      ),
  })
  .meta({ id: 'OutcomeEconomicsRow' });
export type OutcomeEconomicsRow = z.infer<typeof OutcomeEconomicsRow>;

export const OutcomeEconomics = z
  .object({ from: z.int(), to: z.int(), outcomes: z.array(OutcomeEconomicsRow) })
  .meta({ id: 'OutcomeEconomics' });
export type OutcomeEconomics = z.infer<typeof OutcomeEconomics>;

/**
 * What a successful outcome costs: all that the feature cost in the period over the successes reported in it, so that calls which led to nothing
 * are paid by those that led to something. KPIs that nobody has reported are there with zeros. Pure.
 */
export function outcomeEconomics(
  period: CostPeriod,
  features: readonly FeatureView[],
  totals: readonly OutcomeTotals[],
  costs: readonly EconomicsRow[],
): OutcomeEconomics {
  const silent = features.flatMap(({ name, kpi }): OutcomeTotals[] => {
    const isSilent = kpi !== null && !totals.some((row) => row.feature === name && row.outcome === kpi.outcome);
    return isSilent ? [{ feature: name, outcome: kpi.outcome, reported: 0, succeeded: 0, valuePicoUsd: 0n, valued: 0 }] : [];
  });
  const outcomes = [...totals, ...silent].map((row): OutcomeEconomicsRow => {
    const kpi = features.find(({ name }) => name === row.feature)?.kpi ?? null;
    const own = kpi?.outcome === row.outcome ? kpi : null;
    const cost = row.feature === null ? undefined : costs.find(({ key }) => key === row.feature);
    // What the few that have a price cost says nothing of the rest.
    const isKnown = cost !== undefined && cost.unpricedCalls * 2 < cost.calls;
    return {
      feature: row.feature,
      outcome: row.outcome,
      kpi: own !== null,
      name: own?.name ?? null,
      targetRatio: own?.targetRatio ?? null,
      maxCostPicoUsd: own?.maxCostPicoUsd ?? null,
      reported: row.reported,
      succeeded: row.succeeded,
      successRatio: row.reported === 0 ? null : row.succeeded / row.reported,
      interval: row.reported === 0 ? null : wilsonInterval(row.succeeded, row.reported),
      valuePicoUsd: row.valuePicoUsd.toString(),
      valued: row.valued,
      calls: cost?.calls ?? 0,
      unpricedCalls: cost?.unpricedCalls ?? 0,
      costPicoUsd: (cost?.costPicoUsd ?? 0n).toString(),
      costPerSuccessPicoUsd: isKnown && row.succeeded > 0 ? round(ratio(cost.costPicoUsd, BigInt(row.succeeded))).toString() : null,
    };
  });
  const rank = (row: OutcomeEconomicsRow) => `${row.feature ?? '\uffff'}\u0000${row.kpi ? 0 : 1}${row.outcome}`;
  return { ...period, outcomes: outcomes.sort((left, right) => (rank(left) < rank(right) ? -1 : 1)) };
}
