/** How the cache of one feature works, as the snapshot carries it. Absent = the feature has none. */
export interface FeatureCacheSettings {
  readonly mode: 'exact' | 'near' | 'semantic';
  readonly ttlMs: number;
  readonly maxTemperature: number;
  readonly replay: 'instant' | 'recorded';
  readonly keepsToolCalls: boolean;
  readonly keepsTruncated: boolean;
  readonly isolation: 'feature' | 'customer' | 'user';
  /** Null unless the mode is `semantic`. */
  readonly semantic: SemanticSettings | null;
}

/**
 * shadow: would-be hits go to the model, its answer is compared with the cached one · live: hits are served, a sample is compared ·
 * off: too many were wrong.
 */
export type SemanticState = 'shadow' | 'live' | 'off';

/** A model or route of this gateway whose vectors compare questions. */
export interface ModelEmbedder {
  readonly model: string;
  /** Later than this a call goes on without having been compared. */
  readonly timeoutMs: number;
  /** `model:` and the provider's name of the model: vectors of others cannot be compared. */
  readonly id: string;
}

export interface SemanticSettings {
  readonly embedder: 'lexical' | ModelEmbedder;
  readonly threshold: number;
  readonly maxFalseHitRatio: number;
  readonly shadowRatio: number;
  /** See `isSameAnswer`. */
  readonly sameAnswerSimilarity: number;
  readonly maxEntries: number;
  readonly state: SemanticState;
  /** The check that allowed it: another one starts the measurement anew. */
  readonly checkId: string;
}

/** What removes answers everywhere; null = any. */
export interface PurgeSelector {
  readonly feature: string | null;
  /** `name=value` */
  readonly tag: string | null;
}

/** Answers filled by calls that did not know a purge yet are void if it names them. */
export interface CachePurge extends PurgeSelector {
  /** 1, 2, 3 … */
  readonly sequence: number;
}

/** What all features share. */
export interface CacheSettings {
  readonly driver: 'memory' | 'redis';
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
  readonly lookupTimeoutMs: number;
  /** Ascending; the newest ones. */
  readonly purges: readonly CachePurge[];
}

export const DEFAULT_CACHE_SETTINGS: CacheSettings = Object.freeze({
  driver: 'memory',
  maxBytes: 64 * 1024 * 1024,
  maxEntryBytes: 1024 * 1024,
  lookupTimeoutMs: 25,
  purges: [],
});
