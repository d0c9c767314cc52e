import type { ModelApprovals } from '../features/model-approval.ts';
import type { OutputContract } from '../features/output-config.ts';
import type { Residency } from '../features/residency.ts';
import type { SimDialect } from '../models/config.ts';
import type { ModelLifecycle } from '../models/lifecycle.ts';
import type { Price } from '../models/price.ts';
import type { LimitRule } from './admission/limit-rule.ts';
import type { LoopBreakerSettings } from './admission/loop-breaker.ts';
import type { CacheSettings, FeatureCacheSettings } from './cache/settings.ts';
import type { HealthPolicy, QualityFloor, RoutePolicy } from './routing/policy.ts';

/**
 * Everything the gateway needs to serve a call, compiled by control, immutable, swapped by one pointer.
 * Travels as JSON over `/internal/v1/snapshot` and rests on the gateway's disk (0600). It names the secrets of
 * providers and never holds them; the pepper of the key hashes is in it, so it is handled like a key itself.
 */
export const SNAPSHOT_SCHEMA_VERSION = 1;

/** `literal` only for values that are no secrets (simulated providers); everything else is the name of an environment variable. */
export type SecretReference = { readonly env: string } | { readonly literal: string } | null;

export interface ProviderTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface SnapshotProvider {
  readonly name: string;
  /** Of an adapter, or `sim`. */
  readonly kind: string;
  /** Without a trailing slash, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: SecretReference;
  /** Non-secret settings of the kind; absent from controls that do not know them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Secrets besides the key; absent from controls that do not know them. */
  readonly secrets?: Readonly<Record<string, SecretReference>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ProviderTimeouts;
  readonly maxConnections: number;
  /** Wire dialect of a `sim` provider. */
  readonly dialect: SimDialect;
  readonly isSimulated: boolean;
}

export type SnapshotPrice = Price;

export interface SnapshotModel {
  readonly name: string;
  readonly provider: string;
  readonly upstreamModel: string;
  /** Null = unpriced. */
  readonly price: SnapshotPrice | null;
  /** Where it runs; absent or null = not declared. */
  readonly region?: string | null;
  readonly isSelfHosted?: boolean;
  /** Longest answer; absent = not known. */
  readonly maxOutputTokens?: number;
  /** Longest input and output together; absent or null = not known. */
  readonly contextTokens?: number | null;
  /** Absent = nobody said anything of its end. */
  readonly lifecycle?: ModelLifecycle;
}

export interface SnapshotRoute {
  readonly name: string;
  /** Model aliases; the first is primary, the rest are fallbacks in order. */
  readonly targets: readonly string[];
  /** Absent from controls that know none: the targets are then tried in order, once each. */
  readonly policy?: RoutePolicy;
}

export interface SnapshotFeature {
  readonly name: string;
  readonly owner: string | null;
  readonly costOwner: string | null;
  /** Used when a request's model is `default`, and shown as the feature's route. */
  readonly route: string;
  readonly payloads: 'full' | 'preview' | 'none';
  /** When an agent run counts as stuck; absent = not looked for. */
  readonly loopBreaker?: LoopBreakerSettings;
  /** How its calls stand in waiting lines, 0 (last) to 9; absent = 5. */
  readonly priority?: number;
  /** Absent or null = its answers are not kept. */
  readonly cache?: FeatureCacheSettings | null;
  /** The pause or throttle that was in force when this was compiled; absent = none. Its expiry is the gateway's to watch. */
  readonly switch?: SnapshotFeatureSwitch;
  /** Where its data may go; absent = anywhere. */
  readonly residency?: Residency;
  /** What was decided about models for it; absent = nothing. */
  readonly approvals?: ModelApprovals;
  /** The form that its answers must have; absent = any. */
  readonly output?: OutputContract;
}

export interface SnapshotFeatureSwitch {
  readonly id: string;
  readonly kind: 'pause' | 'throttle';
  /** Of a throttle, one of the two. */
  readonly requestsPerSecond: number | null;
  readonly shareRatio: number | null;
  readonly reason: string;
  /** Name of who set it. */
  readonly setBy: string;
  readonly setAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface SnapshotKey {
  readonly id: string;
  readonly name: string;
  /** HMAC-SHA-256(pepper, key), hex. */
  readonly hmac: string;
  /** Null = the request names it in `x-plimsoll-feature`. */
  readonly feature: string | null;
  readonly team: string | null;
  /** Routes and model aliases that the key may use; null = all. */
  readonly models: readonly string[] | null;
  readonly expiresAtMs: number | null;
  /** Of control itself: it says in `x-plimsoll-purpose` what its calls are for. Absent = false. */
  readonly isInternal?: boolean;
}

export interface Snapshot {
  readonly epoch: number;
  readonly schemaVersion: number;
  readonly organisationId: string;
  readonly environment: string;
  readonly createdAtMs: number;
  /** Server pepper of the key HMACs, hex. */
  readonly keyPepper: string;
  readonly providers: readonly SnapshotProvider[];
  readonly models: readonly SnapshotModel[];
  readonly routes: readonly SnapshotRoute[];
  readonly features: readonly SnapshotFeature[];
  readonly keys: readonly SnapshotKey[];
  readonly limits: SnapshotLimits;
  /** Absent from controls that do not know of it. */
  readonly cache?: CacheSettings;
  /** `limits:` of plimsoll.yaml; absent from controls that know none. */
  readonly limitRules?: readonly LimitRule[];
  /** Absent = with the workers of the same machine. */
  readonly limitSharing?: {
    readonly driver: 'machine' | 'redis';
    readonly onUnavailable: 'fail-closed' | 'local-share';
    readonly replicas: number;
  };
  /** When a target is taken out; absent from controls that do not say: then none ever is. */
  readonly health?: HealthPolicy;
  readonly qualityFloors?: readonly QualityFloor[];
}

export interface SnapshotLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly maxConcurrentRequests: number;
  /** Longest text of one payload record, in bytes; longer ones are cut and marked. */
  readonly maxPayloadBytes: number;
  /** Gateway processes of one machine; absent from controls that do not say. */
  readonly workers?: number;
  /** How long and how many answers are kept for repeated idempotency keys, per worker; absent from controls that do not say. */
  readonly idempotency?: { readonly ttlMs: number; readonly maxBytes: number };
  /** Most disk of one worker's journal; absent from controls that do not say. */
  readonly journalMaxBytes?: number;
}
