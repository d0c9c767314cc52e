import { z } from 'zod';
import { COST_GROUPS, type CostGroup, type CostPeriod, type PeriodTotals, type UsedAtPrice } from '../cost-queries.ts';
import { addEffects, decompose, EFFECT_NAMES, type Effects, NO_EFFECTS, type SegmentVariance } from './decompose.ts';
import { type PricesById, type SegmentKey, segmentsOf } from './segments.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

const EffectsView = z.object({
  volume: pico('More or fewer calls, all else as before'),
  answerCache: pico('Another share of calls that the answer cache answered'),
  mix: pico('Other features, teams, keys, models, or attempts per call; all of what is new or gone'),
  retries: pico('More or fewer attempts that failed and cost money all the same'),
  tokensPerCall: pico('Longer or shorter questions and answers'),
  promptCache: pico("Another share of input from or to the provider's prompt cache"),
  price: pico('Another price for the same'),
});

const Line = z.object({
  beforePicoUsd: pico('Cost before'),
  afterPicoUsd: pico('Cost after'),
  differencePicoUsd: pico('after − before, the sum of the effects'),
  effects: EffectsView,
});

const PeriodView = z.object({
  from: z.int().describe('Epoch ms, inclusive'),
  to: z.int().describe('Epoch ms, exclusive'),
  calls: z.int(),
  cachedCalls: z.int().describe('Answered from the answer cache'),
  unpricedCalls: z.int().describe('In no sum: what they cost is not known'),
});

export const CostVariance = z
  .object({
    before: PeriodView,
    after: PeriodView,
    groupBy: z.enum(COST_GROUPS),
    total: Line,
    groups: z.array(Line.extend({ key: z.string().nullable().describe('Null = calls without one') })).describe('The largest change first'),
  })
  .meta({ id: 'CostVariance' });
export type CostVariance = z.infer<typeof CostVariance>;

type Sums = Pick<SegmentVariance<unknown>, 'beforePicoUsd' | 'afterPicoUsd' | 'effects'>;
const NOTHING: Sums = { beforePicoUsd: 0n, afterPicoUsd: 0n, effects: NO_EFFECTS };

function plus(a: Sums, b: Sums): Sums {
  return {
    beforePicoUsd: a.beforePicoUsd + b.beforePicoUsd,
    afterPicoUsd: a.afterPicoUsd + b.afterPicoUsd,
    effects: addEffects(a.effects, b.effects),
  };
}

function toLine({ beforePicoUsd, afterPicoUsd, effects }: Sums): z.infer<typeof Line> {
  return {
    beforePicoUsd: beforePicoUsd.toString(),
    afterPicoUsd: afterPicoUsd.toString(),
    differencePicoUsd: (afterPicoUsd - beforePicoUsd).toString(),
    effects: Object.fromEntries(EFFECT_NAMES.map((name) => [name, effects[name].toString()])) as Record<keyof Effects, string>, // every effect is named
  };
}

function groupKey(key: SegmentKey, groupBy: CostGroup): string | null {
  switch (groupBy) {
    case 'feature':
      return key.feature;
    case 'team':
      return key.team;
    case 'model':
      return `${key.provider}/${key.model}`;
    case 'key':
      return key.keyId;
    case 'customer':
    case 'user':
    case 'route':
    case 'operation':
    case 'requestedModel':
    case 'tag':
      return key.extra;
    default:
      return groupBy satisfies never;
  }
}

export interface PeriodUse extends CostPeriod {
  readonly totals: PeriodTotals;
  readonly used: readonly UsedAtPrice[];
}

function periodView({ from, to, totals }: PeriodUse): z.infer<typeof PeriodView> {
  const { calls, cachedCalls, unpricedCalls } = totals;
  return { from, to, calls: Number(calls), cachedCalls: Number(cachedCalls), unpricedCalls: Number(unpricedCalls) };
}

/** Why the cost of one period differs from that of another; groups add up to the total, effects to the difference, to the last pico-dollar. */
export function costVariance(before: PeriodUse, after: PeriodUse, prices: PricesById, groupBy: CostGroup): CostVariance {
  const callsOf = ({ totals }: PeriodUse) => ({ calls: totals.calls, cached: totals.cachedCalls });
  const parts = decompose(segmentsOf(before.used, after.used, prices), callsOf(before), callsOf(after));
  const groups = new Map<string | null, Sums>();
  let total = NOTHING;
  for (const part of parts) {
    const key = groupKey(part.key, groupBy);
    groups.set(key, plus(groups.get(key) ?? NOTHING, part));
    total = plus(total, part);
  }
  const change = ({ beforePicoUsd, afterPicoUsd }: Sums): bigint =>
    afterPicoUsd > beforePicoUsd ? afterPicoUsd - beforePicoUsd : beforePicoUsd - afterPicoUsd;
  return {
    before: periodView(before),
    after: periodView(after),
    groupBy,
    total: toLine(total),
    groups: [...groups]
      .sort(([, a], [, b]) => (change(a) === change(b) ? 0 : change(a) > change(b) ? -1 : 1))
      .map(([key, sums]) => ({ key, ...toLine(sums) })),
  };
}
