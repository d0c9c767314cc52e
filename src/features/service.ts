import type { Scope } from '../kernel/scope.ts';
import type { CataloguedFeature, FeatureView } from './model.ts';
import { featureWarnings } from './warnings.ts';

/** Features of the configuration in force. */
export interface FeatureCatalogue {
  list(scope: Scope): readonly CataloguedFeature[];
}

/** Virtual keys that work now, by feature. */
export interface FeatureKeyCounts {
  countByFeature(scope: Scope): Promise<ReadonlyMap<string, number>>;
}

export interface FeatureService {
  /** By name. */
  list(scope: Scope): Promise<FeatureView[]>;
}

export function createFeatureService(catalogue: FeatureCatalogue, keys: FeatureKeyCounts): FeatureService {
  return {
    async list(scope) {
      const counts = await keys.countByFeature(scope);
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
          keyCount: counts.get(feature.name) ?? 0,
          warnings: featureWarnings(feature),
        }))
        .sort((left, right) => (left.name < right.name ? -1 : 1));
    },
  };
}
