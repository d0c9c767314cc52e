import { z } from 'zod';
import type { Price } from '../../models/price.ts';
import { type Ratio, ratio, round, times } from '../variance/ratio.ts';
import { AS_IT_IS, costOfProfile, type Factors, type Profile, profileOn, tokensPerRequest } from './profile.ts';
import { type SelfHosted, SelfHostedView, selfHosted } from './self-hosted.ts';

/** A month of a plan has thirty days: months compare. */
export const PLAN_DAYS = 30n;
const MONTHS = 12;

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const CostPlan = z
  .object({
    basis: z.object({
      kind: z.enum(['traces', 'description']),
      text: z.string().describe('What the plan is made from, in a sentence'),
      calls: z.int().nullable().describe('Real calls behind it; null = a description'),
    }),
    requestsPerDay: z.number(),
    growthPerMonthRatio: z.number(),
    tokensPerRequest: z.number().describe('Input and output, mean'),
    perRequestPicoUsd: pico('Cost of a request, to the nearest'),
    months: z.array(z.object({ month: z.int(), requests: z.int(), picoUsd: pico('Cost of the month, 30 days') })).describe('1 = the first'),
    sensitivity: z
      .array(
        z.object({
          driver: z.enum(['requests', 'inputTokens', 'outputTokens', 'cachedShare', 'growth']),
          step: z.string().describe('What is varied by how much'),
          lowPicoUsd: pico('The month with less of it'),
          highPicoUsd: pico('The month with more of it'),
          month: z.int().describe('Which month: the first, of growth the last'),
        }),
      )
      .describe('One driver at a time, the widest first'),
    models: z
      .array(
        z.object({
          model: z.string(),
          monthPicoUsd: z.string().nullable().describe('The first month with all requests on it, same tokens; null = unpriced'),
          differencePicoUsd: z.string().nullable(),
        }),
      )
      .describe('Each alternative, the cheapest first. Other tokenizers count other tokens: measure before you decide'),
    budgets: z.array(
      z.object({ period: z.enum(['request', 'day', 'month']), usd: z.string().describe('US dollars, decimal'), rule: z.string() }),
    ),
    limitsYaml: z.string().describe('The budgets as limits for plimsoll.yaml'),
    selfHosted: SelfHostedView.nullable(),
  })
  .meta({ id: 'CostPlan' });
export type CostPlan = z.infer<typeof CostPlan>;

export interface PlanRequest {
  readonly basis: CostPlan['basis'];
  readonly profile: Profile;
  readonly requestsPerDay: number;
  /** 0.1 = ten percent more each month. */
  readonly growthPerMonthRatio: number;
  /** The busiest day over the mean day. */
  readonly peakDayFactor: number;
  readonly alternatives: readonly { readonly model: string; readonly price: Price | null }[];
  readonly selfHosted: SelfHosted | null;
  /** For the YAML; null = all calls. */
  readonly feature: string | null;
}

const PPM = 1_000_000;

function exact(value: number): Ratio {
  return ratio(BigInt(Math.round(value * PPM)), BigInt(PPM));
}

function power(base: Ratio, exponent: number): Ratio {
  let result = ratio(1n);
  for (let i = 0; i < exponent; i++) result = times(result, base);
  return result;
}

/** Dollars rounded up to two digits that count: a budget is a round number. */
function roundBudget(amount: bigint): string {
  const usd = Number(amount) / 1e12;
  if (usd <= 0) return '0';
  const step = 10 ** (Math.floor(Math.log10(usd)) - 1);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return (Math.ceil(usd / step - 1e-9) * step).toFixed(Math.min(6, decimals));
}

const STEPS = [
  ['requests', 'requests ±20 %', (more: boolean) => ({ requests: ratio(more ? 6n : 4n, 5n) })],
  ['inputTokens', 'input tokens ±20 %', (more: boolean) => ({ inputTokens: ratio(more ? 6n : 4n, 5n) })],
  ['outputTokens', 'output tokens ±20 %', (more: boolean) => ({ outputTokens: ratio(more ? 6n : 4n, 5n) })],
  ['cachedShare', 'share of input from the prompt cache ±10 points', (more: boolean) => ({ cachedShare: ratio(more ? 1n : -1n, 10n) })],
] as const;

