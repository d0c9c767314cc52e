import type { SessionStore } from '../../identity/store.ts';
import type { Handle } from './connection.ts';
import { inScope, tenantColumns } from './tenant.ts';

export function sqlSessions(handle: Handle): SessionStore {
  return {
    insert: (scope, session) =>
      handle.write(async (db) => {
        await db
          .insertInto('dashboard_sessions')
          .values({
            ...tenantColumns(scope),
            id: session.id,
            token_hmac: session.tokenHmac,
            admin_key_id: session.adminKeyId,
            admin_key_hmac: session.adminKeyHmac,
            created_at_ms: session.createdAtMs,
            expires_at_ms: session.expiresAtMs,
            ends_at_ms: session.endsAtMs,
          })
          .execute();
      }),
    findByTokenHmac: (scope, tokenHmac) =>
      handle.read(async (db) => {
        const row = await db
          .selectFrom('dashboard_sessions')
          .selectAll()
          .where(inScope(scope))
          .where('token_hmac', '=', tokenHmac)
          .executeTakeFirst();
        if (row === undefined) return null;
        return {
          id: row.id,
          tokenHmac: row.token_hmac,
          adminKeyId: row.admin_key_id,
          adminKeyHmac: row.admin_key_hmac,
          createdAtMs: row.created_at_ms,
          expiresAtMs: row.expires_at_ms,
          endsAtMs: row.ends_at_ms,
        };
      }),
    extend: (scope, id, expiresAtMs) =>
      handle.write(async (db) => {
        await db
          .updateTable('dashboard_sessions')
          .set({ expires_at_ms: expiresAtMs })
          .where(inScope(scope))
          .where('id', '=', id)
          .where('expires_at_ms', '<', expiresAtMs)
          .where('ends_at_ms', '>=', expiresAtMs)
          .execute();
      }),
    remove: (scope, id) =>
      handle.write(async (db) => {
        const gone = await db.deleteFrom('dashboard_sessions').where(inScope(scope)).where('id', '=', id).returning('id').execute();
        return gone.length > 0;
      }),
    prune: (scope, nowMs) =>
      handle.write(async (db) => {
        const gone = await db
          .deleteFrom('dashboard_sessions')
          .where(inScope(scope))
          .where('expires_at_ms', '<', nowMs)
          .returning('id')
          .execute();
        return gone.length;
      }),
  };
}
