import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { picoUsdFromDecimal } from '../../kernel/money.ts';
import { defineRoute } from '../../kernel/routes.ts';
import type { Scope } from '../../kernel/scope.ts';
import { nearest } from '../../kernel/suggest.ts';
import type { Price } from '../../models/price.ts';
import type { CostQueries } from '../cost-queries.ts';
import { DAY_MS, epochMs } from '../period.ts';
import { type FindPrice, readPrices } from '../variance/prices.ts';
import { CostPlan, costPlan } from './plan.ts';
import { type Profile, profileOfCalls, profileOfDescription } from './profile.ts';
import type { SelfHosted } from './self-hosted.ts';

export interface PlanServices {
  readonly costs: CostQueries;
  readonly findPrice: FindPrice;
  /** Models that can be planned with, by the name used in routes, and their price now; null = unpriced. */
  readonly planModels: () => ReadonlyMap<string, Price | null>;
  /** A model of the price book, `provider/model`; null = not in it. */
  readonly bookPrice: (name: string) => Price | null;
  readonly clock: Clock;
}

const route = defineRoute<PlanServices>();

const SAMPLE_DAYS = 28;
/** The busiest day over the mean one, where no traces tell. */
const USUAL_PEAK = 2;
const names = z.string().max(4_000);

const PlanQuery = z
  .strictObject({
    feature: z.string().min(1).max(128).optional().describe('From its real traces; without requestsPerDay and tokens'),
    from: epochMs.optional().describe('Traces of this range, epoch ms; the last 28 days when left out'),
    to: epochMs.optional(),
    requestsPerDay: z.coerce.number().min(0.001).max(1e9).optional().describe('Described: requests a day; with traces: instead of theirs'),
    inputTokens: z.coerce.number().int().min(0).max(10_000_000).optional().describe('Described: mean input of a request, tokens'),
    outputTokens: z.coerce.number().int().min(0).max(10_000_000).optional().describe('Described: mean output of a request, tokens'),
    cachedRatio: z.coerce.number().min(0).max(1).default(0).describe('Described: share of input that is read from the prompt cache'),
    models: names
      .optional()
      .describe('Described: models with weights, e.g. `fast:80,careful:20`; names of plimsoll.yaml or provider/model of the price book'),
    growth: z.coerce.number().min(-0.9).max(5).default(0).describe('Growth of requests a month; 0.1 = 10 %'),
    alternatives: names.optional().describe('Models to compare with, separated by commas; all of plimsoll.yaml when left out'),
    gpuHourUsd: z
      .string()
      .regex(/^\d{1,6}(\.\d{1,6})?$/)
      .optional()
      .describe('Self-hosted: US dollars a GPU hour'),
    gpusPerReplica: z.coerce.number().int().min(1).max(1_024).default(1),
    tokensPerSecond: z.coerce
      .number()
      .min(0.01)
      .max(10_000_000)
      .optional()
      .describe('Self-hosted: measured, a saturated replica, input and output'),
    utilisation: z.coerce.number().min(0.01).max(1).default(0.5).describe('Self-hosted: share of the time that a replica is busy'),
    peakFactor: z.coerce.number().min(1).max(100).default(3).describe('Self-hosted: busiest hour over the mean'),
  })
  .superRefine((query, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const isDescribed = query.inputTokens !== undefined || query.outputTokens !== undefined || query.models !== undefined;
    if (isDescribed && (query.requestsPerDay === undefined || query.models === undefined))
      issue('models', 'a description needs requestsPerDay, models, and inputTokens or outputTokens');
    if (isDescribed && query.feature !== undefined && query.from !== undefined) issue('from', 'give traces or a description, not both');
    if ((query.gpuHourUsd === undefined) !== (query.tokensPerSecond === undefined)) issue('gpuHourUsd', 'goes with tokensPerSecond');
  });
type PlanQuery = z.output<typeof PlanQuery>;

function findModel(services: PlanServices, name: string): Price | null {
  const known = services.planModels();
  const own = known.get(name);
  if (own !== undefined) return own;
  const fromBook = name.includes('/') ? services.bookPrice(name) : null;
  if (fromBook !== null) return fromBook;
  const close = nearest(name, [...known.keys()]);
  throw new PlimsollError(
    'invalid_argument',
    `No model "${name}": ${close === null ? `known are ${[...known.keys()].slice(0, 20).join(', ') || 'none'}, and provider/model of the price book` : `did you mean "${close}"?`}`,
    { details: { param: 'models' } },
  );
}

function split(list: string): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .slice(0, 50);
}

/** `name:80` → name and weight; without a weight all weigh the same. */
function parseMix(services: PlanServices, text: string): { model: string; weight: number; price: Price }[] {
  return split(text).map((word) => {
    const [, model = word, weight = '1'] = /^(.*):(\d{1,6}(?:\.\d+)?)$/.exec(word) ?? [];
    const price = findModel(services, model);
    if (price === null || Number(weight) <= 0)
      throw new PlimsollError(
        'invalid_argument',
        price === null ? `"${model}" has no price: set one under prices.` : `"${word}" weighs nothing.`,
        {
          details: { param: 'models' },
        },
      );
    return { model, weight: Number(weight), price };
  });
}

