import type { CacheUse } from '../../costs/store.ts';
import type { FeatureCacheConfig } from '../../features/cache-config.ts';
import type { Clock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { newUuidV7 } from '../../kernel/ids.ts';
import type { Scope } from '../../kernel/scope.ts';
import { wilsonInterval } from '../../stats/intervals.ts';
import type { WorkerPresence } from '../worker-presence.ts';
import { type Comparison, checkPairs, LEXICAL } from './check-pairs.ts';
import type { CacheCheckReport, CacheCheckRequest, CacheFeatureView, CacheView } from './model.ts';
import { advanceStanding, type SemanticStanding, type ShadowCount, UNMEASURED } from './semantic-standing.ts';
import type { CachePurge, CacheSettings, PurgeSelector } from './settings.ts';

/** Small values of a scope; writes belong to the caller's transaction. */
export interface CacheStateStore {
  get(scope: Scope, key: string): Promise<unknown>;
  put(scope: Scope, key: string, value: unknown): Promise<void>;
  /** Atomic, and holds other writers of the same key back until the transaction ends. */
  increment(scope: Scope, key: string): Promise<number>;
}

/** What gateways hold of a feature at this moment. */
export interface LiveHoldings {
  readonly entries: number;
  readonly bytes: number;
  readonly questions: number;
}

export interface CacheServiceOptions {
  readonly store: CacheStateStore;
  readonly clock: Clock;
  readonly features: () => ReadonlyMap<string, FeatureCacheConfig | undefined>;
  readonly shared: () => Omit<CacheSettings, 'purges'>;
  /** What the vectors of a configured embedder are made by. */
  readonly embedderId: (embedder: FeatureCacheConfig['semantic']['embedder']) => string;
  /** Null = no gateway has said. */
  readonly live: (feature: string) => LiveHoldings | null;
  readonly use: (scope: Scope, from: number, to: number) => Promise<CacheUse[]>;
  /** Who reports holdings. */
  readonly gateways: () => WorkerPresence[];
}

/** Where the semantic cache of a feature stands under the check that allowed it. */
export type CheckedStanding = SemanticStanding & { readonly checkId: string };

/** Comparisons of one gateway process, numbered, so that one that is sent twice counts once. */
export interface ShadowBatch {
  readonly writer: string;
  readonly bootId: string;
  /** 1, 2, 3 … per boot. */
  readonly sequence: number;
  readonly shadow: readonly (ShadowCount & { readonly feature: string; readonly checkId: string })[];
}

export interface CacheService {
  view(scope: Scope, range: { readonly from?: number | undefined; readonly to?: number | undefined }): Promise<CacheView>;
  /** @throws PlimsollError `not_found` for a feature that is not configured */
  purge(scope: Scope, selector: PurgeSelector): Promise<number>;
  /** Measures and remembers. @throws PlimsollError `not_found` */
  check(scope: Scope, request: CacheCheckRequest): Promise<CacheCheckReport>;
  purges(scope: Scope): Promise<CachePurge[]>;
  checks(scope: Scope): Promise<Readonly<Record<string, CacheCheckReport>>>;
  standings(scope: Scope): Promise<Readonly<Record<string, CheckedStanding>>>;
  /** Adds comparisons up. @returns the features whose standing changed */
  addComparisons(scope: Scope, batch: ShadowBatch): Promise<{ readonly feature: string; readonly standing: SemanticStanding }[]>;
}

const PURGES = 'cache.purges';
const CHECKS = 'cache.checks';
const STANDINGS = 'cache.standings';
/** A gateway that knows none of them voids more than it must, never less. */
const MAX_PURGES = 100;
const DAY_MS = 86_400_000;

/** The check that allows these settings; null = none does. */
export function allowingCheck(
  check: CacheCheckReport | undefined,
  config: FeatureCacheConfig,
  embedderId: string,
): CacheCheckReport | null {
  if (check?.verdict !== 'safe' || check.recommendedThreshold === null || check.embedder !== embedderId) return null;
  const { threshold, maxFalseHitRatio } = config.semantic;
  return threshold >= check.recommendedThreshold && maxFalseHitRatio >= check.maxFalseHitRatio ? check : null;
}

/** Why a semantic cache is not allowed, and what to do. */
export function whyNotAllowed(
  feature: string,
  check: CacheCheckReport | undefined,
  config: FeatureCacheConfig,
  embedderId: string,
): string {
  const command = `run "plimsoll cache check ${feature} --pairs FILE.jsonl"`;
  if (check === undefined) return `features.${feature}.cache.mode is semantic and no check has shown that this is safe; ${command}`;
  if (check.verdict !== 'safe')
    return `features.${feature}.cache.mode is semantic and its last check says: ${check.verdict}. ${check.reason} ${command}`;
  if (check.embedder !== embedderId)
    return `features.${feature}.cache.semantic compares by ${embedderId}, and what was checked is ${check.embedder}; ${command}`;
  if (config.semantic.threshold < (check.recommendedThreshold ?? 1))
    return `features.${feature}.cache.semantic.threshold is ${config.semantic.threshold}; the check found ${check.recommendedThreshold} and above to be safe`;
  return `features.${feature}.cache.semantic is stricter than what was checked (bound ${check.maxFalseHitRatio}); ${command}`;
}

/** The command line asks the gateway for vectors, as calls do: whoever labels the pairs vouches for both. */
function modelComparison(id: string, model: string): Comparison {
  return {
    id,
    kind: 'provider',
    similarity({ similarity }) {
      if (similarity !== undefined) return similarity;
      throw new PlimsollError(
        'invalid_argument',
        `Questions of this feature are compared by "${model}": each pair needs its "similarity"; "plimsoll cache check" asks for it.`,
        { details: { param: 'pairs' } },
      );
    },
  };
}

export function createCacheService(options: CacheServiceOptions): CacheService {
  const { store, clock, features, shared } = options;
  const read = async <T>(scope: Scope, key: string, fallback: T): Promise<T> => ((await store.get(scope, key)) ?? fallback) as T; // written below only
  const checks = (scope: Scope) => read<Record<string, CacheCheckReport>>(scope, CHECKS, {});
  const purges = (scope: Scope) => read<CachePurge[]>(scope, PURGES, []);
  const states = (scope: Scope) =>
    read<{ standings: Record<string, CheckedStanding>; writers: Record<string, { bootId: string; sequence: number }> }>(scope, STANDINGS, {
      standings: {},
      writers: {},
    });

  function configOf(feature: string): FeatureCacheConfig | undefined {
    const known = features();
    if (!known.has(feature))
      throw new PlimsollError('not_found', `There is no feature "${feature}". Known: ${[...known.keys()].join(', ') || 'none'}.`);
    return known.get(feature);
  }

  return {
    purges,
    checks,
    async standings(scope) {
      return (await states(scope)).standings;
    },

    async view(scope, range) {
      const to = range.to ?? clock.nowMs();
      const from = range.from ?? to - DAY_MS;
      const [use, known, { standings }, purged] = await Promise.all([
        options.use(scope, from, to),
        checks(scope),
        states(scope),
        purges(scope),
      ]);
      const { driver, maxBytes } = shared();
      const rows = [...features()].map(([feature, config]) =>
        featureView(feature, config, use, options.live(feature), known[feature], standings[feature], options.embedderId),
      );
      return { from, to, driver, maxBytes, purges: purged.at(-1)?.sequence ?? 0, gateways: options.gateways(), features: rows };
    },

    async purge(scope, selector) {
      if (selector.feature !== null) configOf(selector.feature);
      const sequence = await store.increment(scope, `${PURGES}.sequence`);
      const kept = [...(await purges(scope)), { ...selector, sequence }];
      // The oldest ones become one that names everything: safe, and an answer that old has mostly expired.
      const [first, ...rest] = kept.slice(-MAX_PURGES);
      const isCut = kept.length > MAX_PURGES && first !== undefined;
      await store.put(scope, PURGES, isCut ? [{ feature: null, tag: null, sequence: first.sequence }, ...rest] : kept);
      return sequence;
    },

    async check(scope, { feature, pairs }) {
      const { maxFalseHitRatio: bound = DEFAULT_BOUND, embedder = 'lexical' as const } = configOf(feature)?.semantic ?? {};
      const comparison = embedder === 'lexical' ? LEXICAL : modelComparison(options.embedderId(embedder), embedder.model);
      const measured = checkPairs(pairs, comparison, bound);
      const nowMs = clock.nowMs();
      const report: CacheCheckReport = { id: newUuidV7(nowMs), feature, at: nowMs, ...measured };
      await store.increment(scope, `${CHECKS}.sequence`);
      await store.put(scope, CHECKS, { ...(await checks(scope)), [feature]: report });
      return report;
    },

    async addComparisons(scope, { writer, bootId, sequence, shadow }) {
      // Holds other replicas of control back: what follows reads and writes one value.
      await store.increment(scope, `${STANDINGS}.sequence`);
      const state = await states(scope);
      const last = state.writers[writer];
      if (last?.bootId === bootId && last.sequence >= sequence) return [];
      const changed: { feature: string; standing: SemanticStanding }[] = [];
      const known = await checks(scope);
      for (const { feature, checkId, ...count } of shadow) {
        const config = features().get(feature);
        if (config === undefined || known[feature]?.id !== checkId) continue;
        const before = state.standings[feature]?.checkId === checkId ? state.standings[feature] : { ...UNMEASURED, checkId };
        const standing = advanceStanding(before, count, config.semantic.maxFalseHitRatio);
        state.standings[feature] = { ...standing, checkId };
        if (standing.state !== before.state) changed.push({ feature, standing });
      }
      state.writers[writer] = { bootId, sequence };
      await store.put(scope, STANDINGS, state);
      return changed;
    },
  };
}

const DEFAULT_BOUND = 0.02;

function summaryOf(report: CacheCheckReport | undefined): CacheFeatureView['check'] {
  if (report === undefined) return null;
  const { id, at, embedder, verdict, reason, recommendedThreshold, maxFalseHitRatio, same, different } = report;
  return { id, at, embedder, verdict, reason, recommendedThreshold, maxFalseHitRatio, same, different };
}

function semanticView(
  feature: string,
  config: FeatureCacheConfig,
  live: LiveHoldings | null,
  check: CacheCheckReport | undefined,
  standing: CheckedStanding | undefined,
  embedderId: string,
): CacheFeatureView['semantic'] {
  const allowed = allowingCheck(check, config, embedderId);
  const current = allowed === null ? null : standing?.checkId === allowed.id ? standing : UNMEASURED;
  const { samples, falseHits } = current ?? UNMEASURED;
  return {
    state: current?.state ?? 'unchecked',
    reason: current?.reason ?? whyNotAllowed(feature, check, config, embedderId),
    threshold: config.semantic.threshold,
    maxFalseHitRatio: config.semantic.maxFalseHitRatio,
    samples,
    falseHits,
    falseHitRatio: samples === 0 ? null : falseHits / samples,
    falseHitInterval: samples === 0 ? null : wilsonInterval(falseHits, samples),
    questions: live?.questions ?? 0,
    check: summaryOf(check),
  };
}

function shareOf(hits: number, calls: number): CacheFeatureView['kinds']['exact'] {
  return { hits, ratio: calls === 0 ? null : hits / calls, interval: calls === 0 ? null : wilsonInterval(hits, calls) };
}

function featureView(
  feature: string,
  config: FeatureCacheConfig | undefined,
  use: readonly CacheUse[],
  live: LiveHoldings | null,
  check: CacheCheckReport | undefined,
  standing: CheckedStanding | undefined,
  embedderId: CacheServiceOptions['embedderId'],
): CacheFeatureView {
  const own = use.filter((row) => row.feature === feature);
  const count = (outcome: CacheUse['outcome']): number => own.find((row) => row.outcome === outcome)?.calls ?? 0;
  const [hits, nearHits, semanticHits, misses] = [count('hit'), count('near-hit'), count('semantic-hit'), count('miss')];
  const served = hits + nearHits + semanticHits;
  const calls = served + misses;
  return {
    feature,
    mode: config?.mode ?? 'off',
    entries: live?.entries ?? null,
    bytes: live?.bytes ?? null,
    calls,
    hits,
    nearHits,
    semanticHits,
    misses,
    bypasses: count('bypass'),
    hitRatio: calls === 0 ? null : served / calls,
    hitInterval: calls === 0 ? null : wilsonInterval(served, calls),
    kinds: { exact: shareOf(hits, calls), near: shareOf(nearHits, calls), semantic: shareOf(semanticHits, calls) },
    unpricedHits: own.reduce((sum, row) => sum + row.unpricedCalls, 0),
    savedPicoUsd: own.reduce((sum, row) => sum + row.savedPicoUsd, 0n).toString(),
    savedInputTokens: own.reduce((sum, row) => sum + row.savedInputTokens, 0),
    savedOutputTokens: own.reduce((sum, row) => sum + row.savedOutputTokens, 0),
    embeddingModel: config === undefined || config.semantic.embedder === 'lexical' ? null : config.semantic.embedder.model,
    semantic:
      config?.mode === 'semantic' ? semanticView(feature, config, live, check, standing, embedderId(config.semantic.embedder)) : null,
    check: summaryOf(check),
  };
}
