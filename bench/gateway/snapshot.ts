import type { LimitRule } from '../../src/gateway/admission/limit-rule.ts';
import type { FeatureCacheSettings } from '../../src/gateway/cache/settings.ts';
import type { HealthPolicy, RoutePolicy } from '../../src/gateway/routing/policy.ts';
import type { Snapshot, SnapshotProvider } from '../../src/gateway/snapshot.ts';
import { keyHmac } from '../../src/identity/virtual-key.ts';

/**
 * all: a route with two targets, retries and health, limits of five scopes (requests, tokens, concurrency, budgets), an exact cache ·
 * uncached: the same without the cache · bare: a model alias, no limits, no cache.
 */
export type BenchStages = 'all' | 'uncached' | 'bare';

const NOTHING_LIMITED = {
  name: null,
  feature: null,
  windows: [],
  concurrency: null,
  budget: null,
  maxSteps: null,
  maxInputTokens: null,
  maxOutputTokens: null,
  maxCostNanoUsd: null,
  unpriced: 'allow',
  onExceed: 'reject',
  downgradeTo: null,
  queue: null,
  isLoopBreaker: false,
  owner: 'team',
  costOwner: 'finance',
} as const;
const PLENTY = 1e12;
const budget = (per: 'day' | 'month'): LimitRule['budget'] => ({ nanoUsd: PLENTY, per, timeZone: 'UTC', alertAtPercent: [50, 80, 100] });
const LIMITS: readonly LimitRule[] = [
  { ...NOTHING_LIMITED, id: 'organisation', scope: 'organisation', budget: budget('month') },
  { ...NOTHING_LIMITED, id: 'team', scope: 'team', budget: budget('month') },
  { ...NOTHING_LIMITED, id: 'feature', scope: 'feature', budget: budget('day'), concurrency: 100_000 },
  { ...NOTHING_LIMITED, id: 'key', scope: 'key', windows: [{ unit: 'requests', amount: PLENTY, windowMs: 60_000 }] },
  { ...NOTHING_LIMITED, id: 'model', scope: 'model', windows: [{ unit: 'tokens', amount: PLENTY, windowMs: 60_000 }] },
];
const TARGET = { weight: 1, tier: null, when: null } as const;
const ROUTE: RoutePolicy = {
  strategy: 'priority',
  targets: [TARGET, TARGET],
  stickyBy: 'session',
  classifier: null,
  shadow: null,
  retries: { maxAttempts: 2, baseDelayMs: 100, maxDelayMs: 2000, budgetRatio: 0.2, deadlineMs: 30_000 },
  hedge: null,
  onContentFilter: 'fail',
};
const HEALTH: HealthPolicy = {
  consecutiveFailures: 5,
  intervalMs: 10_000,
  failureRatio: 0.5,
  minimumCalls: 20,
  successRateStdevFactor: 1.9,
  minimumTargets: 3,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionRatio: 0.5,
  probes: null,
};
const CACHE: FeatureCacheSettings = {
  mode: 'exact',
  ttlMs: 3_600_000,
  maxTemperature: 1,
  replay: 'instant',
  keepsToolCalls: false,
  keepsTruncated: false,
  isolation: 'feature',
  semantic: null,
};

/** Priced models, at a provider that speaks the client's dialect and at one that must be translated; one feature, one key. The route is `default`. */
export function benchSnapshot(upstream: string, key: string, payloads: 'full' | 'none', stages: BenchStages = 'bare'): Snapshot {
  const pepper = 'ab'.repeat(32);
  const price = { priceId: 'bench', perToken: { inputUncachedTokens: '150000', outputTextTokens: '600000' }, perRequest: null, tiers: [] };
  const provider = (name: string, kind: 'openai' | 'anthropic'): SnapshotProvider => ({
    name,
    kind,
    baseUrl: `${upstream}/v1`,
    apiKey: { literal: 'sk-bench' },
    headers: {},
    timeouts: { connectMs: 2000, firstByteMs: 30_000, idleMs: 20_000, totalMs: 600_000 },
    maxConnections: 512,
    dialect: kind,
    isSimulated: false,
  });
  return {
    epoch: 1,
    schemaVersion: 1,
    organisationId: 'default',
    environment: 'production',
    createdAtMs: Date.now(),
    keyPepper: pepper,
    providers: [provider('stub', 'openai'), provider('stub-anthropic', 'anthropic')],
    models: [
      { name: 'bench-model', provider: 'stub', upstreamModel: 'stub-model-2026', price },
      { name: 'second-model', provider: 'stub', upstreamModel: 'stub-model-2025', price },
      { name: 'translated-model', provider: 'stub-anthropic', upstreamModel: 'claude-haiku-4-5', price },
    ],
    routes: [
      stages === 'bare'
        ? { name: 'default', targets: ['bench-model'] }
        : { name: 'default', targets: ['bench-model', 'second-model'], policy: ROUTE },
    ],
    features: [
      { name: 'bench', owner: 'team', costOwner: 'finance', route: 'default', payloads, ...(stages === 'all' ? { cache: CACHE } : {}) },
    ],
    ...(stages === 'bare' ? {} : { limitRules: LIMITS, health: HEALTH }),
    keys: [{ id: 'key-1', name: 'bench', hmac: keyHmac(pepper, key), feature: 'bench', team: 'team', models: null, expiresAtMs: null }],
    limits: { maxBodyBytes: 32 * 1024 * 1024, maxJsonDepth: 128, maxConcurrentRequests: 10_000, maxPayloadBytes: 256 * 1024 },
  };
}