/** What a load will cost. Pure; every amount is exact and rounded once, at its end. */
export function costPlan(request: PlanRequest): CostPlan {
  const { basis, profile, requestsPerDay, growthPerMonthRatio, peakDayFactor, alternatives, feature } = request;
  const perMonth = times(exact(requestsPerDay), ratio(PLAN_DAYS));
  const growth = exact(1 + growthPerMonthRatio);
  const monthOf = (place: number, rate = growth): Ratio => times(perMonth, power(rate, place));
  const cost = (requests: Ratio, factors: Factors = AS_IT_IS, of: Profile = profile): Ratio => costOfProfile(of, requests, factors);
  const first = cost(perMonth);
  const months = Array.from({ length: MONTHS }, (_, place) => ({
    month: place + 1,
    requests: Number(round(monthOf(place))),
    picoUsd: round(cost(monthOf(place))).toString(),
  }));
  const at = (change: Partial<Factors>): bigint => round(cost(perMonth, { ...AS_IT_IS, ...change }));
  const sensitivity: CostPlan['sensitivity'] = STEPS.map(([driver, step, change]) => {
    const ends = [at(change(false)), at(change(true))] as const;
    return { driver, step, lowPicoUsd: ends[0].toString(), highPicoUsd: ends[1].toString(), month: 1 };
  });
  const grown = (points: number): string =>
    round(cost(monthOf(MONTHS - 1, exact(Math.max(0, 1 + growthPerMonthRatio + points))))).toString();
  sensitivity.push({
    driver: 'growth',
    step: 'growth a month ±5 points',
    lowPicoUsd: grown(-0.05),
    highPicoUsd: grown(0.05),
    month: MONTHS,
  });
  const width = ({ lowPicoUsd, highPicoUsd }: (typeof sensitivity)[number]): bigint => {
    const difference = BigInt(highPicoUsd) - BigInt(lowPicoUsd);
    return difference < 0n ? -difference : difference;
  };
  sensitivity.sort((a, b) => (width(a) === width(b) ? 0 : width(a) > width(b) ? -1 : 1));
  const models = alternatives.map(({ model, price }) => {
    const moved = price === null ? null : profileOn(profile, model, price);
    const month = moved === null ? null : cost(perMonth, AS_IT_IS, moved);
    return {
      model,
      monthPicoUsd: month === null ? null : round(month).toString(),
      differencePicoUsd: month === null ? null : (round(month) - round(first)).toString(),
    };
  });
  models.sort((a, b) => {
    if (a.monthPicoUsd === null || b.monthPicoUsd === null) return a.monthPicoUsd === b.monthPicoUsd ? 0 : a.monthPicoUsd === null ? 1 : -1;
    return BigInt(a.monthPicoUsd) < BigInt(b.monthPicoUsd) ? -1 : 1;
  });
  const third = round(cost(monthOf(2)));
  const perRequest = requestsPerDay === 0 ? 0n : round(cost(ratio(1n)));
  const dear = [third, round(first)].reduce((most, amount) => (amount > most ? amount : most), 0n);
  const budgets: CostPlan['budgets'] = [
    { period: 'month', usd: roundBudget((dear * 6n) / 5n), rule: 'the dearest of the first three months, with 20 % more requests' },
    {
      period: 'day',
      usd: roundBudget(round(times(ratio(dear * 6n, 5n * PLAN_DAYS), exact(peakDayFactor)))),
      rule: `a thirtieth of that, × ${peakDayFactor.toFixed(2)} for the busiest day`,
    },
    {
      period: 'request',
      usd: roundBudget(perRequest * 20n),
      rule: 'twenty times the mean request: what is above is a mistake more often than a question',
    },
  ];
  const usdOf = (period: string): string => budgets.find((budget) => budget.period === period)?.usd ?? '0';
  const who = feature === null ? 'scope: global' : `scope: feature, name: ${JSON.stringify(feature)}`;
  const tokens = tokensPerRequest(profile);
  return {
    basis,
    requestsPerDay,
    growthPerMonthRatio,
    tokensPerRequest: Math.round(Number(tokens.numerator * 10n) / Number(tokens.denominator)) / 10,
    perRequestPicoUsd: perRequest.toString(),
    months,
    sensitivity,
    models,
    budgets,
    limitsYaml: [
      'limits:',
      `  - { ${who}, budgetUsd: ${usdOf('month')}, per: month, onExceed: alert }`,
      `  - { ${who}, budgetUsd: ${usdOf('day')}, per: day }`,
      `  - { ${who}, maxCostUsd: ${usdOf('request')} }`,
    ].join('\n'),
    selfHosted: request.selfHosted === null ? null : selfHosted(request.selfHosted, perMonth, tokens, first),
  };
}
