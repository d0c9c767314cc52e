import type { Scope } from '../kernel/scope.ts';
import type { CataloguedFeature, FeatureView } from './model.ts';
import type { FeatureSwitchView } from './switch.ts';
import { featureWarnings } from './warnings.ts';

/** Features of the configuration in force. */
export interface FeatureCatalogue {
  list(scope: Scope): readonly CataloguedFeature[];
}

/** Virtual keys that work now, by feature. */
export interface FeatureKeyCounts {
  countByFeature(scope: Scope): Promise<ReadonlyMap<string, number>>;
}

/** Switches in force, by feature. */
export interface FeatureSwitchesInForce {
  inForce(scope: Scope): Promise<ReadonlyMap<string, FeatureSwitchView>>;
}

export interface FeatureService {
  /** By name. */
  list(scope: Scope): Promise<FeatureView[]>;
}

export function createFeatureService(
  catalogue: FeatureCatalogue,
  keys: FeatureKeyCounts,
  switches: FeatureSwitchesInForce,
): FeatureService {
  return {
    async list(scope) {
      const [counts, inForce] = await Promise.all([keys.countByFeature(scope), switches.inForce(scope)]);
      return catalogue
        .list(scope)
        .map((feature) => ({
          name: feature.name,
          owner: feature.owner,
          costOwner: feature.costOwner,
          description: feature.description,
          route: feature.route,
          targets: [...feature.targets],
          payloads: feature.payloads,
          switch: inForce.get(feature.name) ?? null,
          keyCount: counts.get(feature.name) ?? 0,
          kpi: feature.kpi,
          warnings: featureWarnings(feature),
        }))
        .sort((left, right) => (left.name < right.name ? -1 : 1));
    },
  };
}
