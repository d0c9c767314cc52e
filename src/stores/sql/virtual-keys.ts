import type { Insertable, Selectable } from 'kysely';
import type { VirtualKey } from '../../identity/model.ts';
import type { VirtualKeyStore } from '../../identity/store.ts';
import type { Handle } from './connection.ts';
import type { VirtualKeyRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

function toKey(row: Selectable<VirtualKeyRow>): VirtualKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    hmac: row.hmac,
    feature: row.feature,
    team: row.team,
    // Written by this file only.
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    rotatedFrom: row.rotated_from,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

function toRow(key: VirtualKey): Omit<Insertable<VirtualKeyRow>, 'organisation_id' | 'environment'> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    hmac: key.hmac,
    feature: key.feature,
    team: key.team,
    models: key.models === null ? null : JSON.stringify(key.models),
    created_at_ms: key.createdAtMs,
    created_by: key.createdBy,
    expires_at_ms: key.expiresAtMs,
    revoked_at_ms: key.revokedAtMs,
    rotated_from: key.rotatedFrom,
    last_used_at_ms: key.lastUsedAtMs,
  };
}

export function sqlVirtualKeys(handle: Handle): VirtualKeyStore {
  return {
    insert: (scope, key) =>
      handle.write(async (db) => {
        await db
          .insertInto('virtual_keys')
          .values({ ...tenantColumns(scope), ...toRow(key) })
          .execute();
      }),
    get: (scope, id) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('virtual_keys').selectAll().where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        return row === undefined ? null : toKey(row);
      }),
    list: (scope, { feature, beforeId, limit }) =>
      handle.read(async (db) => {
        let query = db.selectFrom('virtual_keys').selectAll().where(inScope(scope));
        if (feature !== null) query = query.where('feature', '=', feature);
        if (beforeId !== null) query = query.where('id', '<', beforeId);
        return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toKey);
      }),
    listActive: (scope, nowMs) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('virtual_keys')
          .selectAll()
          .where(inScope(scope))
          .where(({ eb, or }) => or([eb('revoked_at_ms', 'is', null), eb('revoked_at_ms', '>', nowMs)]))
          .where(({ eb, or }) => or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', nowMs)]))
          .orderBy('id')
          .execute();
        return rows.map(toKey);
      }),
    revoke: (scope, id, atMs) =>
      handle.write(async (db) => {
        const row = await db
          .updateTable('virtual_keys')
          .set(({ eb, ref }) => ({
            revoked_at_ms: eb
              .case()
              .when(eb.and([eb('revoked_at_ms', 'is not', null), eb('revoked_at_ms', '<', atMs)]))
              .then(ref('revoked_at_ms'))
              .else(eb.cast<number>(eb.val(atMs), 'bigint'))
              .end(),
          }))
          .where(inScope(scope))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? null : toKey(row);
      }),
    supersede: (scope, id, atMs) =>
      handle.write(async (db) => {
        const ended = await db
          .updateTable('virtual_keys')
          .set({ revoked_at_ms: atMs })
          .where(inScope(scope))
          .where('id', '=', id)
          .where('revoked_at_ms', 'is', null)
          .returning('id')
          .execute();
        return ended.length > 0;
      }),
    recordUse: (scope, lastUsedAtMs) =>
      handle.write(async (db) => {
        for (const [id, atMs] of lastUsedAtMs) {
          await db
            .updateTable('virtual_keys')
            .set({ last_used_at_ms: atMs })
            .where(inScope(scope))
            .where('id', '=', id)
            .where(({ eb, or }) => or([eb('last_used_at_ms', 'is', null), eb('last_used_at_ms', '<', atMs)]))
            .execute();
        }
      }),
    countActiveByFeature: (scope, nowMs) =>
      handle.read(async (db) => {
        const rows = await db
          .selectFrom('virtual_keys')
          .select(['feature', ({ fn }) => fn.countAll<number>().as('count')])
          .where(inScope(scope))
          .where('feature', 'is not', null)
          .where(({ eb, or }) => or([eb('revoked_at_ms', 'is', null), eb('revoked_at_ms', '>', nowMs)]))
          .where(({ eb, or }) => or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', nowMs)]))
          .groupBy('feature')
          .execute();
        return new Map(rows.map((row) => [row.feature ?? '', row.count]));
      }),
  };
}
