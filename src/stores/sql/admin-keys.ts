import type { Selectable } from 'kysely';
import type { AdminKey } from '../../identity/model.ts';
import type { AdminKeyStore } from '../../identity/store.ts';
import type { Handle } from './connection.ts';
import type { AdminKeyRow } from './schema.ts';
import { inScope, tenantColumns } from './tenant.ts';

function toKey(row: Selectable<AdminKeyRow>): AdminKey {
  return { id: row.id, name: row.name, prefix: row.prefix, hmac: row.hmac, createdAtMs: row.created_at_ms, revokedAtMs: row.revoked_at_ms };
}

export function sqlAdminKeys(handle: Handle): AdminKeyStore {
  return {
    insert: (scope, { id, name, prefix, hmac, createdAtMs, revokedAtMs }) =>
      handle.write(async (db) => {
        await db
          .insertInto('admin_keys')
          .values({ ...tenantColumns(scope), id, name, prefix, hmac, created_at_ms: createdAtMs, revoked_at_ms: revokedAtMs })
          .execute();
      }),
    findByHmac: (scope, hmac) =>
      handle.read(async (db) => {
        const row = await db.selectFrom('admin_keys').selectAll().where(inScope(scope)).where('hmac', '=', hmac).executeTakeFirst();
        return row === undefined ? null : toKey(row);
      }),
    list: (scope) =>
      handle.read(async (db) => {
        const rows = await db.selectFrom('admin_keys').selectAll().where(inScope(scope)).orderBy('id', 'desc').execute();
        return rows.map(toKey);
      }),
    revoke: (scope, id, atMs) =>
      handle.write(async (db) => {
        await db
          .updateTable('admin_keys')
          .set({ revoked_at_ms: atMs })
          .where(inScope(scope))
          .where('id', '=', id)
          .where('revoked_at_ms', 'is', null)
          .execute();
        const row = await db.selectFrom('admin_keys').selectAll().where(inScope(scope)).where('id', '=', id).executeTakeFirst();
        return row === undefined ? null : toKey(row);
      }),
  };
}
