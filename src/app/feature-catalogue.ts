import type { KpiConfig, KpiView } from '../features/kpi-config.ts';
import type { CataloguedFeature } from '../features/model.ts';
import { approvalsOf, judgeModel } from '../features/model-approval.ts';
import { residencyOf, residencyRefusal } from '../features/residency.ts';
import { featureTargets } from '../gateway/routing/route-config.ts';
import { picoUsdFromDecimal } from '../kernel/money.ts';
import { lifecycleWarning, type ModelLifecycle } from '../models/lifecycle.ts';
import type { Price } from '../models/price.ts';
import type { Config } from './config.ts';

/** A target that a feature may not use, with the reason. */
export interface RefusedTarget {
  readonly model: string;
  readonly rule: string;
}

/** What is needed of a model of the catalogue or the snapshot. */
interface CatalogueModel {
  readonly name: string;
  readonly price: Price | null;
  readonly lifecycle?: ModelLifecycle;
}

/**
 * Targets of a feature's route that its residency and its list of models leave out. Names that lead nowhere are left to other checks.
 * @param nowMs epoch ms, for approvals that expire; -Infinity = as if none did
 */
export function refusedTargets(
  config: Config,
  feature: Config['features'][string],
  nowMs: number,
): { all: readonly string[]; refused: RefusedTarget[] } {
  const all = featureTargets(config.routes, feature.route);
  const residency = feature.residency === undefined ? null : residencyOf(feature.residency);
  const approvals = approvalsOf(feature.models, feature.modelPolicy);
  const refused = all.flatMap((alias): RefusedTarget[] => {
    const model = Object.hasOwn(config.models, alias) ? config.models[alias] : undefined;
    const provider = model === undefined ? undefined : config.providers[model.provider];
    if (model === undefined || provider === undefined) return [];
    const place = { region: model.region ?? provider.region ?? null, isSelfHosted: model.selfHosted ?? provider.selfHosted };
    const outside = residency === null ? null : residencyRefusal(residency, place);
    const rule = outside ?? (approvals === null ? null : judgeModel(approvals, alias, nowMs).refusal);
    return rule === null ? [] : [{ model: alias, rule }];
  });
  return { all, refused };
}

/** What is the matter with the models of a feature's route, one sentence each: approvals that lapse, providers that retire them. */
function modelNotices(
  targets: readonly string[],
  feature: Config['features'][string],
  models: ReadonlyMap<string, CatalogueModel>,
  nowMs: number,
): string[] {
  const approvals = approvalsOf(feature.models, feature.modelPolicy);
  return targets.flatMap((alias) => {
    const lifecycle = models.get(alias)?.lifecycle;
    const end = lifecycle === undefined ? null : lifecycleWarning(lifecycle, nowMs);
    const approval = approvals === null ? null : judgeModel(approvals, alias, nowMs).warning;
    return [end === null ? '' : `Model ${alias} ${end}.`, approval === null ? '' : `Model ${alias}: ${approval}.`].filter(
      (text) => text !== '',
    );
  });
}

function kpiView({ outcome, name, target, maxCostUsd }: KpiConfig): KpiView {
  return {
    outcome,
    name: name ?? null,
    targetRatio: target ?? null,
    maxCostPicoUsd: maxCostUsd === undefined ? null : picoUsdFromDecimal(`${maxCostUsd}`).toString(),
  };
}

/**
 * The features of a configuration with their routes resolved.
 * @param models of the catalogue in force
 */
export function cataloguedFeatures(config: Config, models: readonly CatalogueModel[], nowMs: number): CataloguedFeature[] {
  const byAlias = new Map(models.map((model) => [model.name, model]));
  return Object.entries(config.features).map(([name, feature]) => {
    const { all: targets, refused } = refusedTargets(config, feature, nowMs);
    return {
      name,
      owner: feature.owner ?? null,
      costOwner: feature.costOwner ?? null,
      description: feature.description ?? null,
      route: feature.route,
      targets,
      payloads: feature.payloads,
      unpricedTargets: targets.filter((target) => byAlias.get(target)?.price === null),
      refusedTargets: refused,
      modelNotices: modelNotices(targets, feature, byAlias, nowMs),
      kpi: feature.kpi === undefined ? null : kpiView(feature.kpi),
    };
  });
}
