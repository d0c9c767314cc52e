import type { Scope } from '../../kernel/scope.ts';
import type { CostFilter, CostPeriod, CostQueries, HourlyDimension } from '../cost-queries.ts';
import { addEffects, decompose, EFFECT_NAMES, type Effects, NO_EFFECTS } from '../variance/decompose.ts';
import { type FindPrice, readPrices } from '../variance/prices.ts';
import { segmentsOf } from '../variance/segments.ts';
import { DAY_MS, type Finding } from './detect.ts';
import type { AnomalyCauses } from './model.ts';

const MAX_RANKED = 8;
/** Of a slow rise, its last days are compared with as many before it began. */
const CREEP_COMPARED_MS = 7 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

/** What is compared: the same hours of the week, before it began. */
export function comparedPeriods({ detector, fromMs, toMs }: Pick<Finding, 'detector' | 'fromMs' | 'toMs'>): {
  readonly before: CostPeriod;
  readonly after: CostPeriod;
} {
  const from = detector === 'spike' ? fromMs : Math.max(fromMs, toMs - CREEP_COMPARED_MS);
  const shift = Math.ceil((toMs - fromMs) / WEEK_MS) * WEEK_MS;
  return { before: { from: from - shift, to: toMs - shift }, after: { from, to: toMs } };
}

/** What made the difference, by the exact additive decomposition over feature, model and key. */
export async function findCauses(
  scope: Scope,
  { costs, findPrice }: { readonly costs: CostQueries; readonly findPrice: FindPrice },
  series: { readonly dimension: HourlyDimension; readonly key: string },
  finding: Pick<Finding, 'detector' | 'fromMs' | 'toMs'>,
): Promise<AnomalyCauses> {
  const { before, after } = comparedPeriods(finding);
  const filter: CostFilter = series.dimension === 'model' ? {} : { [series.dimension]: series.key };
  const { prices, tiers } = await readPrices(scope, costs, findPrice, [before, after]);
  const useOf = async (period: CostPeriod) => {
    const used = await costs.usedAtPrices(scope, period, tiers, filter);
    if (series.dimension !== 'model') {
      const { calls, cachedCalls } = await costs.totals(scope, period, filter);
      return { used, calls: { calls, cached: cachedCalls } };
    }
    const own = used.filter(({ model, responseModel }) => (responseModel ?? model) === series.key);
    // Calls are known by feature and team; of a model, attempts stand for them.
    return { used: own, calls: { calls: own.reduce((sum, { attempts }) => sum + attempts, 0n), cached: 0n } };
  };
  const was = await useOf(before);
  const is = await useOf(after);
  const parts = decompose(segmentsOf(was.used, is.used, prices), was.calls, is.calls);
  const total = parts.reduce<Effects>((sum, part) => addEffects(sum, part.effects), NO_EFFECTS);
  const amounts = new Map<string, { effect: keyof Effects; feature: string; model: string; keyId: string; pico: bigint }>();
  for (const { key, effects } of parts)
    for (const effect of EFFECT_NAMES) {
      const model = `${key.provider}/${key.model}`;
      const id = JSON.stringify([effect, key.feature, model, key.keyId]);
      const known = amounts.get(id);
      amounts.set(id, { effect, feature: key.feature, model, keyId: key.keyId, pico: (known?.pico ?? 0n) + effects[effect] });
    }
  const ranked = [...amounts.values()]
    .filter(({ pico }) => pico > 0n)
    .sort((a, b) => (a.pico === b.pico ? 0 : a.pico > b.pico ? -1 : 1))
    .slice(0, MAX_RANKED);
  return {
    before,
    after,
    differencePicoUsd: EFFECT_NAMES.reduce((sum, name) => sum + total[name], 0n).toString(),
    effects: Object.fromEntries(EFFECT_NAMES.map((name) => [name, total[name].toString()])) as AnomalyCauses['effects'], // every effect is named
    ranked: ranked.map(({ pico, ...cause }) => ({ ...cause, picoUsd: pico.toString() })),
  };
}
