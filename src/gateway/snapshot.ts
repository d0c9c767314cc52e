import type { Price } from '../models/price.ts';
import type { LimitRule } from './admission/limit-rule.ts';

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
  readonly kind: 'openai' | 'openai-compatible' | 'anthropic' | 'sim';
  /** Without a trailing slash, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: SecretReference;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: ProviderTimeouts;
  readonly maxConnections: number;
  /** Wire dialect of a `sim` provider. */
  readonly dialect: 'openai' | 'anthropic';
  readonly isSimulated: boolean;
}

export type SnapshotPrice = Price;

export interface SnapshotModel {
  readonly name: string;
  readonly provider: string;
  readonly upstreamModel: string;
  /** Null = unpriced. */
  readonly price: SnapshotPrice | null;
  /** Longest answer; absent = not known. */
  readonly maxOutputTokens?: number;
}

export interface SnapshotRoute {
  readonly name: string;
  /** Model aliases; the first is primary, the rest are fallbacks in order. */
  readonly targets: readonly string[];
}

export interface SnapshotFeature {
  readonly name: string;
  readonly owner: string | null;
  readonly costOwner: string | null;
  /** Used when a request's model is `default`, and shown as the feature's route. */
  readonly route: string;
  readonly payloads: 'full' | 'preview' | 'none';
  /** How its calls stand in waiting lines, 0 (last) to 9; absent = 5. */
  readonly priority?: number;
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
  /** `limits:` of plimsoll.yaml; absent from controls that know none. */
  readonly limitRules?: readonly LimitRule[];
}

export interface SnapshotLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly maxConcurrentRequests: number;
  /** Longest text of one payload record, in bytes; longer ones are cut and marked. */
  readonly maxPayloadBytes: number;
  /** Gateway processes of one machine; absent from controls that do not say. */
  readonly workers?: number;
  /** Most disk of one worker's journal; absent from controls that do not say. */
  readonly journalMaxBytes?: number;
}