interface Basis {
  readonly basis: CostPlan['basis'];
  readonly profile: Profile;
  readonly requestsPerDay: number;
  readonly peakDayFactor: number;
}

function describedBasis(services: PlanServices, query: PlanQuery): Basis {
  const { requestsPerDay = 0, inputTokens = 0, outputTokens = 0, cachedRatio, models = '' } = query;
  const mix = parseMix(services, models);
  if (mix.length === 0) throw new PlimsollError('invalid_argument', 'models names none.', { details: { param: 'models' } });
  const made = profileOfDescription({ inputTokens, outputTokens, cachedRatio, mix });
  if ('unpriced' in made)
    throw new PlimsollError('invalid_argument', `"${made.unpriced}" has no price for input or output.`, { details: { param: 'models' } });
  const text = `${requestsPerDay} requests a day, ${inputTokens} input and ${outputTokens} output tokens each, ${Math.round(cachedRatio * 100)} % of input cached, on ${mix.map(({ model, weight }) => `${model} (${weight})`).join(', ')}`;
  return { basis: { kind: 'description', text, calls: null }, profile: made.profile, requestsPerDay, peakDayFactor: USUAL_PEAK };
}

async function tracedBasis(scope: Scope, services: PlanServices, query: PlanQuery): Promise<Basis> {
  const { costs, findPrice, clock } = services;
  const to = query.to ?? clock.nowMs();
  const period = { from: query.from ?? to - SAMPLE_DAYS * DAY_MS, to };
  if (period.from >= period.to) throw new PlimsollError('invalid_argument', '"from" must be before "to".', { details: { param: 'from' } });
  const filter = query.feature === undefined ? {} : { feature: query.feature };
  const { prices, tiers } = await readPrices(scope, costs, findPrice, [period]);
  const totals = await costs.totals(scope, period, filter);
  const priced = totals.calls - totals.unpricedCalls;
  if (priced <= 0n)
    throw new PlimsollError(
      'invalid_argument',
      `There are no priced calls${query.feature === undefined ? '' : ` of ${query.feature}`} in that range: describe the load instead.`,
      { details: { param: 'feature' } },
    );
  const used = await costs.usedAtPrices(scope, period, tiers, filter);
  const rows = await costs.hourly(scope, period, 'feature');
  const days = new Map<number, bigint>();
  for (const { key, atMs, costPicoUsd } of rows)
    if (query.feature === undefined || key === query.feature) {
      const day = Math.floor(atMs / DAY_MS);
      days.set(day, (days.get(day) ?? 0n) + costPicoUsd);
    }
  const spent = [...days.values()].map(Number);
  const length = Math.max(1, (period.to - Math.max(period.from, (Math.min(...days.keys()) || 0) * DAY_MS)) / DAY_MS);
  const mean = spent.reduce((sum, cost) => sum + cost, 0) / length;
  const requestsPerDay = Math.max(0.001, Math.round((Number(totals.calls) / length) * 1000) / 1000);
  const text = `${totals.calls} calls${query.feature === undefined ? '' : ` of ${query.feature}`} over ${length.toFixed(1)} days${totals.unpricedCalls > 0n ? `, ${totals.unpricedCalls} of them unpriced and taken as the others` : ''}`;
  return {
    basis: { kind: 'traces', text, calls: Number(totals.calls) },
    profile: profileOfCalls(priced, used, prices),
    requestsPerDay: query.requestsPerDay ?? requestsPerDay,
    peakDayFactor: mean > 0 ? Math.max(1, Math.max(...spent) / mean) : USUAL_PEAK,
  };
}

function hostOf({ gpuHourUsd, gpusPerReplica, tokensPerSecond, utilisation, peakFactor }: PlanQuery): SelfHosted | null {
  if (gpuHourUsd === undefined || tokensPerSecond === undefined || picoUsdFromDecimal(gpuHourUsd) === 0n) return null;
  return { gpuHourUsd, gpusPerReplica, tokensPerSecond, utilisationRatio: utilisation, peakFactor };
}

export const planRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/costs/plan',
    summary: 'What a load will cost, from real traces or a description: months, sensitivity, other models, budgets, self-hosting',
    permission: 'costs:read',
    query: PlanQuery,
    response: CostPlan,
    async handler({ scope, query, services }) {
      const basis = query.models === undefined ? await tracedBasis(scope, services, query) : describedBasis(services, query);
      const wanted = query.alternatives === undefined ? [...services.planModels().keys()].slice(0, 50) : split(query.alternatives);
      return costPlan({
        ...basis,
        growthPerMonthRatio: query.growth,
        alternatives: wanted.map((model) => ({ model, price: findModel(services, model) })),
        selfHosted: hostOf(query),
        feature: query.feature ?? null,
      });
    },
  }),
];
