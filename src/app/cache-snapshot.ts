import type { FeatureCacheConfig } from '../features/cache-config.ts';
import type { CachePurge, CacheSettings, FeatureCacheSettings, SemanticState } from '../gateway/cache/settings.ts';
import { resolveEmbedder } from './cache-embedder.ts';
import type { Config } from './config.ts';

/** What control knows of the caches beside the configuration. */
export interface CacheKnowledge {
  readonly purges: readonly CachePurge[];
  /** Where the semantic cache of a feature stands; null = no check has shown that its settings are safe. */
  semanticState(feature: string, config: FeatureCacheConfig): { readonly state: SemanticState; readonly checkId: string } | null;
}

/** Before anything is known: nothing was purged and nothing was shown to be safe. */
export const NO_CACHE_KNOWLEDGE: CacheKnowledge = Object.freeze({ purges: [], semanticState: () => null });

/** The cache of one feature for the snapshot; null = it has none. Without a check that passed, semantic is no more than near. */
export function featureCache(
  name: string,
  config: FeatureCacheConfig | undefined,
  knowledge: CacheKnowledge,
  catalogue: Pick<Config, 'routes' | 'models'>,
): FeatureCacheSettings | null {
  if (config === undefined || config.mode === 'off') return null;
  const standing = config.mode === 'semantic' ? knowledge.semanticState(name, config) : null;
  return {
    mode: config.mode === 'semantic' && standing === null ? 'near' : config.mode,
    ttlMs: config.ttlSeconds * 1000,
    maxTemperature: config.maxTemperature,
    replay: config.replay,
    keepsToolCalls: config.toolCalls,
    keepsTruncated: config.truncated,
    isolation: config.isolation,
    semantic:
      standing === null ? null : { ...config.semantic, embedder: resolveEmbedder(catalogue, config.semantic.embedder), ...standing },
  };
}

/** What all features share, for the snapshot. */
export function sharedCache(config: Config, knowledge: CacheKnowledge): CacheSettings {
  return { ...config.cache, purges: knowledge.purges };
}
