import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import { nearest } from '../kernel/suggest.ts';
import type { KeyCreated, KeyDraft, KeyListQuery, KeyPage, KeyView, VirtualKey } from './model.ts';
import type { StaticKey, StaticKeyCatalogue } from './static-keys.ts';
import type { VirtualKeyStore } from './store.ts';
import { createKey, keyHmac } from './virtual-key.ts';

/** Names that a key may point at; a port, as features and models are rooms after this one. */
export interface KeyTargets {
  features(scope: Scope): readonly string[];
  /** Routes and model aliases. */
  models(scope: Scope): readonly string[];
}

export interface KeyServiceOptions {
  /** Inside a transaction: its own store. */
  readonly store: VirtualKeyStore;
  readonly staticKeys: StaticKeyCatalogue;
  readonly targets: KeyTargets;
  readonly pepperHex: string;
  readonly clock: Clock;
}

/** What a key allows, in the form that the snapshot carries (SnapshotKey). */
export interface GatewayKey {
  readonly id: string;
  readonly name: string;
  readonly hmac: string;
  readonly feature: string | null;
  readonly team: string | null;
  readonly models: readonly string[] | null;
  readonly expiresAtMs: number | null;
  readonly isInternal?: boolean;
}

export interface KeyService {
  create(scope: Scope, draft: KeyDraft, actor: Actor): Promise<KeyCreated>;
  list(scope: Scope, query: KeyListQuery): Promise<KeyPage>;
  /** Idempotent. @throws PlimsollError `not_found`; `conflict` for a key of plimsoll.yaml */
  revoke(scope: Scope, id: string): Promise<KeyView>;
  /** A new key with the same rights; the old one works for `graceMs` more. @throws PlimsollError `not_found`, `conflict` */
  rotate(scope: Scope, id: string, graceMs: number, actor: Actor): Promise<KeyCreated>;
  /** Every key that works now, static ones included: for the snapshot. */
  listForGateway(scope: Scope): Promise<GatewayKey[]>;
  /** Keys that work now, by feature, static ones included. */
  countByFeature(scope: Scope): Promise<ReadonlyMap<string, number>>;
}

function toView(key: VirtualKey): KeyView {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    feature: key.feature,
    team: key.team,
    models: key.models === null ? null : [...key.models],
    createdAt: key.createdAtMs,
    expiresAt: key.expiresAtMs,
    revokedAt: key.revokedAtMs,
    lastUsedAt: key.lastUsedAtMs,
    rotatedFrom: key.rotatedFrom,
    source: 'api',
  };
}

function staticToView(key: StaticKey): KeyView {
  const { id, name, prefix, feature, team, models, expiresAtMs: expiresAt } = key;
  const unknown = { createdAt: null, revokedAt: null, lastUsedAt: null, rotatedFrom: null };
  return { id, name, prefix, feature, team, models: models === null ? null : [...models], expiresAt, ...unknown, source: 'config' };
}

function earlier(left: number | null, right: number | null): number | null {
  return left === null ? right : right === null ? left : Math.min(left, right);
}

function requireKnown(field: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const suggestion = nearest(value, known);
  const hint =
    suggestion === null
      ? known.length === 0
        ? 'There is none yet.'
        : `Known: ${known.slice(0, 20).join(', ')}.`
      : `Did you mean "${suggestion}"?`;
  throw new PlimsollError('invalid_argument', `${field}: "${value}" is not in plimsoll.yaml. ${hint}`, {
    details: { param: field, value, suggestion },
  });
}

