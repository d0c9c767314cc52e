import type { Kysely, Selectable } from 'kysely';
import type { FeatureSwitch } from '../../features/switch.ts';
import type { FeatureSwitchStore } from '../../features/switch-store.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { Handle } from './connection.ts';
import type { Database, FeatureSwitchRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

function toSwitch(row: Selectable<FeatureSwitchRow>): FeatureSwitch {
  return {
    id: row.id,
    feature: row.feature,
    kind: row.kind,
    requestsPerSecond: row.requests_per_second,
    shareRatio: row.share_ratio,
    reason: row.reason,
    setBy: { kind: row.set_by_kind, id: row.set_by_id, name: row.set_by_name },
    setAtMs: row.set_at_ms,
    expiresAtMs: row.expires_at_ms,
    endedAtMs: row.ended_at_ms,
    endedBy: row.ended_by,
    endReason: row.end_reason,
  };
}

/** Closes open switches that are past their expiry. */
async function closeExpired(db: Kysely<Database>, scope: Scope, nowMs: number, feature: string | null): Promise<FeatureSwitch[]> {
  let update = db
    .updateTable('feature_switches')
    .set(({ ref }) => ({ ended_at_ms: ref('expires_at_ms') }))
    .where(inScope(scope))
    .where('ended_at_ms', 'is', null)
    .where('expires_at_ms', '<=', nowMs);
  if (feature !== null) update = update.where('feature', '=', feature);
  return (await update.returningAll().execute()).map(toSwitch);
}

async function close(
  db: Kysely<Database>,
  scope: Scope,
  feature: string,
  { atMs, by, reason }: { atMs: number; by: string; reason: string | null },
): Promise<FeatureSwitch | null> {
  await closeExpired(db, scope, atMs, feature);
  const row = await db
    .updateTable('feature_switches')
    .set({ ended_at_ms: atMs, ended_by: by, end_reason: reason })
    .where(inScope(scope))
    .where('feature', '=', feature)
    .where('ended_at_ms', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toSwitch(row);
}

export function sqlFeatureSwitches(handle: Handle): FeatureSwitchStore {
  return {
    set: (scope, next) =>
      handle.write(async (db) => {
        const before = await close(db, scope, next.feature, { atMs: next.setAtMs, by: next.setBy.name, reason: 'replaced' });
        await db
          .insertInto('feature_switches')
          .values({
            ...tenantColumns(scope),
            id: next.id,
            feature: next.feature,
            kind: next.kind,
            requests_per_second: next.requestsPerSecond,
            share_ratio: next.shareRatio,
            reason: next.reason,
            set_by_kind: next.setBy.kind,
            set_by_id: next.setBy.id,
            set_by_name: next.setBy.name,
            set_at_ms: next.setAtMs,
            expires_at_ms: next.expiresAtMs,
            ended_at_ms: next.endedAtMs,
            ended_by: next.endedBy,
            end_reason: next.endReason,
          })
          .execute();
        return before;
      }),
    end: (scope, feature, end) => handle.write((db) => close(db, scope, feature, end)),
    endExpired: (scope, nowMs) => handle.write((db) => closeExpired(db, scope, nowMs, null)),
    inForce: (scope, nowMs) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('feature_switches')
          .selectAll()
          .where(inScope(scope))
          .where('ended_at_ms', 'is', null)
          .where(({ eb, or }) => or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', nowMs)]))
          .orderBy('feature')
          .execute();
        return rows.map(toSwitch);
      }),
    list: (scope, feature, { beforeId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('feature_switches').selectAll().where(inScope(scope)).where('feature', '=', feature);
        if (beforeId !== null) query = query.where('id', '<', beforeId);
        return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toSwitch);
      }),
  };
}
