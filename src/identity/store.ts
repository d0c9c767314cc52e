import type { Scope } from '../kernel/scope.ts';
import type { AdminKey, DashboardSession, VirtualKey } from './model.ts';

export interface VirtualKeyFilter {
  readonly feature: string | null;
  /** Only ids below this one: the page after it, as the list is newest first. */
  readonly beforeId: string | null;
  readonly limit: number;
}

export interface VirtualKeyStore {
  /** @throws PlimsollError `conflict` when id or HMAC exists */
  insert(scope: Scope, key: VirtualKey): Promise<void>;
  get(scope: Scope, id: string): Promise<VirtualKey | null>;
  /** Newest first, revoked and expired ones included. */
  list(scope: Scope, filter: VirtualKeyFilter): Promise<VirtualKey[]>;
  /** Every key that works at `nowMs`, for the snapshot; by id. */
  listActive(scope: Scope, nowMs: number): Promise<VirtualKey[]>;
  /** Stops the key at `atMs`; an earlier stop stays. @returns the key as it is now; null when unknown */
  revoke(scope: Scope, id: string, atMs: number): Promise<VirtualKey | null>;
  /** Lets a key that was never revoked end at `atMs`. Of several callers one gets true. @returns false when it was revoked already or is unknown */
  supersede(scope: Scope, id: string, atMs: number): Promise<boolean>;
  /** Notes use; never moves back. Unknown ids are ignored. */
  recordUse(scope: Scope, lastUsedAtMs: ReadonlyMap<string, number>): Promise<void>;
  /** Keys that work at `nowMs`, by feature; keys without a feature are not counted. */
  countActiveByFeature(scope: Scope, nowMs: number): Promise<ReadonlyMap<string, number>>;
}

export interface AdminKeyStore {
  /** @throws PlimsollError `conflict` when id or HMAC exists */
  insert(scope: Scope, key: AdminKey): Promise<void>;
  findByHmac(scope: Scope, hmac: string): Promise<AdminKey | null>;
  /** Newest first. */
  list(scope: Scope): Promise<AdminKey[]>;
  /** @returns the key as it is now (an earlier revocation stays); null when unknown */
  revoke(scope: Scope, id: string, atMs: number): Promise<AdminKey | null>;
}

export interface SessionStore {
  insert(scope: Scope, session: DashboardSession): Promise<void>;
  findByTokenHmac(scope: Scope, tokenHmac: string): Promise<DashboardSession | null>;
  extend(scope: Scope, id: string, expiresAtMs: number): Promise<void>;
  /** @returns false when there was none */
  remove(scope: Scope, id: string): Promise<boolean>;
  /** Removes what expired before `nowMs`. @returns how many */
  prune(scope: Scope, nowMs: number): Promise<number>;
}