export function createKeyService({ store, staticKeys, targets, pepperHex, clock }: KeyServiceOptions): KeyService {
  const refuseStatic = (id: string, verb: string) => {
    const key = staticKeys.list().find((candidate) => candidate.id === id);
    if (key === undefined) return;
    throw new PlimsollError('conflict', `Key "${key.name}" is defined at ${key.location} and cannot be ${verb} here: change it there.`, {
      details: { id, location: key.location },
    });
  };
  const find = async (scope: Scope, id: string): Promise<VirtualKey> => {
    const key = await store.get(scope, id);
    if (key === null) throw new PlimsollError('not_found', `There is no key with id "${id}".`, { details: { id } });
    return key;
  };
  const insert = async (
    scope: Scope,
    key: Omit<VirtualKey, 'id' | 'prefix' | 'hmac' | 'createdAtMs' | 'revokedAtMs' | 'lastUsedAtMs'>,
  ): Promise<KeyCreated> => {
    const nowMs = clock.nowMs();
    const { id, key: secret, prefix } = createKey('plk', nowMs);
    const stored = { ...key, id, prefix, hmac: keyHmac(pepperHex, secret), createdAtMs: nowMs, revokedAtMs: null, lastUsedAtMs: null };
    await store.insert(scope, stored);
    return { ...toView(stored), key: secret };
  };
  return {
    create(scope, draft, actor) {
      if (draft.feature != null) requireKnown('feature', draft.feature, targets.features(scope));
      for (const [index, model] of (draft.models ?? []).entries()) requireKnown(`models[${index}]`, model, targets.models(scope));
      const expiresAtMs = draft.expiresAt ?? null;
      if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) {
        throw new PlimsollError('invalid_argument', `expiresAt: ${new Date(expiresAtMs).toISOString()} is in the past.`, {
          details: { param: 'expiresAt', value: expiresAtMs },
        });
      }
      const { name, feature = null, team = null, models = null } = draft;
      return insert(scope, { name, feature, team, models, expiresAtMs, createdBy: actor.id, rotatedFrom: null });
    },
    async list(scope, { cursor, limit, feature }) {
      const isFirstPage = cursor === undefined;
      const fromConfig = isFirstPage ? staticKeys.list().filter((key) => feature === undefined || key.feature === feature) : [];
      const page = await store.list(scope, { feature: feature ?? null, beforeId: cursor ?? null, limit: limit + 1 });
      const shown = page.slice(0, limit);
      return {
        keys: [...fromConfig.map(staticToView), ...shown.map(toView)],
        nextCursor: page.length > limit ? (shown.at(-1)?.id ?? null) : null,
      };
    },
    async revoke(scope, id) {
      refuseStatic(id, 'revoked');
      const key = await store.revoke(scope, id, clock.nowMs());
      if (key === null) throw new PlimsollError('not_found', `There is no key with id "${id}".`, { details: { id } });
      return toView(key);
    },
    async rotate(scope, id, graceMs, actor) {
      refuseStatic(id, 'rotated');
      const nowMs = clock.nowMs();
      const before = await find(scope, id);
      const isExpired = before.expiresAtMs !== null && before.expiresAtMs <= nowMs;
      if (isExpired || !(await store.supersede(scope, id, nowMs + graceMs))) {
        throw new PlimsollError('conflict', `Key "${before.name}" is revoked, rotated or expired already; create a new one.`, {
          details: { id },
        });
      }
      const { name, feature, team, models, expiresAtMs } = before;
      return insert(scope, { name, feature, team, models, expiresAtMs, createdBy: actor.id, rotatedFrom: id });
    },
    async listForGateway(scope) {
      const nowMs = clock.nowMs();
      const stored = await store.listActive(scope, nowMs);
      const fromConfig = staticKeys.list().filter((key) => key.expiresAtMs === null || key.expiresAtMs > nowMs);
      return [
        ...fromConfig.map(({ id, name, hmac, feature, team, models, expiresAtMs }) => ({
          id,
          name,
          hmac,
          feature,
          team,
          models,
          expiresAtMs,
        })),
        ...stored.map(({ id, name, hmac, feature, team, models, expiresAtMs, revokedAtMs }) => ({
          id,
          name,
          hmac,
          feature,
          team,
          models,
          expiresAtMs: earlier(expiresAtMs, revokedAtMs),
        })),
      ];
    },
    async countByFeature(scope) {
      const counts = new Map(await store.countActiveByFeature(scope, clock.nowMs()));
      for (const { feature, expiresAtMs } of staticKeys.list()) {
        if (feature !== null && (expiresAtMs === null || expiresAtMs > clock.nowMs())) counts.set(feature, (counts.get(feature) ?? 0) + 1);
      }
      return counts;
    },
  };
}
