import type { CataloguedFeature } from '../features/model.ts';
import { residencyOf, residencyRefusal } from '../features/residency.ts';
import { featureTargets } from '../gateway/routing/route-config.ts';
import type { Config } from './config.ts';

/** A target that a feature may not use, with the reason. */
export interface RefusedTarget {
  readonly model: string;
  readonly rule: string;
}

/** Targets of a feature's route that its residency leaves out. Names that lead nowhere are left to other checks. */
export function refusedTargets(config: Config, feature: Config['features'][string]): { all: readonly string[]; refused: RefusedTarget[] } {
  const all = featureTargets(config.routes, feature.route);
  if (feature.residency === undefined) return { all, refused: [] };
  const residency = residencyOf(feature.residency);
  const refused = all.flatMap((alias): RefusedTarget[] => {
    const model = Object.hasOwn(config.models, alias) ? config.models[alias] : undefined;
    const provider = model === undefined ? undefined : config.providers[model.provider];
    if (model === undefined || provider === undefined) return [];
    const place = { region: model.region ?? provider.region ?? null, isSelfHosted: model.selfHosted ?? provider.selfHosted };
    const rule = residencyRefusal(residency, place);
    return rule === null ? [] : [{ model: alias, rule }];
  });
  return { all, refused };
}

/** The features of a configuration with their routes resolved. @param unpriced model aliases without a price */
export function cataloguedFeatures(config: Config, unpriced: ReadonlySet<string>): CataloguedFeature[] {
  return Object.entries(config.features).map(([name, feature]) => {
    const { all: targets, refused } = refusedTargets(config, feature);
    return {
      name,
      owner: feature.owner ?? null,
      costOwner: feature.costOwner ?? null,
      description: feature.description ?? null,
      route: feature.route,
      targets,
      payloads: feature.payloads,
      unpricedTargets: targets.filter((target) => unpriced.has(target)),
      refusedTargets: refused,
    };
  });
}
