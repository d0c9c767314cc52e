import { issueAdminKey } from '../identity/admin-access.ts';
import type { KeyService } from '../identity/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Scope } from '../kernel/scope.ts';
import type { ControlStore, ControlStores } from '../stores/sql/control-store.ts';
import type { Config } from './config.ts';

/**
 * In a new control store: one admin key, and one virtual key for the first feature unless the configuration brings keys of its own.
 * @returns what is shown once; null when this is not the first start
 */
export async function firstStart(
  store: ControlStore,
  keyService: (keys: ControlStores['keys']) => KeyService,
  scope: Scope,
  pepperHex: string,
  clock: Clock,
  config: Config,
): Promise<{ adminKey: string; virtualKey: string | null } | null> {
  return store.transaction(async (tx) => {
    const nowMs = clock.nowMs();
    // Of several control processes that start at once on one database, one is the first.
    if ((await tx.settings.increment(scope, 'starts')) !== 1) return null;
    const actor = { kind: 'system' as const, id: 'first start', organisationId: scope.organisationId, grants: ['*' as const] };
    const admin = await issueAdminKey(tx.adminKeys, scope, 'first start', pepperHex, nowMs);
    await tx.audit.record(scope, {
      action: 'admin_key.created',
      actor,
      subject: `admin_key/${admin.id}`,
      details: { name: 'first start' },
      atMs: nowMs,
    });
    const feature = Object.keys(config.features)[0];
    if (config.keys.length > 0 || feature === undefined) return { adminKey: admin.key, virtualKey: null };
    const key = await keyService(tx.keys).create(scope, { name: 'first start', feature }, actor);
    await tx.audit.record(scope, {
      action: 'key.created',
      actor,
      subject: `key/${key.id}`,
      details: { name: key.name, feature },
      atMs: nowMs,
    });
    return { adminKey: admin.key, virtualKey: key.key };
  });
}
