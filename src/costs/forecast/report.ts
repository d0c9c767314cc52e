import { z } from 'zod';
import { PICO_PER_USD, type PicoUsd } from '../../kernel/money.ts';
import { COVERAGE } from './forecast.ts';
import { type CostHistory, type Outlook, outlookOf } from './outlook.ts';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** History that forecasts read. */
export const HISTORY_MS: number = 56 * DAY_MS;
const NEEDED_MS = 14 * DAY_MS;

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const ForecastView = z
  .object({
    expectedPicoUsd: pico('Cost at the end of the period'),
    lowPicoUsd: pico('Low end of the interval'),
    highPicoUsd: pico('High end of the interval'),
    coverage: z.number().describe('Share of past periods that such an interval held'),
    samples: z.int().describe('Past forecasts that the interval is made of; they overlap'),
  })
  .describe('Usual week × trend; the interval is made of errors of past forecasts');
export type ForecastView = z.infer<typeof ForecastView>;

export const BUDGET_STATES = ['exceeded', 'over', 'at_risk', 'within', 'unmeasured'] as const;

export const BudgetView = z
  .object({
    id: z.string().describe('The limit, as GET /api/v1/limits names it'),
    scope: z.string(),
    name: z.string().nullable().describe('Member of the scope; null = of all, or nobody has used any yet'),
    feature: z.string().nullable().describe('Only calls of this feature count; null = of all'),
    period: z.string().describe('day, week or month'),
    timeZone: z.string(),
    from: z.int().describe('Epoch ms'),
    to: z.int(),
    capacityPicoUsd: pico('The budget'),
    usedPicoUsd: pico('Counted by the gateways, without what calls in flight hold').nullable(),
    usedRatio: z.number().nullable(),
    elapsedRatio: z.number().describe('Of the period'),
    burn: z.number().nullable().describe('usedRatio ÷ elapsedRatio: 1 = used up exactly at the end, if it went on evenly'),
    state: z
      .enum(BUDGET_STATES)
      .describe('over: the forecast is above the budget; at_risk: the high end of its interval is; unmeasured: there is no forecast'),
    forecast: ForecastView.nullable(),
    usedUpAt: z
      .object({ expected: z.int().nullable(), earliest: z.int().nullable(), latest: z.int().nullable() })
      .nullable()
      .describe('Epoch ms; expected, and by both ends of the interval; null within = not in this period'),
    unmeasured: z.string().nullable().describe('Why there is no forecast'),
    onExceed: z.string(),
    owner: z.string().nullable(),
    costOwner: z.string().nullable(),
  })
  .meta({ id: 'CostBudget' });
export type BudgetView = z.infer<typeof BudgetView>;

export const BudgetList = z
  .object({
    at: z.int(),
    budgets: z.array(BudgetView).describe('The most pressing first'),
    total: z.int().describe('Budgets and members; more than are listed'),
  })
  .meta({ id: 'CostBudgetList' });
export type BudgetList = z.infer<typeof BudgetList>;

/** A budget of the limits in force, for one member, as the gateways count it. */
export interface BudgetState {
  readonly id: string;
  readonly scope: string;
  readonly name: string | null;
  /** How the ledger names the member; null = it cannot be looked up there. */
  readonly member: string | null;
  readonly feature: string | null;
  readonly period: 'day' | 'week' | 'month';
  readonly timeZone: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly capacityPicoUsd: PicoUsd;
  /** Null = no gateway has said. */
  readonly usedPicoUsd: PicoUsd | null;
  readonly onExceed: string;
  readonly owner: string | null;
  readonly costOwner: string | null;
}

/** Hours of one series → dense history from its first cost up to the last hour that is over. */
export function historyOf(rows: readonly { readonly atMs: number; readonly costPicoUsd: PicoUsd }[], nowMs: number): CostHistory | null {
  const first = rows[0];
  if (first === undefined) return null;
  const endMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  const hours: number[] = Array(Math.max(0, (endMs - first.atMs) / HOUR_MS)).fill(0);
  for (const { atMs, costPicoUsd } of rows)
    if (atMs < endMs) hours[(atMs - first.atMs) / HOUR_MS] = Number(costPicoUsd) / Number(PICO_PER_USD);
  return { fromMs: first.atMs, hours };
}

export function toForecastView({ expectedPicoUsd, lowPicoUsd, highPicoUsd, samples }: Outlook): ForecastView {
  return {
    expectedPicoUsd: expectedPicoUsd.toString(),
    lowPicoUsd: lowPicoUsd.toString(),
    highPicoUsd: highPicoUsd.toString(),
    coverage: COVERAGE,
    samples,
  };
}

/** Why a history gives no forecast. */
export function whyUnmeasured(history: CostHistory | null): string {
  if (history === null) return 'needs two weeks: nothing was spent yet';
  return `needs two weeks: there is one from ${new Date(history.fromMs + NEEDED_MS).toISOString().slice(0, 16)}Z`;
}

function stateOf(budget: BudgetState, used: PicoUsd | null, outlook: Outlook | null): (typeof BUDGET_STATES)[number] {
  const { capacityPicoUsd } = budget;
  if (used !== null && used >= capacityPicoUsd) return 'exceeded';
  if (outlook === null) return 'unmeasured';
  if (outlook.expectedPicoUsd > capacityPicoUsd) return 'over';
  return outlook.highPicoUsd > capacityPicoUsd ? 'at_risk' : 'within';
}

/** One budget against its period. Pure. @param history of the same calls; null = none */
export function budgetView(budget: BudgetState, history: CostHistory | null, nowMs: number): BudgetView {
  const { startMs, endMs, capacityPicoUsd, usedPicoUsd: used } = budget;
  const outlook =
    history === null || used === null ? null : outlookOf({ startMs, endMs, nowMs, spentPicoUsd: used, capacityPicoUsd }, history);
  const usedRatio = used === null ? null : Number((used * 1_000_000n) / capacityPicoUsd) / 1_000_000;
  const elapsedRatio = Math.min(1, Math.max(0, (nowMs - startMs) / (endMs - startMs)));
  const { id, scope, name, feature, period, timeZone, onExceed, owner, costOwner } = budget;
  return {
    ...{ id, scope, name, feature, period, timeZone, onExceed, owner, costOwner },
    from: startMs,
    to: endMs,
    capacityPicoUsd: capacityPicoUsd.toString(),
    usedPicoUsd: used?.toString() ?? null,
    usedRatio,
    elapsedRatio,
    burn: usedRatio === null || elapsedRatio === 0 ? null : usedRatio / elapsedRatio,
    state: stateOf(budget, used, outlook),
    forecast: outlook === null ? null : toForecastView(outlook),
    usedUpAt:
      outlook === null
        ? null
        : { expected: outlook.usedUpAt.expectedMs, earliest: outlook.usedUpAt.earliestMs, latest: outlook.usedUpAt.latestMs },
    unmeasured: outlook !== null ? null : used === null ? 'no gateway has counted any use' : whyUnmeasured(history),
  };
}

const ORDER = BUDGET_STATES;

/** The most pressing first. */
export function byPressure(a: BudgetView, b: BudgetView): number {
  const place = ORDER.indexOf(a.state) - ORDER.indexOf(b.state);
  return place !== 0 ? place : (b.usedRatio ?? 0) - (a.usedRatio ?? 0);
}
