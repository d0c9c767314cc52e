import type { FeatureCacheConfig } from '../features/cache-config.ts';
import type { ModelEmbedder } from '../gateway/cache/settings.ts';
import { featureTargets } from '../gateway/routing/route-config.ts';
import { LEXICAL_EMBEDDER_ID } from '../models/lexical-embedder.ts';
import type { Config } from './config.ts';

type EmbedderConfig = FeatureCacheConfig['semantic']['embedder'];

/** The provider's names of the models behind a model or route. */
function upstreamModels({ routes, models }: Pick<Config, 'routes' | 'models'>, name: string): string[] {
  return [...new Set(featureTargets(routes, name).map((alias) => models[alias]?.model ?? alias))];
}

/** What the vectors of a feature's questions are made by: those of another one cannot be compared with them, and a check of it allows nothing. */
export function embedderId(config: Pick<Config, 'routes' | 'models'>, embedder: EmbedderConfig): string {
  return embedder === 'lexical' ? LEXICAL_EMBEDDER_ID : `model:${upstreamModels(config, embedder.model)[0]}`;
}

/** For the snapshot. */
export function resolveEmbedder(config: Pick<Config, 'routes' | 'models'>, embedder: EmbedderConfig): 'lexical' | ModelEmbedder {
  return embedder === 'lexical' ? embedder : { ...embedder, id: embedderId(config, embedder) };
}

/** Why a feature's questions cannot be compared by this model or route, whose name is known; null = they can. */
export function embedderProblem(config: Config, feature: Config['features'][string], name: string): string | null {
  const models = upstreamModels(config, name);
  if (models.length > 1)
    return `"${name}" leads to ${models.join(', ')}: vectors of different models say nothing of each other; name a route or model with one of them`;
  const isSimulated = (target: string): boolean =>
    featureTargets(config.routes, target).some((alias) => config.providers[config.models[alias]?.provider ?? '']?.kind === 'sim');
  if (isSimulated(name) && !isSimulated(feature.route))
    return `"${name}" is simulated and would decide which real answers are alike: a wrong one could reach a user`;
  return null;
}
